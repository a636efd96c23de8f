import assert from "node:assert/strict";
import { test } from "node:test";
import { allowsMx, parseStsPolicy, parseStsRecord } from "./sts-policy.ts";

const records: [what: string, texts: string[], id: string | undefined][] = [
  ["a record", ["v=STSv1; id=20260101T000000;"], "20260101T000000"],
  ["no final semicolon, no blanks", ["v=STSv1;id=a"], "a"],
  ["unknown fields", ["v=STSv1; x=y; id=a; z"], "a"],
  ["records of others beside it", ["v=spf1 -all", "v=STSv1; id=a", "google-site=v=STSv1;"], "a"],
  ["no record", [], undefined],
  ["two records", ["v=STSv1; id=a", "v=STSv1; id=b"], undefined],
  ["another version", ["v=STSv2; id=a"], undefined],
  ["a version that begins like ours", ["v=STSv10; id=a"], undefined],
  ["no id", ["v=STSv1;"], undefined],
  ["an id with a hyphen", ["v=STSv1; id=a-b"], undefined],
  ["an id of 33 characters", [`v=STSv1; id=${"a".repeat(33)}`], undefined],
];
for (const [what, texts, id] of records) {
  test(`TXT: ${what}: ${id ?? "no policy"}`, () => assert.equal(parseStsRecord(texts), id));
}

const policy = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join("");
const WHOLE = [
  "version: STSv1",
  "mode: enforce",
  "mx: mx1.example.com",
  "mx: *.Example.NET",
  "max_age: 604800",
];

test("a policy is read, host names in lower case", () => {
  assert.deepEqual(parseStsPolicy(policy(...WHOLE)), {
    mode: "enforce",
    mx: ["mx1.example.com", "*.example.net"],
    maxAgeSeconds: 604_800,
  });
});

const policies: [what: string, text: string, good: boolean][] = [
  ["lines that end with LF", WHOLE.join("\n"), true],
  ["no blanks", policy(...WHOLE).replaceAll(": ", ":"), true],
  ["an unknown field", policy(...WHOLE, "x: y"), true],
  ["a second mode, which does not count", policy(...WHOLE, "mode: fancy"), true],
  ["mode none without mx", policy("version: STSv1", "mode: none", "max_age: 1"), true],
  ["mode testing without mx", policy("version: STSv1", "mode: testing", "max_age: 1"), false],
  ["no version", policy(...WHOLE.slice(1)), false],
  ["another version", policy("version: STSv2", ...WHOLE.slice(1)), false],
  ["an unknown mode", policy(...WHOLE).replace("enforce", "strict"), false],
  ["no max_age", policy(...WHOLE.slice(0, -1)), false],
  ["max_age of eleven digits", policy(...WHOLE).replace("604800", "12345678901"), false],
  ["a negative max_age", policy(...WHOLE).replace("604800", "-1"), false],
  ["a line that is no field", policy(...WHOLE, "hello"), false],
  ["HTML", "<!doctype html>\n<title>404</title>\n", false],
  ["nothing", "", false],
  ["a star in the middle", policy(...WHOLE, "mx: a.*.example.com"), false],
  ["a star alone", policy(...WHOLE, "mx: *"), false],
  [
    "201 hosts",
    policy(...WHOLE, ...Array.from({ length: 200 }, (_, index) => `mx: m${index}.example`)),
    false,
  ],
];
for (const [what, text, good] of policies) {
  test(`policy: ${what}: ${good ? "taken" : "refused"}`, () => {
    assert.equal(parseStsPolicy(text) !== undefined, good);
  });
}

test("max_age is cut at a year (RFC 8461 §3.2)", () => {
  assert.equal(parseStsPolicy(policy(...WHOLE).replace("604800", "9999999999"))?.maxAgeSeconds, 31_557_600);
});

const matches: [pattern: string, host: string, allowed: boolean][] = [
  ["mx.example.com", "MX.Example.com", true],
  ["mx.example.com", "mx.example.com.", true],
  ["mx.example.com", "mx2.example.com", false],
  ["*.example.com", "mx.example.com", true],
  ["*.example.com", "a.mx.example.com", false],
  ["*.example.com", "example.com", false],
  ["*.com", "com", false],
  ["mx.example.com", "mx.example.com.evil.example", false],
];
for (const [pattern, host, allowed] of matches) {
  test(`${pattern} ${allowed ? "names" : "does not name"} ${host}`, () => {
    assert.equal(allowsMx({ mode: "enforce", mx: [pattern], maxAgeSeconds: 1 }, host), allowed);
  });
}
