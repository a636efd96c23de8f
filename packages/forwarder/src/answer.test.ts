import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { isPositive } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import fc from "fast-check";
import { answerFor } from "./answer.ts";
import type { Delivery } from "./deliver.ts";

const alias: Mailbox = { localPart: "alice", domain: "ours.test" };
const delivered: Delivery = { kind: "delivered", hop: "mx.private.test:25", detail: "queued" };

/** `550 5.1.1` */
function failed(codes: string): Delivery {
  const [code, enhanced = ""] = codes.split(" ");
  return { kind: "failed", code: Number(code), enhanced, hop: "mx.private.test:25", detail: "" };
}

function codes(deliveries: readonly Delivery[]): string {
  const { code, enhanced } = answerFor(alias, deliveries);
  return `${code} ${enhanced}`;
}

const OWN = "250 2.0.0";
const classes: [what: string, deliveries: Delivery[], answer: string][] = [
  ["one target took it", [delivered], OWN],
  ["one of three took it", [failed("550 5.1.1"), delivered, failed("451 4.2.0")], OWN],
  ["the only one refused", [failed("550 5.7.26")], "550 5.7.26"],
  ["the only one deferred", [failed("450 4.2.1")], "450 4.2.1"],
  ["all refused: the first is told", [failed("550 5.1.1"), failed("554 5.6.0")], "550 5.1.1"],
  ["some refused, one deferred: come again", [failed("550 5.1.1"), failed("451 4.7.1")], "451 4.7.1"],
  ["no target at all: come again", [], "451 4.3.5"],
];
for (const [what, deliveries, answer] of classes) {
  test(`${what}: ${answer}`, () => assert.equal(codes(deliveries), answer));
}

const carried: [given: string, told: string][] = [
  ["450 4.2.1", "450 4.2.1"],
  ["451 4.7.1", "451 4.7.1"],
  ["452 4.2.2", "452 4.2.2"],
  ["550 5.1.1", "550 5.1.1"],
  ["552 5.2.2", "552 5.2.2"],
  ["554 5.7.1", "554 5.7.1"],
  ["421 4.3.2", "451 4.3.2"],
  ["454 4.7.0", "451 4.7.0"],
  ["455 4.5.4", "451 4.5.4"],
  ["499 4.0.0", "451 4.0.0"],
  ["500 5.5.2", "550 5.5.2"],
  ["503 5.5.1", "550 5.5.1"],
  ["535 5.7.8", "550 5.7.8"],
  ["551 5.1.6", "550 5.1.6"],
  ["553 5.1.3", "550 5.1.3"],
  ["555 5.5.4", "550 5.5.4"],
  ["556 5.1.10", "550 5.1.10"],
  ["599 5.0.0", "550 5.0.0"],
];
for (const [given, told] of carried) {
  test(`the next hop's ${given} is told as ${told}`, () => assert.equal(codes([failed(given)]), told));
}

test("the words are ours and name the address that the client used", () => {
  assert.equal(answerFor(alias, [delivered]).text, "<alice@ours.test>: passed on");
  assert.equal(
    answerFor(alias, [failed("550 5.1.1")]).text,
    "<alice@ours.test>: the mailbox behind this address did not take the message",
  );
  assert.equal(
    answerFor(alias, [failed("451 4.7.1")]).text,
    "<alice@ours.test>: cannot be delivered just now, try again later",
  );
  assert.equal(
    answerFor({ localPart: "a b", domain: "ours.test" }, [delivered]).text,
    '<"a b"@ours.test>: passed on',
  );
});

test("nothing of the hop or of its words is in the answer, and its classes agree", () => {
  const delivery = fc
    .record({
      delivered: fc.boolean(),
      class: fc.constantFrom(4, 5),
      code: fc.nat(99),
      subject: fc.nat(999),
      detail: fc.nat(999),
    })
    .map((of): Delivery => {
      // What is private is told from everything else by being random.
      const words = {
        hop: `mx.${randomUUID()}.test:25`,
        detail: `<${randomUUID()}@${randomUUID()}.test> said no`,
      };
      if (of.delivered) return { kind: "delivered", ...words };
      return {
        kind: "failed",
        code: of.class * 100 + of.code,
        enhanced: `${of.class}.${of.subject}.${of.detail}`,
        ...words,
      };
    });
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 5 }), (deliveries) => {
      const reply = answerFor(alias, deliveries);
      for (const { hop, detail } of deliveries) {
        for (const word of `${hop} ${detail}`.match(/[0-9a-f-]{36}/g) ?? [])
          assert.ok(!reply.text.includes(word));
      }
      assert.equal(reply.enhanced.charAt(0), String(reply.code).charAt(0));
      assert.equal(
        isPositive(reply),
        deliveries.some(({ kind }) => kind === "delivered"),
      );
      assert.match(reply.text, /^<alice@ours\.test>: [ -~]+$/);
    }),
  );
});
