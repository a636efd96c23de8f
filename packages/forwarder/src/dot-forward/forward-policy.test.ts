import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReply } from "@homing/mail";
import { createForwardPolicy } from "./forward-policy.ts";
import type { ForwardAnswer } from "./forward-reader.ts";

const HOUR = 3600;
const UNSAFE: ForwardAnswer = { kind: "unsafe", path: "~/.forward", why: "writable" };
const UNPARSABLE: ForwardAnswer = {
  kind: "unparsable",
  problems: [{ file: "~/.forward", line: 2, column: 3, message: "wrong" }],
};
const UNAVAILABLE: ForwardAnswer = { kind: "unavailable", cause: "~/.forward: EIO open" };
const TARGETS: ForwardAnswer = { kind: "targets", targets: [{ kind: "name", name: "bob" }] };

for (const [answer, fault] of [
  [UNSAFE, "~/.forward: writable"],
  [UNPARSABLE, "~/.forward:2:3: wrong"],
] as const) {
  for (const choice of ["next-route", "refuse"] as const) {
    test(`a file that is ${answer.kind} defers for 4 hours with an alarm, then the choice ${choice} counts`, () => {
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
      assert.equal(last.kind, choice === "refuse" ? "refuse" : "no-file");
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
    assert.equal(verdict.cause, "~/.forward: EIO open");
  }
  assert.equal(policy.judge("alice", UNSAFE, 4 * HOUR).kind, "refuse");
});

for (const healed of [TARGETS, { kind: "none" }, { kind: "no-user" }] as const) {
  test(`a file that was repaired (${healed.kind}) begins its four hours anew when it is wrong again`, () => {
    const policy = createForwardPolicy({ choice: "refuse" });
    policy.judge("alice", UNSAFE, 0);
    policy.judge("alice", healed, HOUR);
    assert.equal(policy.judge("alice", UNSAFE, 4 * HOUR).kind, "defer");
  });
}

test("a wrong file that was not met for a day may be another mistake: its four hours begin anew", () => {
  const DAY = 24 * HOUR;
  const policy = createForwardPolicy({ choice: "refuse" });
  assert.equal(policy.judge("alice", UNSAFE, 0).kind, "defer");
  for (const now of [DAY, 2 * DAY]) assert.equal(policy.judge("alice", UNSAFE, now).kind, "refuse");
  assert.equal(policy.judge("alice", UNSAFE, 3 * DAY + 1).kind, "defer");
  assert.equal(policy.judge("alice", UNSAFE, 30 * DAY).kind, "defer");
  assert.equal(policy.judge("alice", UNSAFE, 30 * DAY + 4 * HOUR).kind, "refuse");
});

test("targets are handed on; an empty file counts as none; a user without a file is not nobody", () => {
  const policy = createForwardPolicy({ choice: "refuse" });
  assert.deepEqual(policy.judge("alice", TARGETS, 0), TARGETS);
  assert.deepEqual(policy.judge("alice", { kind: "none" }, 0), { kind: "no-file" });
  assert.deepEqual(policy.judge("alice", { kind: "targets", targets: [] }, 0), { kind: "no-file" });
  assert.deepEqual(policy.judge("alice", { kind: "no-user" }, 0), { kind: "no-user" });
});

test("beyond the bound, the user who was first is forgotten, and no other", () => {
  const policy = createForwardPolicy({ choice: "refuse", maxUsers: 2 });
  for (const [at, user] of ["a", "b", "a", "c"].entries()) policy.judge(user, UNSAFE, at);
  assert.equal(policy.judge("b", UNSAFE, 1 + 4 * HOUR).kind, "refuse");
  assert.equal(policy.judge("c", UNSAFE, 3 + 4 * HOUR).kind, "refuse");
  assert.equal(policy.judge("a", UNSAFE, 4 * HOUR).kind, "defer");
});
