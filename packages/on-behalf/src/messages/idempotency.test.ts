import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY, messageScene } from "../testing/message-scene.ts";

const KEY = "5f0c9a4e-order-1";

async function scene() {
  const made = messageScene();
  await made.confirm("alice@example.org");
  return made;
}

test("the same request with the same key is sent once, and answered the same, for 24 hours", async () => {
  const site = await scene();
  const first = await site.send({ html: "<p>Hi</p>" }, KEY);
  site.now += DAY - 1;
  const second = await site.send({ html: "<p>Hi</p>" }, KEY);
  assert.ok(first.ok && second.ok);
  assert.deepEqual([first.repeated, second.repeated], [false, true]);
  assert.deepEqual(second.message, first.message);
  assert.equal(site.store.mails.length, 2, "the confirmation, and the message once");
  site.now += 1;
  const third = await site.send({ html: "<p>Hi</p>" }, KEY);
  assert.ok(third.ok && !third.repeated);
  assert.equal(site.store.mails.length, 3);
});

test("the order of a request's members is no difference, each value is", async () => {
  const site = await scene();
  const { messages } = site.service;
  const base = { profile: "on-behalf", onBehalfOf: "alice@example.org", to: ["bob@example.net"] } as const;
  const sent = await messages.send(site.site, { ...base, subject: "Hi", text: "Hello" }, KEY);
  const swapped = await messages.send(site.site, { text: "Hello", subject: "Hi", ...base }, KEY);
  assert.ok(sent.ok && swapped.ok && swapped.repeated);
  for (const change of [
    { text: "Hello!" },
    { subject: "Ho" },
    { to: ["bob@example.net", "c@example.net"] },
    { name: "Al" },
  ]) {
    const other = await messages.send(site.site, { ...base, subject: "Hi", text: "Hello", ...change }, KEY);
    assert.ok(!other.ok);
    assert.equal(other.problem.type, "idempotency-conflict");
  }
  assert.equal(site.store.mails.length, 2);
});

test("keys of sites are their own", async () => {
  const site = await scene();
  await site.sent({ profile: "transactional" }, KEY);
  const other = await site.send({ profile: "transactional", text: "Another" }, KEY, site.other);
  assert.ok(other.ok && !other.repeated);
});

test("of two at the same time one is sent, and the other hears that it is under way, or of the conflict", async () => {
  const site = await scene();
  const [first, same, different] = await Promise.all([
    site.send({}, KEY),
    site.send({}, KEY),
    site.send({ text: "Something else" }, KEY),
  ]);
  assert.ok(first.ok && !same.ok && !different.ok);
  assert.equal(same.problem.type, "idempotency-under-way");
  assert.ok((same.problem.retryAfter ?? 0) >= 1);
  assert.equal(different.problem.type, "idempotency-conflict");
  const later = await site.send({}, KEY);
  assert.ok(later.ok && later.repeated);
  assert.equal(site.store.mails.length, 2);
});

test("killed between the commit and the answer: the same request again is the same message", async () => {
  const site = await scene();
  site.store.state = "answers-lost";
  assert.equal((await site.refused({}, KEY)).type, "unavailable");
  site.store.state = "here";
  const again = await site.restarted().send({}, KEY);
  assert.ok(again.ok && again.repeated);
  assert.equal(site.store.mails.length, 2);
  const found = await site.restarted().service.messages.find(site.site, again.message.id);
  assert.ok(found.ok, "it is known");
});

test("killed before the commit: the same request again is the first", async () => {
  const site = await scene();
  site.store.state = "away";
  const problem = await site.refused({}, KEY);
  assert.equal(problem.type, "unavailable");
  assert.ok((problem.retryAfter ?? 0) >= 1);
  site.store.state = "here";
  const again = await site.restarted().send({}, KEY);
  assert.ok(again.ok && !again.repeated);
  assert.equal(site.store.mails.length, 2);
});

test("a transaction that lands after its request was given up conflicts with the repetition: one message", async () => {
  const site = await scene();
  const { find } = site.store;
  // The storage is away for the request, and has it all the same; what it stored is seen only after the first look.
  site.store.state = "answers-lost";
  await site.refused({}, KEY);
  site.store.state = "here";
  let looks = 0;
  Object.assign(site.store, {
    find: async (name: Parameters<typeof find>[0], now: number) =>
      name.of === "ob-idempotency" && looks++ === 0 ? undefined : find(name, now),
  });
  const again = await site.restarted().send({}, KEY);
  assert.ok(again.ok && again.repeated);
  assert.equal(looks, 2);
  assert.equal(site.store.mails.length, 2);
});

test("a refusal is not remembered: the request may be right a moment later", async () => {
  const site = messageScene();
  assert.equal((await site.refused({}, KEY)).type, "identity-not-confirmed");
  await site.confirm("alice@example.org");
  const outcome = await site.send({}, KEY);
  assert.ok(outcome.ok && !outcome.repeated);
});

for (const key of ["", "x".repeat(257), "a\r\nb", "schlüssel", "tab\t"]) {
  test(`${JSON.stringify(key.slice(0, 20))} of ${key.length} characters is no key`, async () => {
    const site = await scene();
    assert.equal((await site.refused({}, key)).type, "idempotency-key-invalid");
    assert.equal(site.store.mails.length, 1);
  });
}

test("a key of 256 characters is one", async () => {
  const site = await scene();
  await site.sent({}, "~".repeat(256));
});
