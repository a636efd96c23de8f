// Every limit: its boundary, the end of its window, requests at the same time, and a restart.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageRequest } from "../on-behalf.ts";
import type { Problem } from "../problem.ts";
import type { SiteLimits } from "../site.ts";
import { DAY, type MessageScene, messageScene, START } from "../testing/message-scene.ts";

interface Case {
  readonly limits: Partial<SiteLimits>;
  readonly type: Problem["type"];
  readonly field?: string;
  /** The n-th request that counts. */
  readonly request: (n: number) => Partial<MessageRequest>;
  /** One that does not. */
  readonly other: Partial<MessageRequest>;
}

const to = (n: number) => [`friend${n}@example.net`];
const BRIEF = { profile: "transactional" } as const;
const CASES: Readonly<Record<string, Case>> = {
  user: {
    limits: { userPerDay: 3 },
    type: "limit-user",
    field: "onBehalfOf",
    request: (n) => ({ to: to(n), onBehalfOf: n % 2 === 0 ? "alice@example.org" : "Alice@EXAMPLE.org" }),
    other: { to: ["friend@example.net"], onBehalfOf: "carol@example.org" },
  },
  recipient: {
    limits: { recipientPerDay: 3 },
    type: "limit-recipient",
    field: "to[0]",
    request: (n) => ({ to: [["bob@example.net", "BOB@example.net", `bob+${n}@example.net`][n % 3] ?? ""] }),
    other: { to: ["dora@example.net"] },
  },
  visitor: {
    limits: { visitorPerDay: 3 },
    type: "limit-visitor",
    field: "visitorIp",
    request: (n) => ({ ...BRIEF, to: to(n), visitorIp: `2001:db8:1:2::${n + 1}` }),
    other: { ...BRIEF, to: ["dora@example.net"], visitorIp: "2001:db8:1:3::1" },
  },
  site: {
    limits: { sitePerDay: 3 },
    type: "limit-site",
    request: (n) => ({ profile: n % 2 === 0 ? "transactional" : "unimportant", to: to(n) }),
    // Of another site.
    other: {},
  },
};

async function sceneOf({ limits }: Case): Promise<MessageScene> {
  const scene = messageScene({ limits });
  for (const address of ["alice@example.org", "carol@example.org"]) await scene.confirm(address);
  return scene;
}

for (const [name, one] of Object.entries(CASES)) {
  test(`per ${name}: as many as allowed are sent, the next is told when, and then it is sent`, async () => {
    const scene = await sceneOf(one);
    for (let n = 0; n < 3; n++) {
      await scene.sent(one.request(n));
      scene.now += 100;
    }
    const queued = scene.store.mails.length;
    const problem = await scene.refused(one.request(3));
    assert.equal(problem.type, one.type);
    assert.equal(problem.field, one.field);
    assert.equal(problem.retryAfter, DAY - 300);
    assert.equal(scene.store.mails.length, queued);
    scene.now += DAY - 301;
    assert.equal((await scene.refused(one.request(3))).retryAfter, 1);
    scene.now += 1;
    await scene.sent(one.request(3));
    // The second was sent 100 seconds after the first.
    assert.equal((await scene.refused(one.request(4))).retryAfter, 100);
  });

  test(`per ${name}: what is not counted with it is not refused`, async () => {
    const scene = await sceneOf(one);
    for (let n = 0; n < 3; n++) await scene.sent(one.request(n));
    assert.equal((await scene.refused(one.request(3))).type, one.type);
    if (name === "site") {
      const outcome = await scene.send({ ...BRIEF, to: to(9) }, undefined, scene.other);
      return assert.ok(outcome.ok, JSON.stringify(outcome));
    }
    await scene.sent(one.other);
  });

  test(`per ${name}: of twenty at the same time as many as allowed are sent`, async () => {
    const scene = await sceneOf(one);
    const before = scene.store.mails.length;
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => scene.send(one.request(n))));
    assert.equal(outcomes.filter(({ ok }) => ok).length, 3);
    assert.equal(scene.store.mails.length, before + 3);
    for (const outcome of outcomes) if (!outcome.ok) assert.equal(outcome.problem.type, one.type);
  });

  test(`per ${name}: a restart forgets nothing`, async () => {
    const scene = await sceneOf(one);
    await Promise.all([0, 1, 2].map((n) => scene.sent(one.request(n))));
    const again = scene.restarted();
    again.now += 50;
    assert.deepEqual((await again.refused(one.request(3))).retryAfter, DAY - 50);
    again.now += DAY - 50;
    await again.sent(one.request(3));
  });
}

test("what was refused, for whatever reason, counts nowhere", async () => {
  const scene = messageScene({ limits: { userPerDay: 1, recipientPerDay: 1 } });
  await scene.confirm("alice@example.org");
  await scene.sent({ to: ["bob@example.net"] });
  scene.now += DAY;
  // Over the user's limit as soon as one is sent: neither dora nor eve have had anything then.
  scene.canSign = false;
  assert.equal((await scene.refused({ to: ["dora@example.net"] })).type, "unavailable");
  scene.canSign = true;
  scene.store.state = "away";
  assert.equal((await scene.refused({ to: ["dora@example.net"] })).type, "unavailable");
  scene.store.state = "here";
  await scene.sent({ to: ["dora@example.net"] });
  assert.equal((await scene.refused({ to: ["eve@example.net"] })).type, "limit-user");
  scene.now += DAY;
  await scene.sent({ to: ["dora@example.net", "eve@example.net"] });
});

test("where two limits are full, the answer names the narrower one and waits for both", async () => {
  const scene = messageScene({ limits: { userPerDay: 1, recipientPerDay: 1 } });
  await scene.confirm("alice@example.org");
  await scene.confirm("carol@example.org");
  await scene.sent({ to: ["bob@example.net"], onBehalfOf: "carol@example.org" });
  scene.now += 1000;
  await scene.sent({ to: ["dora@example.net"] });
  const problem = await scene.refused({ to: ["bob@example.net"] });
  assert.equal(problem.type, "limit-user");
  assert.equal(problem.retryAfter, DAY);
  assert.equal(
    (await scene.refused({ ...BRIEF, to: ["dora@example.net", "bob@example.net"] })).field,
    "to[0]",
  );
});

test("a limit of nothing is none that can be waited for", async () => {
  const scene = messageScene({ limits: { sitePerDay: 0 } });
  assert.equal((await scene.refused(BRIEF)).retryAfter, DAY);
});

test("without other figures: 20 a day of a user, 5 recipients, 3 a day to one recipient", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  const five = ["a", "b", "c", "d", "e"].map((name) => `${name}@example.net`);
  for (let n = 0; n < 3; n++) await scene.sent({ to: five });
  const { type, field } = await scene.refused({ to: five });
  assert.deepEqual([type, field], ["limit-recipient", "to[0]"]);
  for (let n = 3; n < 20; n++) await scene.sent({ to: to(n) });
  assert.equal((await scene.refused({ to: to(20) })).type, "limit-user");
  const six = await scene.refused({ to: [...five, "f@example.net"] });
  assert.deepEqual([six.type, six.field], ["too-many-recipients", "to"]);
  assert.equal(scene.now, START);
});

test("no address of a visitor is kept", async () => {
  const scene = messageScene();
  await scene.sent({ ...BRIEF, visitorIp: "192.0.2.77" });
  for (const sort of ["ob-count", "ob-message", "ob-event", "ob-idempotency", "ob-sent"] as const) {
    assert.ok(!JSON.stringify(scene.store.facts(sort)).includes("192.0.2.77"), sort);
  }
  assert.ok(scene.store.facts("ob-count").some(({ key }) => key.startsWith("visitor cards ")));
});

test("several addresses of one person in one message count as several", async () => {
  const scene = messageScene({ limits: { recipientPerDay: 3 } });
  const marks = (...names: number[]) => names.map((name) => `mark+${name}@example.net`);
  const problem = await scene.refused({ ...BRIEF, to: marks(1, 2, 3, 4) });
  assert.deepEqual([problem.type, problem.field], ["limit-recipient", "to[3]"]);
  await scene.sent({ ...BRIEF, to: marks(1, 2) });
  assert.equal((await scene.refused({ ...BRIEF, to: marks(5, 6) })).field, "to[1]");
  await scene.sent({ ...BRIEF, to: marks(5) });
  const again = scene.restarted();
  assert.equal((await again.refused({ ...BRIEF, to: ["mark@example.net"] })).retryAfter, DAY);
});

test("a user with several addresses at a plus has one limit", async () => {
  const scene = messageScene({ limits: { userPerDay: 1 } });
  await scene.confirm("alice@example.org");
  scene.now += DAY;
  await scene.confirm("alice+2@example.org");
  await scene.sent({ onBehalfOf: "alice+2@example.org" });
  assert.equal((await scene.refused()).type, "limit-user");
});
