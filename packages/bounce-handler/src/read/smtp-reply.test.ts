import assert from "node:assert/strict";
import { test } from "node:test";
import { findReply, findStatus } from "./smtp-reply.ts";

const replies: readonly [
  text: string,
  code: number | undefined,
  enhanced: string | undefined,
  words: string,
][] = [
  ["550 5.1.1 unknown", 550, "5.1.1", "unknown"],
  ["550-5.1.1 first\n550 5.1.1 second", 550, "5.1.1", "first\n550 5.1.1 second"],
  ["550", 550, undefined, ""],
  ["250 Ok", 250, undefined, "Ok"],
  ["host mx[192.0.2.25] said: 552 5.2.2 full", 552, "5.2.2", "full"],
  ["host mx[192.0.2.25]:25 said: 451 busy", 451, undefined, "busy"],
  ["(reason: 556 no mail)", 556, undefined, "no mail)"],
  ["#550 5.1.10 RESOLVER ##", 550, "5.1.10", "RESOLVER ##"],
  ["550 (#5.1.1) unknown", 550, "5.1.1", ") unknown"],
  ["<<< 554 no", 554, undefined, "no"],
  ["after 450 seconds", undefined, undefined, ""],
  ["size 552 of 1000", undefined, undefined, ""],
  ["192.0.2.450 is no host, nor is 4.3.2.1", undefined, undefined, ""],
  ["it took 250 ms: fine", undefined, undefined, ""],
  ["x550 5.1.1", undefined, undefined, ""],
  ["5500 5.1.1", undefined, undefined, ""],
  ["", undefined, undefined, ""],
];
for (const [text, code, enhanced, words] of replies) {
  test(`the reply in ${JSON.stringify(text)} is ${code}, ${enhanced}`, () => {
    const reply = findReply(text);
    assert.deepEqual(reply, code === undefined ? undefined : { code, enhanced, text: words });
  });
}

const statuses: readonly [text: string, status: string | undefined][] = [
  ["5.1.1", "5.1.1"],
  ["no mailbox (#5.1.1)", "5.1.1"],
  ["<mx.example #5.7.26 smtp;550>", "5.7.26"],
  ["at 5.6.7.8", undefined],
  ["at 5.6.7.example", undefined],
  ["version 5.1.1a", undefined],
  ["v5.1.1", undefined],
  ["3.1.1", undefined],
  ["5.1", undefined],
  ["5.1.1234", undefined],
  ["it is 5.1.1.", "5.1.1"],
];
for (const [text, status] of statuses) {
  test(`the status in "${text}" is ${status}`, () => assert.equal(findStatus(text), status));
}
