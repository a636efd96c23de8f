import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticationResultsField } from "./authentication-results.ts";
import { readResults } from "./method-results.ts";

function read(value: string): readonly string[] | undefined {
  return readResults(value)?.map(({ method, result }) => `${method}=${result}`);
}

const values: [value: string, found: string[] | undefined][] = [
  ["mx.example; spf=pass smtp.mailfrom=a@b.example; dmarc=fail", ["spf=pass", "dmarc=fail"]],
  ["mx.example 1;\r\n\tSPF=Pass;\r\n\tdkim = pass (good) header.d=x;", ["spf=pass", "dkim=pass"]],
  ["mx.example; dkim/1=pass; dkim / 1 = fail", ["dkim=pass", "dkim=fail"]],
  ["mx.example; none", []],
  ["mx.example;", []],
  ["mx.example; spf=pass smtp.mailfrom=dmarc=pass@evil.example; dmarc=fail", ["spf=pass", "dmarc=fail"]],
  ['mx.example; spf=pass smtp.mailfrom="; dmarc=pass; "@evil.example', ["spf=pass"]],
  ['mx.example; spf=pass reason="\\"; dmarc=pass"', ["spf=pass"]],
  ["mx.example; (x; dmarc=pass (y;) \\)) spf=pass (; dkim=pass)", ["spf=pass"]],
  ["mx.example (; dmarc=pass); spf=fail", ["spf=fail"]],
  ["mx.example", undefined],
  ["", undefined],
  ['mx.example; spf=pass reason="; dmarc=fail', undefined],
  ["mx.example; spf=pass (; dmarc=fail", undefined],
  ["mx.example; spf=pass; what is this", undefined],
  ["mx.example; spf=pass; =pass", undefined],
  ["mx.example; dmarc=passed-on", undefined],
  ["mx.example; dmarc=pass.evil.example", undefined],
];
for (const [value, found] of values) {
  test(`${JSON.stringify(value)} says ${found?.join(", ") ?? "nothing that can be read"}`, () => {
    assert.deepEqual(read(value), found);
  });
}

test("what we write ourselves is read as it was meant, whatever its values are", () => {
  const field = authenticationResultsField({
    authservId: "mx.example",
    results: [
      {
        method: "spf",
        result: "softfail",
        mailfrom: '"; dmarc=pass (\\"@evil.example',
        reason: "a (b; dkim=pass",
      },
      { method: "dkim", result: "fail", domain: "x;dmarc=pass", signature: '"(' },
      { method: "dmarc", result: "fail", from: "dmarc=pass" },
    ],
  });
  assert.deepEqual(read(field.slice("Authentication-Results: ".length)), [
    "spf=softfail",
    "dkim=fail",
    "dmarc=fail",
  ]);
});

test("a hundred thousand semicolons, comments or quotes take no time", () => {
  for (const piece of [";", "(", '"', "\\", "()", "x=y;", "x /"])
    assert.doesNotThrow(() => readResults(`mx.example; ${piece.repeat(100_000)}`));
});
