import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./load-config.ts";

const MINIMAL = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs:
  domain: srs.ours.test
  secretsFile: secrets
`;

type Parts = readonly ("tables" | "secrets")[];
const BOTH: Parts = ["tables", "secrets"];

/** What is wrong, and what can be looked at all the same. */
const mistakes: [what: string, text: string, parts: Parts][] = [
  ["a number", `${MINIMAL}limits: { clients: 0 }`, BOTH],
  ["the place to listen", `${MINIMAL}listen: nowhere`, BOTH],
  ["an unknown setting", `${MINIMAL}frobnicate: x`, BOTH],
  ["a setting that comes twice", `${MINIMAL}listen: a.test:1\nlisten: b.test:2`, BOTH],
  ["the pid file", `${MINIMAL}pidFile: aliases`, BOTH],
  ["the smart host", `${MINIMAL}delivery: { smartHost: nope }`, BOTH],
  ["a network in a list", `${MINIMAL}trustedNetworks: [192.0.2.1, nope]`, BOTH],
  ["a whole map", `${MINIMAL}log: 5`, BOTH],
  ["an age", `${MINIMAL}  maxAgeDays: 0`, BOTH],
  ["the scheme", `${MINIMAL}  scheme: weak`, ["tables"]],
  ["the schemes that verify", `${MINIMAL}  accept: [classic]`, ["tables"]],
  ["the SRS domain", MINIMAL.replace("srs.ours.test", "a b"), ["secrets"]],
  ["a missing SRS domain", MINIMAL.replace("  domain: srs.ours.test\n", ""), ["secrets"]],
  ["the host name", MINIMAL.replace("mx.ours.test", "a b"), ["secrets"]],
  ["a missing host name", MINIMAL.replace("hostname: mx.ours.test\n", ""), ["secrets"]],
  ["a domain", MINIMAL.replace("[ours.test]", "[ours.test, -x-]"), ["secrets"]],
  [
    "a domain that others name",
    `${MINIMAL.replace("[ours.test]", "[a b]")}domainSettings: { ours.test: {} }`,
    ["secrets"],
  ],
  ["no table at all", MINIMAL.replace("aliasesFile: aliases\n", ""), ["secrets"]],
  ["a slip in the name of a table", MINIMAL.replace("aliasesFile", "aliasFile"), ["secrets"]],
  ["a slip in the name of a second table", `${MINIMAL}virtualfile: x`, ["secrets"]],
  ["a route", `${MINIMAL}delivery: { routes: { a.test: nope } }`, ["secrets"]],
  ["the mail store", `${MINIMAL}localDelivery: { stor: x }`, ["secrets"]],
  ["the secrets file", MINIMAL.replace("secretsFile: secrets", 'secretsFile: ""'), ["tables"]],
  ["everything", "hostname: a b\nsrs: 5", []],
  ["the text", "listen: [::1]:25", []],
  ["all of it", "5", []],
  ["names of Object.prototype", `${MINIMAL}constructor: { name: x }\n__proto__: { x: y }`, BOTH],
];
for (const [what, text, parts] of mistakes) {
  test(`with a mistake in ${what} there can be looked at: ${parts.join(", ") || "nothing"}`, () => {
    const read = readConfig(text, "homing.yaml");
    assert.ok(!read.ok);
    const { tables, secrets } = read.goodParts;
    assert.deepEqual([...(tables ? ["tables"] : []), ...(secrets ? ["secrets"] : [])], parts);
  });
}

const dkimMistakes: [what: string, text: string, isGood: boolean][] = [
  ["a number", `${MINIMAL}limits: { clients: 0 }`, true],
  ["the secrets file", MINIMAL.replace("secretsFile: secrets", 'secretsFile: ""'), true],
  ["no table at all", MINIMAL.replace("aliasesFile: aliases\n", ""), true],
  ["the host name", MINIMAL.replace("mx.ours.test", "a b"), false],
  ["the state directory", `${MINIMAL}stateDirectory: 5`, true],
  ["the keys", `${MINIMAL}dkim: [{ domain: ours.test, selector: "", keyFile: k }]`, false],
];
for (const [what, text, isGood] of dkimMistakes) {
  test(`with a mistake in ${what} the DKIM keys can${isGood ? "" : "not"} be looked at`, () => {
    const read = readConfig(text, "homing.yaml");
    assert.ok(!read.ok);
    assert.equal(read.goodParts.dkim !== undefined, isGood);
  });
}

test("what is good stands in the parts as the schema makes it", () => {
  const text = `${MINIMAL}listen: nowhere\nvirtualFile: v\ndomainAliases: { B.test: ours.test }\n`;
  const read = readConfig(text, "homing.yaml");
  assert.ok(!read.ok);
  const { tables, secrets } = read.goodParts;
  assert.equal(tables, secrets);
  assert.partialDeepStrictEqual(tables, {
    domains: ["ours.test"],
    aliasesFile: "aliases",
    virtualFile: "v",
    domainAliases: { "b.test": "ours.test" },
    srs: { secretsFile: "secrets" },
  });
});
