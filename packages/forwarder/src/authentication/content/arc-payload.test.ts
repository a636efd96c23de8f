import assert from "node:assert/strict";
import { test } from "node:test";
import { arcPayload } from "./arc-payload.ts";

const LONG = Array.from({ length: 40 }, (_, at) => `dkim=pass header.d=d${at}.example;`).join(" ");

test("one line is folded at its blanks, and nothing else is changed", () => {
  const payload = arcPayload("mx.example", LONG);
  const field = `ARC-Authentication-Results: i=50; ${payload}`;
  for (const line of field.split("\r\n")) assert.ok(line.length <= 78, line);
  assert.equal(payload.replaceAll("\r\n", ""), `mx.example; ${LONG}`);
});

test("what is folded already stays as it is", () => {
  assert.equal(arcPayload("mx.example", "spf=pass;\r\n\tdkim=pass"), "mx.example; spf=pass;\r\n\tdkim=pass");
});

for (const wrong of ["spf=pass\r\nX-Other: y", "spf=pass\n dkim=pass", "spf=pass\r", "spf=\0pass", "a\r\n"]) {
  test(`${JSON.stringify(wrong)} would end the field`, () => {
    assert.throws(() => arcPayload("mx.example", wrong), /not folded/);
  });
}
