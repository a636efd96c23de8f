import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfResult } from "./spf.ts";
import { postmasterActions, SPF_ACTIONS, type SpfAction, spfVerdict } from "./spf-actions.ts";

const ENFORCED: readonly [SpfResult, SpfAction][] = [
  ["pass", "accept"],
  ["fail", "refuse"],
  ["softfail", "accept"],
  ["neutral", "accept"],
  ["none", "accept"],
  ["temperror", "defer"],
  ["permerror", "tag"],
];
for (const [result, action] of ENFORCED) {
  test(`${result} is to ${action} by default, and the verdict names its fault`, () => {
    const verdict = spfVerdict({ mode: "enforce", spf: SPF_ACTIONS }, { result });
    assert.deepEqual(verdict, result === "pass" ? { action } : { action, fault: `spf-${result}` });
  });
}

test("in mode tagOnly what is hard is tagged, and the verdict says what it would have been", () => {
  const rules = { mode: "tagOnly", spf: SPF_ACTIONS } as const;
  const told = (result: SpfResult) => spfVerdict(rules, { result });
  assert.deepEqual(told("fail"), { action: "tag", fault: "spf-fail", would: "refuse" });
  assert.deepEqual(told("temperror"), { action: "tag", fault: "spf-temperror", would: "defer" });
  assert.deepEqual(told("permerror"), { action: "tag", fault: "spf-permerror" });
  assert.deepEqual(told("softfail"), { action: "accept", fault: "spf-softfail" });
});

test("postmaster is not refused anything, and the rest stays as it is", () => {
  const actions = { ...SPF_ACTIONS, softfail: "refuse" } as const;
  assert.deepEqual(postmasterActions(actions), { ...SPF_ACTIONS, fail: "tag", softfail: "tag" });
});
