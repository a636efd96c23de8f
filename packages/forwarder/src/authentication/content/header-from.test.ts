import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authorOf } from "./header-from.ts";

function author(fields: string) {
  return authorOf(Buffer.from(`Subject: x\r\n${fields}\r\nX-From: <no@field.example>\r\n\r\n`));
}

const one: [fields: string, domain: string][] = [
  ["From: ann@a.example", "a.example"],
  ["FROM : <ann@A.Example.>", "a.example"],
  ["From:\r\n Ann\r\n\t<ann@a.example>", "a.example"],
  ['From: "ceo@bank.example" <ann@a.example>', "a.example"],
  ["From: ceo@bank.example <ann@a.example>", "a.example"],
  ['From: "Doe, \\"John" <ann@a.example>', "a.example"],
  ["From: Doe, John <ann@a.example>", "a.example"],
  ["From: (<x@bank.example>) ann@a.example (a (nested\\) one) x)", "a.example"],
  ["From: =?utf-8?q?ceo=40bank.example?= <ann@a.example>", "a.example"],
  ['From: <"x@bank.example"@a.example>', "a.example"],
  ["From: ann@a.example, bob@A.example", "a.example"],
  ["From: Us: ann@a.example, Bob <bob@a.example>;", "a.example"],
  ["From: <@relay.example,@other.example:ann@a.example>", "a.example"],
  ["From: ann@BÜCHER.example", "xn--bcher-kva.example"],
  // Wrong, and every reader finds the same domain.
  ["From: ann@a.example\r\nFrom: bob@a.example", "a.example"],
  ["From: <ann@a.example", "a.example"],
  ['From: "ann@a.example', "a.example"],
  ["From: (ann@a.example", "a.example"],
  ['From: 5" Pipes Ltd <ann@a.example>', "a.example"],
  ["From: Acme (UK <ann@a.example>", "a.example"],
  ["From: 'ann@a.example'", "a.example"],
  ["From: Ann [ann@a.example]", "a.example"],
  ["From: ann@a.example ann@a.example", "a.example"],
];
for (const [fields, domain] of one) {
  test(`${JSON.stringify(fields)} is a message of ${domain}`, () => {
    assert.deepEqual(author(fields), { kind: "domain", domain });
  });
}

const none: [fields: string, kind: string, domains: string[]][] = [
  ["To: ann@a.example", "none", []],
  ["From: ann@a.example, bob@b.example", "several", ["a.example", "b.example"]],
  ["From:", "unreadable", []],
  ["From: undisclosed:;", "unreadable", []],
  ["From: <>", "unreadable", []],
  ["From: Ann", "unreadable", []],
  ['From: "ceo@bank.example <ann@a.example>', "unreadable", []],
  ["From: ann@[192.0.2.1]", "unreadable", []],
  ["From: <ann@a.example@b.example>", "unreadable", []],
  ["From: <ann@a.example> <bob@b.example>", "unreadable", []],
  ["From: ann@a.example bob@b.example", "unreadable", []],
  ["From: ann@[192.0.2.1], <bob@a.example>", "unreadable", ["a.example"]],
  ["From: ann@a..example", "unreadable", []],
  [`From: ann@${"a".repeat(64)}.example`, "unreadable", []],
  [`From: ann@${"a.".repeat(130)}example`, "unreadable", []],
  ["From: ann@a.exam\u0000ple", "unreadable", []],
  ["From: ann@a.example\r\ngarbage@b.example", "unreadable", []],
];
for (const [fields, kind, domains] of none) {
  test(`${JSON.stringify(fields.slice(0, 80))} is ${kind}`, () => {
    assert.deepEqual(author(fields), { kind, domains });
  });
}

test("whatever it says, a domain is one that DNS may know", () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab.@<>"(),:;\\ \t[]é=?'), maxLength: 60 });
  fc.assert(
    fc.property(text, (value) => {
      const found = author(`From: ${value}`);
      const domains = found.kind === "domain" ? [found.domain] : found.domains;
      assert.ok(domains.every((domain) => /^[a-z0-9.-]+$/.test(domain)));
    }),
  );
});

test("a field of 100,000 characters is read in no time to speak of", () => {
  for (const char of ["(", "<", '"', "@", ",", ":", " ", "\\", "a@b.example,"]) {
    author(`From: ${char.repeat(Math.ceil(100_000 / char.length))}`);
  }
});
