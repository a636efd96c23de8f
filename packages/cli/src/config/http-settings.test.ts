import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./load-config.ts";

/** Four lines: what a test adds begins on line 5. */
const MINIMAL = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs: { domain: srs.ours.test, secretsFile: secrets }
`;

function read(text: string): ReturnType<typeof readConfig> {
  return readConfig(`${MINIMAL}${text}\n`, "homing.yaml");
}

test("without http there is no page", () => {
  const config = read("");
  assert.ok(config.ok);
  assert.equal(config.config.http, undefined);
});

const good: [url: string, meant: string][] = [
  ["https://mx.ours.test", "https://mx.ours.test"],
  ["https://mx.ours.test/", "https://mx.ours.test"],
  ["https://www.ours.test:8443/mail/why-not", "https://www.ours.test:8443/mail/why-not"],
  ["http://[::1]:8025", "http://[::1]:8025"],
];
for (const [url, meant] of good) {
  test(`links begin with ${meant} where publicUrl is ${url}, and the port is on this machine alone`, () => {
    const config = read(`http: { publicUrl: "${url}" }`);
    assert.ok(config.ok);
    assert.deepEqual(config.config.http, { listen: { host: "127.0.0.1", port: 8025 }, publicUrl: meant });
  });
}

const EXAMPLE = ": write one such as https://mx.forwarder.example";
const wrong: [what: string, line: string, told: string][] = [
  ["no URL", "http: { listen: 127.0.0.1:8025 }", "5:1 http.publicUrl: "],
  ["no scheme", "http: { publicUrl: mx.ours.test }", `"mx.ours.test" is no URL of a server${EXAMPLE}`],
  ["another scheme", "http: { publicUrl: ftp://ours.test }", `is no URL of a server${EXAMPLE}`],
  ["a user", "http: { publicUrl: https://u:p@ours.test }", `is no URL of a server${EXAMPLE}`],
  ["a query", "http: { publicUrl: https://ours.test/?a=b }", `is no URL of a server${EXAMPLE}`],
  ["a fragment", 'http: { publicUrl: "https://ours.test/#a" }', `is no URL of a server${EXAMPLE}`],
  ["a blank", "http: { publicUrl: https://ours.test/a b }", `is no URL of a server${EXAMPLE}`],
  ["other letters", "http: { publicUrl: https://bücher.test }", `is no URL of a server${EXAMPLE}`],
  [
    "a port that is none",
    'http: { publicUrl: "https://ours.test:99999" }',
    `is no URL of a server${EXAMPLE}`,
  ],
  [
    "101 characters",
    `http: { publicUrl: https://ours.test/${"x".repeat(83)} }`,
    `has 101 characters, and a link has room for 100${EXAMPLE}`,
  ],
];
for (const [what, line, told] of wrong) {
  test(`a publicUrl with ${what} is told at its place`, () => {
    const config = read(line);
    assert.ok(!config.ok);
    assert.equal(config.problems.length, 1);
    const [{ line: at, column, message } = { line: 0, column: 0, message: "" }] = config.problems;
    assert.ok(`${at}:${column} ${message}`.includes(told), `${at}:${column} ${message}`);
  });
}
