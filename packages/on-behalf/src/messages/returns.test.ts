import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mailbox } from "@homing/srs-core";
import type { Returned, Settled } from "../on-behalf.ts";
import { createMemoryStore } from "../testing/memory-store.ts";
import { type MessageScene, messageScene } from "../testing/message-scene.ts";
import { createEaten } from "./eaten.ts";

const ALICE = { localPart: "alice", domain: "example.org" };
const BOB = { localPart: "bob", domain: "example.net" };
const HARD = { kind: "failed", enhanced: "5.1.1", class: "hard" } as const;

async function sentScene(): Promise<{ scene: MessageScene; id: string; srs: Mailbox; queueId: string }> {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  const { id } = await scene.sent({ reference: "card 7", to: ["bob@example.net", "carol@example.net"] });
  const mail = scene.store.mails.at(-2) ?? assert.fail();
  return { scene, id, srs: mail.reversePath as Mailbox, queueId: mail.id };
}

async function returned(scene: MessageScene, srs: Mailbox, more: Partial<Returned> = {}): Promise<void> {
  const sent = await scene.service.returns.sentFor(srs, scene.now);
  assert.ok(sent !== "away");
  const report = { action: "failed", enhanced: "5.1.1", class: "hard", ...more } as const;
  scene.store.put(scene.service.returns.returned({ srs, sent, user: ALICE, now: scene.now, ...report }));
}

// With a mark of the recipient in the tag it would be too long.
const LONG = "firstname.lastname.of.department@example.org";

test("several have one return path: the bounce whose header proves its recipient is his, with the newest message to him", async () => {
  const scene = messageScene();
  await scene.confirm(LONG);
  const send = (to: string) => scene.sent({ onBehalfOf: LONG, to: [to], reference: `for ${to}` });
  const older = await send("bob@example.net");
  const { id } = await send("carol@example.net");
  const newest = await send("Bob@example.net");
  const srs = scene.store.mails.at(-1)?.reversePath as Mailbox;
  await returned(scene, srs);
  const unproven = (await scene.events()).at(-1);
  assert.deepEqual([unproven?.type, unproven?.data.recipient], ["bounce.returned", undefined]);
  await returned(scene, srs, { recipient: BOB });
  const told = (await scene.events()).slice(-2).map(({ type, data }) => [type, data.recipient, data.message]);
  assert.deepEqual(told, [
    ["bounce.returned", "Bob@example.net", newest.id],
    ["recipient.suppressed", "Bob@example.net", undefined],
  ]);
  assert.equal((await statuses(scene, newest.id))[0]?.status, "bounced");
  for (const other of [older.id, id]) assert.equal((await statuses(scene, other))[0]?.status, "queued");
  const problem = await scene.refused({ profile: "transactional" });
  assert.equal(problem.type, "recipient-suppressed");
});

test("of mail that the plug-in alone made, a proven recipient is named and suppressed, and no message", async () => {
  const scene = messageScene();
  const srs = { localPart: "SRS0=aaaaaaaa=bb=example.org=alice", domain: "cards.bounce.example" };
  await returned(scene, srs, { recipient: BOB });
  const told = (await scene.events()).map(({ type, data }) => [type, data.recipient, data.message]);
  assert.deepEqual(told, [
    ["bounce.returned", "bob@example.net", undefined],
    ["recipient.suppressed", "bob@example.net", undefined],
  ]);
  assert.equal(scene.store.facts("ob-message").length, 0);
});

test("the return path's own recipient counts, whatever a header says", async () => {
  const { scene, srs } = await sentScene();
  await returned(scene, srs, { recipient: { localPart: "eve", domain: "example.net" } });
  assert.equal((await scene.events()).at(-1)?.data.recipient, "bob@example.net");
});

async function settled(
  scene: MessageScene,
  { srs, queueId }: { srs: Mailbox; queueId: string },
  outcome: Settled,
) {
  const mail = { queueId, reversePath: srs, recipient: BOB };
  scene.store.put(scene.service.returns.settled(mail, outcome, scene.now));
}

async function statuses(scene: MessageScene, id: string) {
  const found = await scene.service.messages.find(scene.site, id);
  assert.ok(found.ok);
  return found.message.recipients;
}

test("a bounce: the status, an event with all that a site needs, and the recipient is suppressed for this site", async () => {
  const { scene, id, srs } = await sentScene();
  scene.now += 60;
  await returned(scene, srs);
  assert.deepEqual(await statuses(scene, id), [
    { address: "bob@example.net", status: "bounced", enhanced: "5.1.1", at: scene.now },
    { address: "carol@example.net", status: "queued" },
  ]);
  const events = (await scene.events()).slice(-2).map(({ type, data }) => ({ type, data }));
  assert.deepEqual(events, [
    {
      type: "bounce.returned",
      data: {
        message: id,
        recipient: "bob@example.net",
        reference: "card 7",
        user: "alice@example.org",
        enhanced: "5.1.1",
        class: "hard",
      },
    },
    {
      type: "recipient.suppressed",
      data: { recipient: "bob@example.net", reason: "bounce", enhanced: "5.1.1" },
    },
  ]);
  const problem = await scene.refused();
  assert.equal(problem.type, "recipient-suppressed");
  assert.match(problem.detail, /came back: 5\.1\.1/);
  assert.ok((await scene.send({ profile: "transactional" }, undefined, scene.other)).ok);
});

for (const kind of ["hard", "policy", "spam", "soft", "delay", "auto-reply"]) {
  const suppresses = kind === "hard";
  test(`a failure of class ${kind} ${suppresses ? "suppresses" : "does not suppress"}, as a bounce and as our own attempt`, async () => {
    for (const way of ["bounce", "attempt"]) {
      const { scene, id, ...mail } = await sentScene();
      if (way === "bounce") await returned(scene, mail.srs, { class: kind });
      else await settled(scene, mail, { ...HARD, class: kind });
      assert.equal((await statuses(scene, id))[0]?.status, way === "bounce" ? "bounced" : "failed");
      assert.equal((await scene.send()).ok, !suppresses);
    }
  });
}

test("a report that is no failure changes nothing", async () => {
  const { scene, id, srs } = await sentScene();
  const before = (await scene.events()).length;
  for (const action of ["delayed", "delivered", "relayed", "expanded"] as const)
    await returned(scene, srs, { action });
  assert.equal((await scene.events()).length, before);
  assert.equal((await statuses(scene, id))[0]?.status, "queued");
});

test("our own attempts: delivered, or failed, and an event each", async () => {
  const { scene, id, ...mail } = await sentScene();
  await settled(scene, mail, { kind: "delivered" });
  assert.deepEqual(await statuses(scene, id), [
    { address: "bob@example.net", status: "delivered", at: scene.now },
    { address: "carol@example.net", status: "queued" },
  ]);
  await settled(scene, mail, HARD);
  assert.equal((await statuses(scene, id))[0]?.status, "failed");
  const events = (await scene.events())
    .slice(-3)
    .map(({ type, data }) => [type, data.message ?? data.reason, data.recipient]);
  assert.deepEqual(events, [
    ["message.delivered", id, "bob@example.net"],
    ["message.failed", id, "bob@example.net"],
    ["recipient.suppressed", "bounce", "bob@example.net"],
  ]);
});

test("a server that took the message and sends it back has the last word, whichever is written first", async () => {
  for (const order of ["bounce first", "bounce last"]) {
    const { scene, id, ...mail } = await sentScene();
    if (order === "bounce first") await returned(scene, mail.srs);
    await settled(scene, mail, { kind: "delivered" });
    if (order === "bounce last") await returned(scene, mail.srs);
    assert.equal((await statuses(scene, id))[0]?.status, "bounced", order);
  }
});

test("of a bounce to a return path that nobody knows the site hears, without a recipient; nobody is suppressed", async () => {
  const { scene } = await sentScene();
  const forged = scene.rewriter.forward(ALICE, scene.now, { alias: { localPart: "x", domain: "y.example" } });
  assert.ok(forged.ok && forged.rewritten);
  await returned(scene, forged.sender);
  const last = (await scene.events()).at(-1);
  assert.deepEqual(
    [last?.type, last?.data],
    ["bounce.returned", { user: "alice@example.org", enhanced: "5.1.1", class: "hard" }],
  );
  const list = await scene.service.suppressions.list(scene.site);
  assert.ok(list.ok);
  assert.deepEqual(list.suppressions, []);
});

test("mail that is none of a site's leaves no trace: other domains, and other senders at a bounce domain", async () => {
  const { scene } = await sentScene();
  const { returns } = scene.service;
  const mail = { queueId: "q1", recipient: BOB };
  for (const reversePath of [
    { localPart: "SRS0=aaaa=bb=example.org=alice", domain: "forwarder.example" },
    { localPart: "postmaster", domain: "cards.bounce.example" },
    ALICE,
  ]) {
    assert.deepEqual(returns.settled({ ...mail, reversePath }, { kind: "delivered" }, scene.now), []);
  }
});

test("nobody is nobody at bounce domains alone, in any case", () => {
  const { returns } = messageScene().service;
  assert.ok(returns.isNobody({ localPart: "Nobody", domain: "CARDS.bounce.example" }));
  assert.ok(!returns.isNobody({ localPart: "nobody", domain: "site.example" }));
  assert.ok(!returns.isNobody({ localPart: "nobody2", domain: "cards.bounce.example" }));
});

test("eaten bounces are counted: each of the first hundred of a day is an event, then every doubling", async () => {
  const scene = messageScene();
  const nobody = { localPart: "nobody", domain: "cards.bounce.example" };
  const { returns } = scene.service;
  await Promise.all(Array.from({ length: 150 }, () => returns.eaten(nobody, scene.now)));
  const again = scene.restarted();
  again.now += 1;
  await Promise.all(Array.from({ length: 300 }, () => again.service.returns.eaten(nobody, again.now)));
  await again.service.returns.eaten({ ...nobody, domain: "elsewhere.example" }, scene.now);
  again.now += 86_400;
  await again.service.returns.eaten(nobody, again.now);
  const counts = (await again.events()).map(({ type, data }) => [type, data.day, data.count]);
  const first = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.deepEqual(counts, [
    ...[...first, 200, 400].map((count) => ["bounce.eaten", "2027-01-15", count]),
    ["bounce.eaten", "2027-01-16", 1],
  ]);
});

test("one that cannot be counted, because of a bug, does not end the counting", async () => {
  const store = createMemoryStore();
  let isBroken = true;
  const eat = createEaten({
    store: {
      ...store,
      async find(name, now) {
        if (isBroken) throw new Error("a bug");
        return store.find(name, now);
      },
    },
    events: messageScene().service.events,
  });
  await assert.rejects(eat("cards", 1_800_000_000), /a bug/);
  isBroken = false;
  await eat("cards", 1_800_000_000);
  assert.deepEqual(
    store.facts("ob-count").map(({ value }) => value),
    ["1"],
  );
});

test("while the storage is away, eating goes on", async () => {
  const scene = messageScene();
  const nobody = { localPart: "nobody", domain: "cards.bounce.example" };
  scene.store.state = "away";
  await scene.service.returns.eaten(nobody, scene.now);
  scene.store.state = "here";
  await scene.service.returns.eaten(nobody, scene.now);
  assert.deepEqual(
    (await scene.events()).map(({ data }) => data.count),
    [1],
  );
});

test("what is of the message or of our server is an event, and the recipient stays: as a bounce and as our own attempt", async () => {
  for (const [kind, enhanced] of [
    ["policy", "5.7.23"],
    ["spam", "5.7.1"],
  ] as const) {
    const { scene, id, ...mail } = await sentScene();
    const before = (await scene.events()).length;
    await settled(scene, mail, { kind: "failed", enhanced, class: kind });
    await returned(scene, mail.srs, { enhanced, class: kind });
    const told = (await scene.events())
      .slice(before)
      .map(({ type, data }) => [type, data.message, data.class]);
    assert.deepEqual(told, [
      ["message.failed", id, kind],
      ["bounce.returned", id, kind],
    ]);
    const list = await scene.service.suppressions.list(scene.site);
    assert.ok(list.ok);
    assert.deepEqual(list.suppressions, []);
  }
});
