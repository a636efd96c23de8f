import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReply } from "@homing/mail";
import type { ForwarderEvent } from "../events.ts";
import { createLogInDesk } from "./log-in-desk.ts";
import type { LogIn, Submitter } from "./submission-policy.ts";
import { LogInUnavailable } from "./unavailable.ts";

const submitter: Submitter = { name: "Alice", sender: () => Promise.reject(new Error("not asked")) };

function desk(
  policy?: (login: LogIn) => Promise<Submitter | undefined>,
  keyed?: (login: LogIn) => Promise<Submitter | undefined>,
) {
  const events: ForwarderEvent[] = [];
  const asked: string[] = [];
  let now = 1_800_000_000;
  const logIn = createLogInDesk({
    policy: {
      async logIn(login) {
        asked.push(login.name);
        if (policy) return await policy(login);
        return login.password === "secret" ? submitter : undefined;
      },
      ...(keyed ? { keyed } : {}),
    },
    now: () => now,
    report: (event) => events.push(event),
    limits: {
      perNetwork: { burst: 2, perHour: 60 },
      perName: { burst: 3, perHour: 60 },
      perPair: { burst: 1, perHour: 1 },
      perKnown: { burst: 2, perHour: 60 },
    },
  });
  const attempt = async (password: string, name = "alice", clientAddress = "192.0.2.1"): Promise<string> => {
    const outcome = await logIn({ session: "s1", name, password, clientAddress });
    return outcome.kind === "in" ? outcome.submitter.name : renderReply(outcome.reply);
  };
  return { attempt, events, asked, pass: (seconds: number) => (now += seconds) };
}

const WRONG = "535 5.7.8 name or password is wrong";
const LATER = "454 4.7.0 log-ins are not looked at just now, try again later";

test("an unknown name and a wrong password get the same words, and the log has network and name, never a password", async () => {
  const { attempt, events } = desk();
  assert.equal(await attempt("pw-1", "nobody"), WRONG);
  assert.equal(await attempt("pw-2", "alice", "192.0.2.2"), WRONG);
  assert.equal(await attempt("secret", "alice", "2001:db8::1"), "Alice");
  assert.deepEqual(events, [
    { event: "log-in-failed", session: "s1", client: "192.0.2.1", user: "nobody", reason: "wrong" },
    { event: "log-in-failed", session: "s1", client: "192.0.2.2", user: "alice", reason: "wrong" },
    { event: "logged-in", session: "s1", client: "2001:db8::1", user: "alice" },
  ]);
  assert.doesNotMatch(JSON.stringify(events), /pw-|secret/);
});

test("over its budget nobody's password is looked at, the right one neither, and one alarm a minute tells", async () => {
  const { attempt, events, asked, pass } = desk();
  assert.deepEqual([await attempt("a"), await attempt("b"), await attempt("secret")], [WRONG, WRONG, LATER]);
  assert.equal(asked.length, 2);
  const alarms = () => events.filter(({ event }) => event === "log-in-guessing");
  assert.deepEqual(alarms(), [
    { event: "log-in-guessing", budget: "network", network: "192.0.2.1", user: "alice" },
  ]);
  await attempt("c");
  assert.equal(alarms().length, 1);
  pass(61);
  assert.equal(await attempt("secret"), "Alice", "a minute gives one back");
});

test("a name that many clients guess gets the same answer, whether somebody has it or not", async () => {
  for (const name of ["alice", "nobody"]) {
    const { attempt, events } = desk();
    const replies: string[] = [];
    for (const last of [1, 2, 3, 3, 4, 4]) replies.push(await attempt("x", name, `192.0.2.${last}`));
    assert.deepEqual(replies, [WRONG, WRONG, WRONG, LATER, WRONG, LATER]);
    const alarms = events.filter(({ event }) => event === "log-in-guessing");
    const alarm = { event: "log-in-guessing", budget: "name", network: "192.0.2.3", user: name };
    assert.deepEqual(alarms, [alarm]);
  }
});

test("names of different case are one name, and those of one IPv6 network one client", async () => {
  const { attempt } = desk();
  assert.equal(await attempt("x", "Alice", "2001:db8::1"), WRONG);
  assert.equal(await attempt("x", "bob", "2001:db8::2"), WRONG);
  assert.equal(await attempt("x", "carol", "2001:db8::3"), LATER);
  const names = desk();
  for (const [last, name] of ["alice", "ALICE", "aLice"].entries())
    assert.equal(await names.attempt("x", name, `192.0.2.${last}`), WRONG);
  assert.equal(await names.attempt("x", "alicE", "192.0.2.2"), LATER);
});

test("a key that nobody guesses is looked at first: no budget keeps its owner out", async () => {
  const site: Submitter = { ...submitter, name: "cards" };
  const { attempt, asked, events } = desk(undefined, async ({ name, password }) =>
    name === "cards" && password === "key" ? site : undefined,
  );
  for (let count = 0; count < 5; count++) await attempt("wrong", "cards");
  assert.equal(await attempt("wrong", "cards"), LATER);
  assert.equal(await attempt("key", "cards"), "cards");
  assert.equal(asked.length, 2, "the wrong ones alone, and within the budget");
  const last = { event: "logged-in", session: "s1", client: "192.0.2.1", user: "cards" };
  assert.deepEqual(events.at(-1), last);
});

test("what cannot be known now is 454, costs no guess, and the log says why", async () => {
  const { attempt, events } = desk(() => Promise.reject(new LogInUnavailable("Dovecot: no answer")));
  for (let count = 0; count < 5; count++) assert.equal(await attempt("secret"), LATER);
  assert.deepEqual(events[0], {
    event: "log-in-failed",
    session: "s1",
    client: "192.0.2.1",
    user: "alice",
    reason: "unavailable",
    cause: "Dovecot: no answer",
  });
  const broken = desk(() => Promise.reject(new Error("a bug")));
  assert.equal(await broken.attempt("secret"), LATER);
  assert.equal(broken.events[0]?.event, "error");
});

test("a huge name is wrong, is never asked for, and is cut in the log", async () => {
  const { attempt, events, asked } = desk();
  assert.equal(await attempt("secret", "x".repeat(5000)), WRONG);
  assert.deepEqual(asked, []);
  assert.ok(JSON.stringify(events).length < 300);
});
