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

const filtered: readonly [what: string, variables: LocalVariables, top: object, alias: string | undefined][] =
  [
    [
      "the fields on top say what Postfix filtered out of its variables",
      { RECIPIENT: "o_brien@home.example", ORIGINAL_RECIPIENT: "o_brien@club.example" },
      { deliveredNow: ["o'brien@home.example"], originalTo: "o'brien@club.example" },
      "o'brien@club.example",
    ],
    [
      "without X-Original-To, Delivered-To does",
      { RECIPIENT: "o_brien@home.example", ORIGINAL_RECIPIENT: "o_brien@home.example" },
      { deliveredNow: ["o'brien@home.example"] },
      "o'brien@home.example",
    ],
    [
      "a _ that no field explains may be any character: no alias is named",
      { RECIPIENT: "bob@home.example", ORIGINAL_RECIPIENT: "o_brien@club.example" },
      { deliveredNow: ["bob@home.example"] },
      undefined,
    ],
    [
      "a field that is somebody else's says nothing",
      { RECIPIENT: ALICE, ORIGINAL_RECIPIENT: "sales@club.example" },
      { deliveredNow: [ALICE], originalTo: "eve@club.example" },
      "sales@club.example",
    ],
    ["other servers than Postfix filter nothing", { RECIPIENT: "a_b@home.example" }, {}, "a_b@home.example"],
    [
      "without an environment, as under procmail, X-Original-To is the alias",
      {},
      { deliveredNow: [ALICE], originalTo: "sales@club.example" },
      "sales@club.example",
    ],
    [
      "of UTF-8, each octet was filtered",
      { RECIPIENT: "j__rg@home.example", ORIGINAL_RECIPIENT: "j__rg@home.example" },
      { deliveredNow: ["jörg@home.example"] },
      "jörg@home.example",
    ],
  ];
for (const [what, variables, top, alias] of filtered) {
  test(what, () => {
    const found = localRecipient(variables, { ...NOTHING, ...top }, sysexits);
    assert.equal(found.kind === "recipient" ? found.alias : "loop", alias);
  });
}

test("a user whose name Postfix filters gets no second Delivered-To", () => {
  const top = { ...NOTHING, deliveredNow: ["o'brien@home.example"] };
  const found = localRecipient({ RECIPIENT: "o_brien@home.example" }, top, sysexits);
  assert.deepEqual(found, { kind: "recipient", alias: "o'brien@home.example" });
  const loop = { ...top, deliveredBefore: ["o'brien@home.example"] };
  assert.equal(localRecipient({ RECIPIENT: "o_brien@home.example" }, loop, sysexits).kind, "loop");
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
