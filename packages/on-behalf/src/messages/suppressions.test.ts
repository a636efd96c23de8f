import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mailbox } from "@homing/srs-core";
import { DAY, type MessageScene, messageScene } from "../testing/message-scene.ts";
import { ADDED_PER_DAY } from "./suppressions.ts";

const TX = { profile: "transactional" } as const;

/** What the recipient's own link does. */
async function never(scene: MessageScene, address: string, site: string): Promise<void> {
  await scene.sent({ ...TX, to: [address] });
  const header = scene.store.mails.at(-1)?.message.toString("latin1") ?? "";
  const token = /List-Unsubscribe: <[^>]*\?t=([A-Za-z0-9_-]+)>/.exec(header)?.[1] ?? assert.fail();
  assert.ok((await scene.service.people.never(token, site)).ok);
}

async function listed(scene: MessageScene) {
  const outcome = await scene.service.suppressions.list(scene.site);
  assert.ok(outcome.ok);
  return outcome.suppressions.map(({ address, reason }) => [address, reason]);
}

test("a suppressed recipient gets nothing, in whatever case he is written, of any profile, and the answer says which one", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  assert.ok((await scene.service.suppressions.add(scene.site, "Bob@Example.NET")).ok);
  for (const profile of ["on-behalf", "transactional", "unimportant"] as const) {
    const problem = await scene.refused({ profile, to: ["carol@example.net", "BOB@example.net"] });
    assert.deepEqual([problem.type, problem.field], ["recipient-suppressed", "to[1]"]);
    assert.match(problem.hint ?? "", /DELETE \/v1\/suppressions\/BOB%40example\.net/);
  }
  assert.equal(scene.store.mails.length, 1);
  const event = (await scene.events()).at(-1);
  assert.deepEqual(
    [event?.type, event?.data],
    ["recipient.suppressed", { recipient: "Bob@Example.NET", reason: "manual" }],
  );
});

test("a suppression is one site's, and goes when the site takes it away", async () => {
  const scene = messageScene();
  await scene.service.suppressions.add(scene.site, "bob@example.net");
  assert.ok((await scene.send(TX, undefined, scene.other)).ok);
  assert.ok((await scene.service.suppressions.remove(scene.site, "BOB@example.net")).ok);
  await scene.sent(TX);
  const again = await scene.service.suppressions.remove(scene.site, "bob@example.net");
  assert.ok(!again.ok);
  assert.equal(again.problem.type, "not-found");
});

test("what the recipient himself wants, no site can take away", async () => {
  const scene = messageScene();
  await never(scene, "bob@example.net", "cards");
  assert.equal((await scene.refused(TX)).type, "recipient-suppressed");
  await scene.service.suppressions.add(scene.site, "bob@example.net");
  const removed = await scene.service.suppressions.remove(scene.site, "bob@example.net");
  assert.ok(!removed.ok);
  assert.equal(removed.problem.type, "recipient-suppressed");
  assert.equal((await scene.refused(TX)).type, "recipient-suppressed");
  assert.ok((await scene.send(TX, undefined, scene.other)).ok, "of this site alone");
});

test("never again from any site is heard by every site", async () => {
  const scene = messageScene();
  await never(scene, "bob@example.net", "all");
  for (const site of [scene.site, scene.other]) {
    const outcome = await scene.send(TX, undefined, site);
    assert.ok(!outcome.ok);
    assert.equal(outcome.problem.type, "recipient-suppressed");
  }
});

test("the list has the site's own and the recipients' wishes, each address once, page by page", async () => {
  const scene = messageScene();
  const { suppressions } = scene.service;
  await never(scene, "carol@example.net", "cards");
  for (const name of ["eve", "Bob", "carol", "dora"])
    await suppressions.add(scene.site, `${name}@example.net`);
  await suppressions.add(scene.other, "other@example.net");
  const all = [
    ["Bob@example.net", "manual"],
    ["carol@example.net", "recipient"],
    ["dora@example.net", "manual"],
    ["eve@example.net", "manual"],
  ];
  assert.deepEqual(await listed(scene), all);
  const pages: string[][] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await suppressions.list(scene.site, after, 3);
    assert.ok(page.ok);
    pages.push(page.suppressions.map(({ address }) => address));
    after = page.next;
  }
  assert.deepEqual(
    pages.map(({ length }) => length),
    [3, 1],
  );
  assert.deepEqual(
    pages.flat(),
    all.map(([address]) => address),
  );
});

test("while the storage is away nothing is sent, listed, added or removed: it is said when to try again", async () => {
  const scene = messageScene();
  const { suppressions } = scene.service;
  scene.store.state = "away";
  for (const outcome of [
    await scene.send(TX),
    await suppressions.list(scene.site),
    await suppressions.add(scene.site, "bob@example.net"),
    await suppressions.remove(scene.site, "bob@example.net"),
    await scene.service.events.list(scene.site),
  ]) {
    assert.ok(!outcome.ok);
    assert.equal(outcome.problem.type, "unavailable");
    assert.ok((outcome.problem.retryAfter ?? 0) >= 1);
  }
});

test("one that came of a bounce ends after a year, one of the site's own does not", async () => {
  const scene = messageScene();
  const { returns, suppressions } = scene.service;
  const reversePath = { localPart: "nobody", domain: "cards.bounce.example" };
  const recipient = { localPart: "bob", domain: "example.net" };
  const failed = { kind: "failed", enhanced: "5.1.1", class: "hard" } as const;
  scene.store.put(returns.settled({ queueId: "q-0", reversePath, recipient }, failed, scene.now));
  await suppressions.add(scene.site, "carol@example.net");
  assert.deepEqual(await listed(scene), [
    ["bob@example.net", "bounce"],
    ["carol@example.net", "manual"],
  ]);
  scene.now += 366 * DAY;
  assert.deepEqual(await listed(scene), [["carol@example.net", "manual"]]);
});

test("never again, suppressions and limits hold in every spelling of a local part of UTF-8", async () => {
  const spellings = ["j\u00f6rg@example.net", "JO\u0308RG@example.net"];
  for (const address of ["J\u00d6RG@example.net", "jo\u0308rg@example.net"]) {
    const scene = messageScene({ limits: { recipientPerDay: 1 } });
    assert.ok((await scene.service.suppressions.add(scene.site, address)).ok);
    for (const to of spellings) {
      const problem = await scene.refused({ profile: "transactional", to: [to] });
      assert.equal(problem.type, "recipient-suppressed", to);
    }
    const limited = messageScene({ limits: { recipientPerDay: 1 } });
    await limited.sent({ profile: "transactional", to: [address] });
    for (const to of spellings) {
      const problem = await limited.refused({ profile: "transactional", to: [to] });
      assert.equal(problem.type, "limit-recipient", to);
    }
  }
});

test("return paths of ours are no recipients: not over HTTP, not over SMTP, and not suppressed", async () => {
  const scene = messageScene();
  for (const [localPart, domain] of [
    ["nobody", "cards.bounce.example"],
    ["NOBODY", "News.Bounce.example"],
    ["srs0=aaaaaaaa=bb=example.org=alice", "cards.bounce.example"],
  ] as const) {
    const address = `${localPart}@${domain}`;
    const problem = await scene.refused({ profile: "transactional", to: ["bob@example.net", address] });
    assert.deepEqual([problem.type, problem.field], ["invalid-field", "to[1]"], address);
    const over = await scene.service.submissions.recipient(scene.site, { localPart, domain });
    assert.equal(over?.problem.type, "invalid-field", address);
    const added = await scene.service.suppressions.add(scene.site, address);
    assert.equal(!added.ok && added.problem.type, "invalid-field", address);
  }
  assert.equal(scene.store.changes, 0);
  assert.ok((await scene.send({ profile: "transactional", to: ["postmaster@cards.bounce.example"] })).ok);
});

test("what is no address cannot be suppressed", async () => {
  const scene = messageScene();
  const outcome = await scene.service.suppressions.add(scene.site, "bob\r\n@example.net");
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.problem.type, outcome.problem.field], ["invalid-field", "address"]);
});

test("never again holds for all addresses of a person at a plus, and who sees it there", async () => {
  const scene = messageScene();
  await never(scene, "mark+cards@example.net", "cards");
  for (const to of ["mark@example.net", "mark+1@example.net", "Mark+2@Example.net"])
    assert.equal((await scene.refused({ ...TX, to: [to] })).type, "recipient-suppressed", to);
  assert.deepEqual(await listed(scene), [["mark@example.net", "recipient"]]);
});

test("a suppression is of one address", async () => {
  const scene = messageScene();
  assert.ok((await scene.service.suppressions.add(scene.site, "mark+1@example.net")).ok);
  assert.equal((await scene.refused({ ...TX, to: ["mark+1@example.net"] })).type, "recipient-suppressed");
  await scene.sent({ ...TX, to: ["mark+2@example.net"] });
});

test("who is suppressed already, or said so himself, is not written or told again: the answer says since when, and why", async () => {
  const scene = messageScene();
  const { suppressions } = scene.service;
  const since = scene.now;
  await never(scene, "carol@example.net", "cards");
  await never(scene, "dora@example.net", "all");
  assert.ok((await suppressions.add(scene.site, "bob@example.net")).ok);
  const [changes, events] = [scene.store.changes, await scene.events()];
  scene.now += 100;
  for (const [text, address, reason] of [
    ["BOB@example.net", "bob@example.net", "manual"],
    ["carol@example.net", "carol@example.net", "recipient"],
    ["dora+1@example.net", "dora+1@example.net", "recipient"],
  ] as const) {
    const added = await suppressions.add(scene.site, text);
    assert.deepEqual(added, { ok: true, suppression: { address, reason, since } });
  }
  assert.equal(scene.store.changes, changes);
  assert.deepEqual(await scene.events(), events);
});

test("what came of a bounce becomes the site's own word, and does not end", async () => {
  const scene = messageScene();
  const sent = await scene.sent(TX);
  const mail = scene.store.mails.at(-1) ?? assert.fail(sent.id);
  const about = { queueId: mail.id, reversePath: mail.reversePath as Mailbox, recipient: mail.recipient };
  const failed = { kind: "failed", enhanced: "5.1.1", class: "hard" } as const;
  scene.store.put(scene.service.returns.settled(about, failed, scene.now));
  assert.ok((await scene.service.suppressions.add(scene.site, "bob@example.net")).ok);
  scene.now += 366 * DAY;
  assert.deepEqual(await listed(scene), [["bob@example.net", "manual"]]);
});

test("a site suppresses so many recipients in 24 hours, also over a restart; what could not be stored does not count", async () => {
  const scene = messageScene();
  const add = (name: string, at = scene) => at.service.suppressions.add(at.site, `${name}@example.net`);
  scene.store.put([
    {
      of: "ob-count",
      key: "suppressed cards",
      value: JSON.stringify([[scene.now, ADDED_PER_DAY - 1]]),
      expires: scene.now + DAY,
    },
  ]);
  scene.store.state = "away";
  assert.ok(!(await add("away")).ok);
  scene.store.state = "here";
  const outcomes = await Promise.all(["a", "b", "c"].map((name) => add(name)));
  assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
  const again = scene.restarted();
  again.now += 10;
  const over = await add("d", again);
  assert.deepEqual(!over.ok && [over.problem.type, over.problem.retryAfter], ["limit-site", DAY - 10]);
  assert.ok((await again.service.suppressions.add(again.other, "d@example.net")).ok);
  assert.ok((await again.send(TX)).ok, "messages have a count of their own");
  again.now += DAY;
  assert.ok((await add("d", again)).ok);
});
