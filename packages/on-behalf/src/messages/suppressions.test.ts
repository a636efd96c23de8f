import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY, type MessageScene, messageScene } from "../testing/message-scene.ts";

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

test("what is no address cannot be suppressed", async () => {
  const scene = messageScene();
  const outcome = await scene.service.suppressions.add(scene.site, "bob\r\n@example.net");
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.problem.type, outcome.problem.field], ["invalid-field", "address"]);
});
