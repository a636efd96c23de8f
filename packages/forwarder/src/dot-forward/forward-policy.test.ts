import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReply } from "@homing/mail";
import { createForwardPolicy } from "./forward-policy.ts";
import type { ForwardAnswer } from "./forward-reader.ts";

const HOUR = 3600;
const UNSAFE: ForwardAnswer = { kind: "unsafe", path: "/home/alice/.forward", why: "writable" };
const UNPARSABLE: ForwardAnswer = {
  kind: "unparsable",
  problems: [{ file: ".forward", line: 2, column: 3, message: "wrong" }],
};
const UNAVAILABLE: ForwardAnswer = { kind: "unavailable", cause: "/home/alice/.forward: EIO" };
const TARGETS: ForwardAnswer = { kind: "targets", targets: [{ kind: "name", name: "bob" }] };

for (const [answer, fault] of [
  [UNSAFE, "/home/alice/.forward: writable"],
  [UNPARSABLE, ".forward:2:3: wrong"],
] as const) {
  for (const choice of ["next-route", "refuse"] as const) {
    test(`a file that is ${answer.kind} defers for 4 hours with an alarm, then it is ${choice}`, () => {
      const policy = createForwardPolicy({ choice });
      const alarm = { user: "alice", faults: [fault], firstSeen: 1_000, until: 1_000 + 4 * HOUR };
      for (const now of [1_000, 1_000 + HOUR, 1_000 + 4 * HOUR - 1]) {
        const verdict = policy.judge("alice", answer, now);
        assert.ok(verdict.kind === "defer");
        assert.match(renderReply(verdict.reply), /^451 4\.3\.5 /);
        assert.doesNotMatch(verdict.reply.text, /alice|forward:/);
        assert.deepEqual(verdict.alarm, alarm);
      }
      const last = policy.judge("alice", answer, 1_000 + 4 * HOUR);
      assert.equal(last.kind, choice);
      assert.ok("alarm" in last);
      assert.deepEqual(last.alarm, alarm);
      if (last.kind === "refuse") assert.match(renderReply(last.reply), /^550 5\.3\.5 /);
      assert.equal(policy.judge("bob", answer, 1_000 + 4 * HOUR).kind, "defer");
    });
  }
}

test("a file that cannot be read is 451 4.3.0 however long, and does not set the four hours back", () => {
  const policy = createForwardPolicy({ choice: "refuse" });
  policy.judge("alice", UNSAFE, 0);
  for (const now of [HOUR, 100 * HOUR]) {
    const verdict = policy.judge("alice", UNAVAILABLE, now);
    assert.ok(verdict.kind === "unavailable");
    assert.match(renderReply(verdict.reply), /^451 4\.3\.0 /);
    assert.equal(verdict.cause, "/home/alice/.forward: EIO");
  }
  assert.equal(policy.judge("alice", UNSAFE, 4 * HOUR).kind, "refuse");
});

for (const healed of [TARGETS, { kind: "none" } as const]) {
  test(`a file that was repaired (${healed.kind}) begins its four hours anew when it is wrong again`, () => {
    const policy = createForwardPolicy({ choice: "refuse" });
    policy.judge("alice", UNSAFE, 0);
    policy.judge("alice", healed, HOUR);
    assert.equal(policy.judge("alice", UNSAFE, 4 * HOUR).kind, "defer");
  });
}

test("targets are handed on; no file and an empty file are the next route", () => {
  const policy = createForwardPolicy({ choice: "refuse" });
  assert.deepEqual(policy.judge("alice", TARGETS, 0), TARGETS);
  assert.deepEqual(policy.judge("alice", { kind: "none" }, 0), { kind: "next-route" });
  assert.deepEqual(policy.judge("alice", { kind: "targets", targets: [] }, 0), { kind: "next-route" });
});

test("beyond the bound, the user who was first is forgotten, and no other", () => {
  const policy = createForwardPolicy({ choice: "refuse", maxUsers: 2 });
  for (const [at, user] of ["a", "b", "a", "c"].entries()) policy.judge(user, UNSAFE, at);
  assert.equal(policy.judge("b", UNSAFE, 1 + 4 * HOUR).kind, "refuse");
  assert.equal(policy.judge("c", UNSAFE, 3 + 4 * HOUR).kind, "refuse");
  assert.equal(policy.judge("a", UNSAFE, 4 * HOUR).kind, "defer");
});
