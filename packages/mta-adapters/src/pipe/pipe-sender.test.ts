import assert from "node:assert/strict";
import { test } from "node:test";
import { type PipeSenderAsked, pipeSender } from "./pipe-sender.ts";

const NOBODY: PipeSenderAsked = {
  option: undefined,
  variable: undefined,
  conventions: "sysexits",
  top: {},
};
const top = { returnPath: "path@x.example", fromLine: "line@x.example" };

const senders: readonly [what: string, asked: Partial<PipeSenderAsked>, sender: string][] = [
  ["-f is before all else", { option: "f@x.example", variable: "v@x.example", top }, "f@x.example"],
  [
    "the message is before the variable, which Postfix filters",
    { variable: "v@x.example", top },
    "path@x.example",
  ],
  [
    "the mbox line, too",
    { variable: "o_brien@x.example", top: { fromLine: "o'brien@x.example" } },
    "o'brien@x.example",
  ],
  [
    "under qmail, the variable is before the message",
    { conventions: "qmail", variable: "v@x.example", top },
    "v@x.example",
  ],
  ["under qmail without it, the message", { conventions: "qmail", top }, "path@x.example"],
  ["the variable is the last resort", { variable: "v@x.example" }, "v@x.example"],
  ["an empty variable is the null sender", { variable: "" }, ""],
  ["an empty -f is the null sender", { option: "", variable: "v@x.example" }, ""],
  ["qmail's double bounce is the null sender", { variable: "#@[]" }, ""],
  ["brackets around nothing are the null sender", { option: "<>" }, ""],
  ["brackets around an address are not part of it", { option: "<f@x.example>" }, "f@x.example"],
  ["Return-Path is before the mbox line", { top }, "path@x.example"],
  ["a null Return-Path counts", { top: { ...top, returnPath: "" } }, ""],
  ["the mbox line is behind Return-Path", { top: { fromLine: "line@x.example" } }, "line@x.example"],
];

for (const [what, asked, sender] of senders) {
  test(`the sender: ${what}`, () => {
    assert.deepEqual(pipeSender({ ...NOBODY, ...asked }), { kind: "sender", sender });
  });
}

test("without any word of the sender there is none", () => {
  assert.deepEqual(pipeSender(NOBODY), { kind: "unknown" });
});

for (const sender of [
  "a@x.example\nforward b@y.example",
  "a\0@x.example",
  "a\u0085@x.example",
  "a".repeat(600),
]) {
  test(`what would be more than one line, or none that is read, is no sender: ${JSON.stringify(sender.slice(0, 20))}`, () => {
    assert.deepEqual(pipeSender({ ...NOBODY, option: sender }), { kind: "malformed" });
  });
}
