import assert from "node:assert/strict";
import { test } from "node:test";
import { conventionsOf, exitCode, outcomeOf, type PipeOutcome } from "./conventions.ts";

const codes: readonly [outcome: PipeOutcome, qmail: number, sysexits: number][] = [
  [{ kind: "done" }, 0, 0],
  [{ kind: "done-stop" }, 99, 0],
  [{ kind: "retry" }, 111, 75],
  [{ kind: "hard", code: 65 }, 100, 65],
  [{ kind: "hard", code: 67 }, 100, 67],
  [{ kind: "hard", code: 69 }, 100, 69],
];

for (const [outcome, qmail, sysexits] of codes) {
  test(`${JSON.stringify(outcome)} is ${qmail} to qmail and ${sysexits} to others`, () => {
    assert.equal(exitCode(outcome, "qmail"), qmail);
    assert.equal(exitCode(outcome, "sysexits"), sysexits);
  });
}

const ends: readonly [code: number | null, outcome: PipeOutcome][] = [
  [0, { kind: "done" }],
  [65, { kind: "hard", code: 65 }],
  [67, { kind: "hard", code: 67 }],
  [68, { kind: "hard", code: 68 }],
  [69, { kind: "hard", code: 69 }],
  [77, { kind: "hard", code: 77 }],
  [100, { kind: "hard", code: 69 }],
  [75, { kind: "retry" }],
  [111, { kind: "retry" }],
  [64, { kind: "retry" }],
  [78, { kind: "retry" }],
  [70, { kind: "retry" }],
  [1, { kind: "retry" }],
  [127, { kind: "retry" }],
  [null, { kind: "retry" }],
];

for (const [code, outcome] of ends) {
  test(`a sendmail program that ends with ${code ?? "a signal"}: ${outcome.kind}`, () => {
    assert.deepEqual(outcomeOf(code), outcome);
  });
}

test("qmail is told by the two variables that only qmail-local sets", () => {
  assert.equal(conventionsOf({ RPLINE: "Return-Path: <>\n", DTLINE: "Delivered-To: a@x\n" }), "qmail");
  assert.equal(conventionsOf({ DTLINE: "x" }), "sysexits");
  assert.equal(conventionsOf({}), "sysexits");
});
