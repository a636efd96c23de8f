import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReply, renderReply } from "./reply.ts";

const replies: [raw: string, code: number, enhanced: string, text: string][] = [
  ["250 2.0.0 queued as 1A2B", 250, "2.0.0", "queued as 1A2B"],
  ["550 5.1.1 <x@y>: no such user", 550, "5.1.1", "<x@y>: no such user"],
  ["550-5.7.26 first\r\n550 5.7.26 second", 550, "5.7.26", "first second"],
  ["550 no such user", 550, "5.0.0", "no such user"],
  ["451 5.1.1 contradicts itself", 451, "4.0.0", "contradicts itself"],
  ["552", 552, "5.0.0", ""],
  ["554 5.1.1234 too many digits", 554, "5.0.0", "5.1.1234 too many digits"],
];
for (const [raw, code, enhanced, text] of replies) {
  test(`the reply ${JSON.stringify(raw)} is ${code} ${enhanced}`, () => {
    assert.deepEqual(parseReply(raw), { code, enhanced, text });
  });
}

test("what is no reply is not taken for one", () => {
  for (const raw of ["", "hello", "25", "1234 x", "650 x"]) assert.equal(parseReply(raw), undefined, raw);
});

test("a reply is rendered with its enhanced code", () => {
  assert.equal(renderReply({ code: 550, enhanced: "5.7.1", text: "no" }), "550 5.7.1 no");
});
