// What the sender of mail in the queue hears of it, and what he does not.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { DiagnosticPolicy } from "@homing/bounce-handler";
import { NULL_PATH } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import { QUEUE_TIMES } from "./next-step.ts";
import {
  ALIAS,
  DAY,
  DELIVERED,
  type Given,
  LATER,
  message,
  NEVER,
  OWNER,
  type SceneOptions,
  START,
  scene,
} from "./testing/queue-scene.ts";

test("a refusal comes back to the sender as a DSN about the alias, and names neither target nor the hop's words", async (t) => {
  const { queue, spool, served, events, attempts } = await scene(t, ({ target }) =>
    target === "bob@origin.test" ? DELIVERED : NEVER,
  );
  await queue.take(message(["private@home.test"]));
  await attempts(2);
  const dsn = served[1];
  assert.equal(dsn?.target, "bob@origin.test");
  assert.equal(dsn?.from, "");
  assert.match(
    dsn?.text ?? "",
    /\r\nFinal-Recipient: rfc822; alice@ours\.test\r\nAction: failed\r\nStatus: 5\.2\.2\r\n/,
  );
  assert.doesNotMatch(dsn?.text ?? "", /private|home\.test|secret words/);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  assert.deepEqual(
    events.filter(({ event }) => event === "dsn"),
    [{ event: "dsn", id: "dsn1", about: "m1", to: "bob@origin.test", action: "failed" }],
  );
});

const nobody: [what: string, changed: Given][] = [
  ["the null sender", { sender: NULL_PATH }],
  ["a sender who may be forged", { notify: { kind: "nobody" } }],
];
for (const [what, changed] of nobody) {
  test(`a refusal of mail from ${what} makes no DSN`, async (t) => {
    const { queue, spool, events, attempts } = await scene(t, () => NEVER);
    await queue.take(message(["a@home.test"], changed));
    await attempts(1);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["given-up"],
    );
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  });
}

test("the owner of a list hears of its members' failures, and a DSN that fails makes none", async (t) => {
  const { queue, spool, served, attempts } = await scene(t, () => NEVER);
  await queue.take(message(["a@home.test"], { notify: { kind: "mailbox", mailbox: OWNER } }));
  await attempts(2);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["a@home.test", "owner@lists.test"],
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("after four hours the sender is told of the delay, once, and after four days of the failure", async (t) => {
  const { queue, spool, now, served, attempts, pass } = await scene(t, ({ target }) =>
    target === "bob@origin.test" ? DELIVERED : LATER,
  );
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  while (now() < START + QUEUE_TIMES.mail + 10) await pass(1800);
  const told = served.filter(({ target }) => target === "bob@origin.test");
  assert.deepEqual(
    told.map(({ text }) => /Action: (\w+)\r\nStatus: ([\d.]+)/.exec(text)?.slice(1)),
    [
      ["delayed", "4.2.1"],
      ["failed", "4.4.7"],
    ],
  );
  const [delay, failure] = told;
  assert.ok((delay?.at ?? 0) >= 4 * 3600 && (delay?.at ?? 0) < 6 * 3600, `told after ${delay?.at} s`);
  assert.ok((failure?.at ?? 0) >= 4 * DAY && (failure?.at ?? 0) < 4 * DAY + 3600, `after ${failure?.at} s`);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a sender whose address cannot be looked up now is told later", async (t) => {
  let away = true;
  const { queue, spool, served, events, attempts, pass } = await scene(
    t,
    ({ target }) => (target === "bob@origin.test" ? DELIVERED : NEVER),
    { leadsTo: async (mailbox) => (away ? "later" : [{ mailbox, stays: false }]) },
  );
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  away = false;
  await pass(400);
  await attempts(3);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["a@home.test", "a@home.test", "bob@origin.test"],
  );
  assert.ok(events.some(({ event }) => event === "dsn"));
});

test("a sender whose address cannot be looked up a day behind the end is told nothing, and the log says so", async (t) => {
  const { queue, spool, events, attempts, pass } = await scene(t, () => NEVER, {
    leadsTo: async () => "later",
  });
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  await pass(QUEUE_TIMES.mail + DAY - 600);
  await attempts(2);
  assert.deepEqual(events, []);
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  await pass(900);
  await attempts(3);
  const names = { id: "m1", target: "a@home.test" };
  assert.deepEqual(events, [
    { event: "given-up", ...names, attempts: 3, enhanced: "5.2.2" },
    { event: "nobody-told", ...names, to: "bob@origin.test" },
  ]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a sender whose address takes no mail is told nothing, and the log says so", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => NEVER, { leadsTo: async () => [] });
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["given-up", "nobody-told"],
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

/** What reached the sender, as actions, of mail that takes a day and is then refused, or taken. */
async function toldOfSlowMail(t: TestContext, given: Given, last: Delivery): Promise<readonly string[]> {
  const { queue, spool, now, served, attempts, pass } = await scene(t, ({ target, at }) => {
    if (target === "bob@origin.test") return DELIVERED;
    return at < DAY / 4 ? LATER : last;
  });
  await queue.take(message(["a@home.test"], given));
  await attempts(1);
  while (now() < START + DAY / 4 + 7200) await pass(1800);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  const told = served.filter(({ target }) => target === "bob@origin.test");
  return told.map(({ text }) => /^Action: (\w+)\r$/m.exec(text)?.[1] ?? "");
}

const notified: [notify: RcptDsn["notify"], refused: readonly string[], taken: readonly string[]][] = [
  [undefined, ["delayed", "failed"], ["delayed"]],
  ["never", [], []],
  [["failure"], ["failed"], []],
  [["delay"], ["delayed"], ["delayed"]],
  [["success"], [], ["relayed"]],
  [
    ["success", "failure", "delay"],
    ["delayed", "failed"],
    ["delayed", "relayed"],
  ],
  // The alias was expanded, and that was told.
  [[], [], []],
];
for (const [notify, refused, taken] of notified) {
  const rcptDsn = notify === undefined ? { orcpt: "rfc822;x@y.test" } : { notify };
  test(`NOTIFY ${notify ?? "absent"}: of mail that is refused the sender hears ${refused.join(", ") || "nothing"}`, async (t) => {
    assert.deepEqual(await toldOfSlowMail(t, { rcptDsn }, NEVER), refused);
  });
  test(`NOTIFY ${notify ?? "absent"}: of mail that is taken the sender hears ${taken.join(", ") || "nothing"}`, async (t) => {
    assert.deepEqual(await toldOfSlowMail(t, { rcptDsn }, DELIVERED), taken);
  });
}

/** The DSN about mail of Bob's to one target. */
async function dsnAbout(
  t: TestContext,
  given: Given,
  outcome: Delivery,
  options: SceneOptions = {},
): Promise<string> {
  const { queue, served, attempts } = await scene(
    t,
    ({ target }) => (target === "a@home.test" ? outcome : DELIVERED),
    options,
  );
  await queue.take(message(["a@home.test"], given));
  await attempts(2);
  return served[1]?.text ?? "";
}

test("a DSN has the sender's own names for the message and the recipient", async (t) => {
  const given = { dsn: { envid: "Q+2B1" }, rcptDsn: { orcpt: "rfc822;Al+2Bx@ours.test" } };
  const text = await dsnAbout(t, given, NEVER);
  assert.match(text, /^Original-Envelope-Id: Q\+1\r$/m);
  assert.match(
    text,
    /^Original-Recipient: rfc822; Al\+x@ours\.test\r\nFinal-Recipient: rfc822; alice@ours\.test\r$/m,
  );
});

test("without them it makes none up", async (t) => {
  assert.doesNotMatch(await dsnAbout(t, {}, NEVER), /Original-(?:Envelope|Recipient)/);
});

const SMALL = "the body\r\n";
const LARGE = "the body\r\n".repeat(7000);
const returned: [what: string, given: Given, outcome: Delivery, whole: boolean][] = [
  ["RET=FULL, and it failed", { dsn: { ret: "full" }, body: SMALL }, NEVER, true],
  ["RET=HDRS", { dsn: { ret: "hdrs" }, body: SMALL }, NEVER, false],
  ["no RET", { body: SMALL }, NEVER, false],
  ["RET=FULL, and it is larger than 64 KiB", { dsn: { ret: "full" }, body: LARGE }, NEVER, false],
  [
    "RET=FULL, and it was delivered",
    { dsn: { ret: "full" }, rcptDsn: { notify: ["success"] }, body: SMALL },
    DELIVERED,
    false,
  ],
];
for (const [what, given, outcome, whole] of returned) {
  test(`${what}: the ${whole ? "whole message" : "header alone"} comes back`, async (t) => {
    const text = await dsnAbout(t, given, outcome);
    assert.match(text, /\r\nSubject: x\r\n/);
    assert.equal(text.includes("the body"), whole);
    assert.equal(text.includes("Content-Type: message/rfc822\r\n"), whole);
  });
}

const REPLY = { code: 550, enhanced: "5.2.2" };
const diagnostics: [what: string, outcome: Delivery, policy: DiagnosticPolicy | undefined, line: string][] = [
  ["a server said so", { ...NEVER, reply: REPLY }, undefined, "smtp; 550 5.2.2"],
  [
    "a server said so without an enhanced code",
    { ...NEVER, reply: { code: 554, enhanced: "5.0.0" } },
    "code",
    "smtp; 554",
  ],
  ["it may not be told", { ...NEVER, reply: REPLY }, "none", ""],
  ["its words may not be told either", { ...NEVER, reply: REPLY }, "redacted", "smtp; 550 5.2.2"],
  ["no server said so", NEVER, "code", ""],
];
for (const [what, outcome, policy, line] of diagnostics) {
  test(`${what}: Diagnostic-Code is ${line || "not there"}`, async (t) => {
    const text = await dsnAbout(t, {}, outcome, policy ? { diagnostic: () => policy } : {});
    assert.equal(/^Diagnostic-Code: (.*)\r$/m.exec(text)?.[1] ?? "", line);
    assert.doesNotMatch(text, /secret words/);
  });
}

test("the words of a DSN fit what the next hop meant, and are ours", async (t) => {
  const spam: Delivery = { ...NEVER, enhanced: "5.7.1", detail: "550 5.7.1 blocked using secret.dnsbl.test" };
  const text = await dsnAbout(t, {}, spam);
  assert.match(text, /taken for spam/);
  assert.doesNotMatch(text, /secret|dnsbl/);
});

test("what the sender asked is not the owner's of a list: he hears of failures, without the sender's names", async (t) => {
  const given = {
    notify: { kind: "mailbox", mailbox: OWNER } as const,
    dsn: { envid: "Q1", ret: "full" as const },
    rcptDsn: { notify: "never" as const, orcpt: "rfc822;x@y.test" },
    body: SMALL,
  };
  const text = await dsnAbout(t, given, NEVER);
  assert.match(text, /^To: <owner@lists\.test>\r$/m);
  assert.doesNotMatch(text, /Q1|x@y\.test|the body/);
});

test("what went into our own mail store was delivered, and the DSN is served without delay", async (t) => {
  const stored: Delivery = { ...DELIVERED, stored: true };
  const { queue, spool, served, events, attempts } = await scene(t, () => stored);
  await queue.take(message(["a@ours.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(2);
  assert.match(served[1]?.text ?? "", /^Action: delivered\r\nStatus: 2\.1\.5\r$/m);
  assert.deepEqual(events, [
    { event: "dsn", id: "dsn1", about: "m1", to: "bob@origin.test", action: "delivered" },
  ]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a notice of success that cannot be made or kept is in the log, and whoever tells it hears no error", async (t) => {
  const recipient = {
    alias: ALIAS,
    reversePath: NULL_PATH,
    notify: { kind: "sender" },
    dsn: { notify: ["success"] },
  } as const;
  const broken = await scene(t, () => DELIVERED, {
    leadsTo: () => Promise.reject(new Error("a bug")),
  });
  await broken.queue.tell(message([]), recipient, "relayed");
  const closed = await scene(t, () => DELIVERED);
  await closed.spool.close();
  await closed.queue.tell(message([]), recipient, "relayed");
  const told = [broken, closed].map(({ events: [event] }) => (event?.event === "error" ? event.message : ""));
  assert.match(told[0] ?? "", /is not told: a bug$/);
  assert.match(told[1] ?? "", /is not told: the spool is closed$/);
});

test("mail that is taken is gone, also when its notice of success cannot be made", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => DELIVERED, {
    leadsTo: () => Promise.reject(new Error("a bug")),
  });
  await queue.take(message(["a@home.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(1);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["error"],
  );
});

test("mail that is taken is gone, also when its sender cannot be looked up to be told: the log says so", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => DELIVERED, {
    leadsTo: async () => "later",
  });
  await queue.take(message(["a@home.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(1);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  const [event] = events;
  assert.ok(event?.event === "error");
  assert.match(event.message, /^message m1 to alice@ours\.test is delivered, .* cannot be looked up now$/);
});
