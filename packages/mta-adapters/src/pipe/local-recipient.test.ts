import assert from "node:assert/strict";
import { test } from "node:test";
import { type LocalVariables, localRecipient } from "./local-recipient.ts";

const NOTHING = { deliveredNow: [], deliveredBefore: [] };
const ALICE = "alice@home.example";
const sysexits = { conventions: "sysexits" } as const;
const qmail = { conventions: "qmail" } as const;
const QMAIL_ALICE: LocalVariables = { RECIPIENT: ALICE, DTLINE: `Delivered-To: ${ALICE}\n` };

test("a delivery that wrote no Delivered-To gets one", () => {
  const found = localRecipient({ RECIPIENT: ALICE }, NOTHING, sysexits);
  assert.deepEqual(found, { kind: "recipient", alias: ALICE, deliveredTo: `Delivered-To: ${ALICE}` });
});

test("a delivery that wrote it, as Postfix does, gets no second one", () => {
  const found = localRecipient({ RECIPIENT: ALICE }, { ...NOTHING, deliveredNow: [ALICE] }, sysexits);
  assert.deepEqual(found, { kind: "recipient", alias: ALICE });
});

test("without an environment, as under procmail, the field on top says whose it is", () => {
  const found = localRecipient({}, { ...NOTHING, deliveredNow: [ALICE] }, sysexits);
  assert.deepEqual(found, { kind: "recipient", alias: ALICE });
});

test("with neither of them, nobody is named and nothing is added", () => {
  assert.deepEqual(localRecipient({}, NOTHING, sysexits), { kind: "recipient" });
});

test("the alias is what the sender wrote, where Postfix tells it; an option is before that", () => {
  const variables = { RECIPIENT: ALICE, ORIGINAL_RECIPIENT: "sales@club.example" };
  const top = { ...NOTHING, deliveredNow: [ALICE] };
  assert.deepEqual(localRecipient(variables, top, sysexits), {
    kind: "recipient",
    alias: "sales@club.example",
  });
  assert.deepEqual(localRecipient(variables, top, { ...sysexits, alias: "x@club.example" }), {
    kind: "recipient",
    alias: "x@club.example",
  });
});

test("qmail's own line is what is added", () => {
  assert.deepEqual(localRecipient(QMAIL_ALICE, NOTHING, qmail), {
    kind: "recipient",
    alias: ALICE,
    deliveredTo: `Delivered-To: ${ALICE}`,
  });
});

test("a message that was here before is a loop, in whatever case", () => {
  const top = { deliveredNow: [ALICE], deliveredBefore: ["other@x.example", "Alice@Home.EXAMPLE"] };
  assert.deepEqual(localRecipient({ RECIPIENT: ALICE }, top, sysexits), { kind: "loop", address: ALICE });
});

test("under qmail, the field on top is from before, too", () => {
  const found = localRecipient(QMAIL_ALICE, { ...NOTHING, deliveredNow: [ALICE] }, qmail);
  assert.deepEqual(found, { kind: "loop", address: ALICE });
});

test("a variable of two lines adds no header field", () => {
  const found = localRecipient({ RECIPIENT: "a@x.example\nBcc: b@y.example" }, NOTHING, sysexits);
  assert.deepEqual(found, { kind: "recipient" });
});
