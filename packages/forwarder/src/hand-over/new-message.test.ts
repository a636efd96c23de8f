// What the spool is told of what a client asked of DSNs.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RcptDsn } from "../dsn-parameters.ts";
import { newMessage } from "./new-message.ts";
import { incoming, lead, T0 } from "./testing/mail.ts";

const TERMS = { now: T0, life: 100, mayTellSender: true };

const cases: [
  what: string,
  targets: number,
  asked: RcptDsn | undefined,
  terms: { readonly mayTellSender?: boolean; readonly sender?: "null" },
  kept: RcptDsn | undefined,
][] = [
  ["nothing asked", 1, undefined, {}, undefined],
  [
    "one target",
    1,
    { notify: ["success"], orcpt: "rfc822;x" },
    {},
    { notify: ["success"], orcpt: "rfc822;x" },
  ],
  ["several, whose success is told at once", 2, { notify: ["success", "delay"] }, {}, { notify: ["delay"] }],
  ["several, and success alone was asked for", 2, { notify: ["success"] }, {}, { notify: [] }],
  ["several, and never", 2, { notify: "never" }, {}, { notify: "never" }],
  ["several, and the recipient's name alone", 2, { orcpt: "rfc822;x" }, {}, { orcpt: "rfc822;x" }],
  ["a sender who may be forged", 1, { notify: ["success"] }, { mayTellSender: false }, undefined],
  ["the null sender", 1, { notify: ["success"] }, { sender: "null" }, undefined],
];
for (const [what, targets, asked, { sender, ...terms }, kept] of cases) {
  test(`${what}: kept is ${JSON.stringify(kept)}, and that the alias has ${targets}`, () => {
    const one = lead("alice@ours.test", targets, asked);
    const copies = one.copies.map((copy) => ({ lead: one, copy }));
    const message = newMessage(incoming([one], sender), copies, { ...TERMS, ...terms });
    for (const recipient of message.recipients) {
      assert.deepEqual(recipient.dsn, kept);
      assert.equal(recipient.targets, targets);
    }
    assert.equal(message.dsn?.envid, terms.mayTellSender === false ? undefined : "Q1");
  });
}

test("of an alias of several, the rest that is kept still knows how many they were", () => {
  const one = lead("alice@ours.test", 3, undefined);
  const [copy] = one.copies;
  assert.ok(copy);
  assert.equal(newMessage(incoming([one]), [{ lead: one, copy }], TERMS).recipients[0]?.targets, 3);
});
