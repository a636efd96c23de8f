import assert from "node:assert/strict";
import { test } from "node:test";
import type { MxResolver, TxtAnswer } from "@homing/forwarder";
import type { ReadKey } from "./dkim-keys.ts";
import { checkDns } from "./dns-check.ts";
import { parseConfig } from "./load-config.ts";

const config = parseConfig(
  "hostname: mx.ours.test\ndomains: [ours.test]\naliasesFile: a\nsrs: { domain: ours.test, secretsFile: s }\n",
  "homing.yaml",
);
const resolver: MxResolver = {
  mx: async () => ({ kind: "records", records: [{ exchange: "mx.ours.test", priority: 1 }] }),
  addresses: async () => ({ kind: "addresses", addresses: [] }),
};
const KEY: ReadKey = {
  domain: "ours.test",
  selector: "s",
  privateKey: "",
  publicKey: { type: "rsa", base64: "MIIBAAAA" },
};
const GOOD_SPF = { "mx.ours.test": ["v=spf1 a -all"] };
const NAME = "s._domainkey.ours.test";

type Texts = Readonly<Record<string, readonly string[] | "failed">>;

async function check(texts: Texts, keys: readonly ReadKey[] = []) {
  const txt = async (name: string): Promise<TxtAnswer> => {
    const found = texts[name] ?? [];
    return found === "failed" ? { kind: "failed", cause: "DNS: ESERVFAIL" } : { kind: "texts", texts: found };
  };
  return checkDns(
    config,
    keys.map((key, at) => ({ key, setting: ["dkim", at] })),
    { resolver, txt },
  );
}

const keyRecords: [what: string, records: readonly string[] | "failed", kind: string, words?: RegExp][] = [
  ["our key", ["v=DKIM1; k=rsa; p=MIIBAAAA"], "good"],
  ["our key without what has a default", ["p=MIIBAAAA"], "good"],
  ["our key with blanks and notes", [" v = DKIM1 ; n=x=y; p = MIIB AAAA ; t=s"], "good"],
  ["our key beside other texts", ["v=spf1 -all", "v=DKIM1; p=MIIBAAAA"], "good"],
  ["nothing", [], "warning", /^DNS has no key at s\._domainkey\.ours\.test, .*: v=DKIM1; k=rsa; p=MIIBAAAA$/],
  ["another text", ["v=spf1 -all"], "warning", /^DNS has no key at /],
  ["a failure", "failed", "warning", /cannot be told \(DNS: ESERVFAIL\): ask again/],
  ["two keys", ["p=MIIBAAAA", "p=MIIBBBBB"], "warning", /has 2 keys, .*: keep ours$/],
  ["another key", ["v=DKIM1; p=MIIBBBBB"], "problem", /another key than keyFile, .* p=MIIBAAAA$/],
  ["a key of another kind", ["v=DKIM1; k=ed25519; p=MIIBAAAA"], "problem", /another key/],
  ["a key that was withdrawn", ["v=DKIM1; p="], "problem", /another key/],
];
for (const [what, records, kind, words] of keyRecords) {
  test(`where DNS has ${what} for our key, that is ${kind}`, async () => {
    const { problems, warnings } = await check({ ...GOOD_SPF, [NAME]: records }, [KEY]);
    const [problem] = problems;
    assert.equal(problem ? "problem" : warnings.length > 0 ? "warning" : "good", kind);
    assert.equal(problems.length + warnings.length, kind === "good" ? 0 : 1);
    if (problem) assert.deepEqual(problem.setting, ["dkim", 0, "selector"]);
    if (words) assert.match(problem?.message ?? warnings[0]?.replace("warning: dkim.0: ", "") ?? "", words);
  });
}

test("of several keys, the wrong one is named", async () => {
  const other = { ...KEY, selector: "other" };
  const { problems } = await check(
    { ...GOOD_SPF, [NAME]: ["p=MIIBAAAA"], "other._domainkey.ours.test": ["p=MIIBBBBB"] },
    [KEY, other],
  );
  assert.deepEqual(
    problems.map(({ setting }) => setting),
    [["dkim", 1, "selector"]],
  );
});

const spfRecords: [records: readonly string[] | "failed", warning: RegExp | undefined][] = [
  [["v=spf1 a -all"], undefined],
  [["V=SPF1 +ip4:192.0.2.1 -all"], undefined],
  [["v=spf1  mx"], undefined],
  [["v=spf1 include:_spf.provider.test -all"], undefined],
  [["v=spf1 exists:%{i}._spf.ours.test -all"], undefined],
  [["v=spf1 redirect=_spf.ours.test"], undefined],
  [["some text", "v=spf1 a/24 -all"], undefined],
  [["v=spf1 -all"], /record "v=spf1 -all" lets no address pass, .*: publish/],
  [["v=spf1"], /lets no address pass/],
  [["v=spf1 ?a ~mx -all"], /lets no address pass/],
  [["v=spf1 exp=e.ours.test -all"], /lets no address pass/],
  [["v=spf10 a"], /it has no SPF record/],
  [["v=spf1 ip4:192.0.2 -all"], /record "v=spf1 ip4:192\.0\.2 -all" is wrong \(.*\): correct it/],
  [[], /^warning: hostname mx\.ours\.test: it has no SPF record, .* null sender does not pass: publish/],
  [["v=spf1 a", "v=spf1 mx"], /it has 2 SPF records/],
  ["failed", /cannot be told \(DNS: ESERVFAIL\): ask again/],
];
for (const [records, warning] of spfRecords) {
  test(`SPF of our name, ${JSON.stringify(records)}: ${warning ? "a warning" : "it may pass"}`, async () => {
    const { problems, warnings } = await check({ "mx.ours.test": records });
    assert.deepEqual(problems, []);
    if (warning === undefined) assert.deepEqual(warnings, []);
    else assert.match(warnings.join("\n"), warning);
  });
}
