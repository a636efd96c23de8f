import assert from "node:assert/strict";
import { test } from "node:test";
import type { BounceKind, BounceReport } from "@homing/bounce-handler";
import { verdictOf } from "./verdict.ts";

const KINDS: readonly BounceKind[] = ["dsn", "bounce", "auto-reply", "arf", "mdn", "not-a-bounce"];
const LIMIT = 256 * 1024;

function judged(kind: BounceKind, isAnswer: boolean, takes: boolean, octets = 1000): string {
  const report: BounceReport = {
    kind,
    reportingMta: undefined,
    originalEnvelopeId: undefined,
    arrivalDate: undefined,
    recipients: [],
    returned: undefined,
    named: [],
    autoSubmitted: undefined,
    truncated: false,
  };
  const settings = { autoReplies: takes ? "forward" : "refuse" } as const;
  const verdict = verdictOf({ report, octets, isAnswer, settings });
  return verdict.kind === "refuse" ? `${verdict.reply.code} ${verdict.reason}` : verdict.kind;
}

const rows: [what: string, isAnswer: boolean, takes: boolean, verdicts: readonly string[]][] = [
  [
    "with the null path, to an alias that takes no answers",
    false,
    false,
    ["return", "return", "550 auto-reply", "550 arf", "550 mdn", "550 not-a-bounce"],
  ],
  [
    "with the null path, to an alias that takes answers",
    false,
    true,
    ["return", "return", "answer", "answer", "answer", "550 not-a-bounce"],
  ],
  [
    "with a sender, to an alias that took answers at RCPT and does no more",
    true,
    false,
    ["550 dsn", "550 bounce", "550 auto-reply", "550 arf", "550 mdn", "550 not-a-bounce"],
  ],
  [
    "with a sender, to an alias that takes answers",
    true,
    true,
    ["answer", "answer", "answer", "answer", "answer", "550 not-a-bounce"],
  ],
];
for (const [what, isAnswer, takes, verdicts] of rows) {
  test(`what comes ${what} is judged by its kind`, () => {
    assert.deepEqual(
      KINDS.map((kind) => judged(kind, isAnswer, takes)),
      verdicts,
    );
  });
}

test("only answers have a greatest length", () => {
  assert.equal(judged("auto-reply", true, true, LIMIT), "answer");
  assert.equal(judged("auto-reply", true, true, LIMIT + 1), "552 answer-too-long");
  assert.equal(judged("dsn", false, true, LIMIT + 1), "return");
});
