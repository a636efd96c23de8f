// What a request may not be, and what is said of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageRequest } from "../on-behalf.ts";
import type { ProblemType } from "../problem.ts";
import { messageScene } from "../testing/message-scene.ts";

const TX = { profile: "transactional" } as const;
const CASES: Readonly<
  Record<string, [type: ProblemType, field: string | undefined, request: Partial<MessageRequest>]>
> = {
  "a subject of 201 characters": ["invalid-field", "subject", { ...TX, subject: "ä".repeat(201) }],
  "a subject of blanks": ["invalid-field", "subject", { ...TX, subject: "  " }],
  "a text of 100,001 characters": ["message-too-large", "text", { ...TX, text: "a".repeat(100_001) }],
  "a text of nothing": ["invalid-field", "text", { ...TX, text: "\n" }],
  "HTML of 200,001 characters": ["message-too-large", "html", { ...TX, html: "a".repeat(200_001) }],
  "a reference of 201 characters": ["invalid-field", "reference", { ...TX, reference: "a".repeat(201) }],
  "a name of 65 characters": ["invalid-field", "name", { name: "a".repeat(65) }],
  "nobody to send to": ["invalid-field", "to", { ...TX, to: [] }],
  "one recipient twice": ["invalid-field", "to[1]", { ...TX, to: ["bob@example.net", "BOB@Example.NET"] }],
  "a recipient with a name": ["invalid-field", "to[0]", { ...TX, to: ["Bob <bob@example.net>"] }],
  "several recipients in one text": [
    "invalid-field",
    "to[0]",
    { ...TX, to: ["bob@example.net,c@example.net"] },
  ],
  "Reply-To on behalf of a user": ["invalid-field", "replyTo", { replyTo: "x@example.net" }],
  "a Reply-To that is no address": ["invalid-field", "replyTo", { ...TX, replyTo: "help" }],
  "a user of a transactional message": [
    "invalid-field",
    "onBehalfOf",
    { ...TX, onBehalfOf: "alice@example.org" },
  ],
  "a name without a user": ["invalid-field", "name", { profile: "unimportant", name: "Alice" }],
  "a from mode without a user": ["invalid-field", "fromMode", { ...TX, fromMode: "user" }],
  "an unknown user": ["identity-not-confirmed", "onBehalfOf", { onBehalfOf: "mallory@example.org" }],
  "an identity that is none": [
    "identity-not-confirmed",
    "onBehalfOf",
    { onBehalfOf: `idn_${"x".repeat(22)}` },
  ],
};
for (const [what, [type, field, request]] of Object.entries(CASES)) {
  test(`${what}: ${type}`, async () => {
    const scene = messageScene();
    await scene.confirm("alice@example.org");
    const problem = await scene.refused(request);
    assert.deepEqual([problem.type, problem.field], [type, field]);
    assert.ok(problem.detail.length > 0 && problem.hint);
    assert.equal(scene.store.mails.length, 1, "the confirmation alone");
  });
}

test("on behalf of nobody is no such mail", async () => {
  const scene = messageScene();
  const { messages } = scene.service;
  const request = { profile: "on-behalf", to: ["bob@example.net"], subject: "Hi", text: "Hello" } as const;
  const outcome = await messages.send(scene.site, request);
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.problem.type, outcome.problem.field], ["invalid-field", "onBehalfOf"]);
});

test("texts of exactly the lengths that are allowed are sent", async () => {
  const scene = messageScene();
  await scene.sent({
    ...TX,
    subject: "🎂".repeat(200),
    text: "a".repeat(100_000),
    html: "b".repeat(200_000),
    reference: "r".repeat(200),
  });
});

test("a profile that the site has not is refused, with those that it has", async () => {
  const scene = messageScene({ site: { profiles: new Set(["on-behalf"]) } });
  const problem = await scene.refused(TX);
  assert.deepEqual([problem.type, problem.field], ["profile-not-allowed", "profile"]);
  assert.match(problem.hint ?? "", /on-behalf/);
});

test("another site's identity is none, by id and by address", async () => {
  const scene = messageScene();
  const id = await scene.confirm("alice@example.org", "user", scene.other);
  for (const onBehalfOf of [id, "alice@example.org"]) {
    assert.equal((await scene.refused({ onBehalfOf })).type, "identity-not-confirmed");
  }
});

test("an identity is used by its id and by its address, lives on, and is of no use once it is revoked", async () => {
  const scene = messageScene();
  const id = await scene.confirm("alice@example.org");
  scene.now += 1000;
  await scene.sent({ onBehalfOf: id });
  const found = await scene.service.identities.find(scene.site, id);
  assert.ok(found.ok);
  assert.equal(found.identity.lastUsedAt, scene.now);
  assert.ok((await scene.service.identities.revoke(scene.site, id)).ok);
  assert.equal((await scene.refused({ onBehalfOf: id })).type, "identity-not-confirmed");
});

test("an identity that is revoked between the look and the transaction is not used", async () => {
  const scene = messageScene({ zone: {} });
  const id = await scene.confirm("alice@example.org");
  const { send } = scene.store;
  let sends = 0;
  Object.assign(scene.store, {
    send: async (...args: Parameters<typeof send>) => {
      // In the moment before the transaction.
      if (args[0].length > 0 && sends++ === 0) await scene.service.identities.revoke(scene.site, id);
      return send(...args);
    },
  });
  assert.equal((await scene.refused()).type, "identity-not-confirmed");
  assert.equal(sends, 1);
  assert.equal(scene.store.mails.length, 1);
});

test("From of a user whose domain does not permit it: refused by name where it has to be his", async () => {
  const scene = messageScene({ zone: { "_dmarc.example.org": ["v=DMARC1; p=quarantine"] } });
  await scene.confirm("alice@example.org");
  assert.equal((await scene.refused({ fromMode: "user" })).type, "from-not-permitted");
  assert.equal((await scene.sent({ fromMode: "auto" })).from.mode, "site");
});

test("a message is found by its site alone, for 30 days, and by nothing but its id", async () => {
  const scene = messageScene();
  const { id } = await scene.sent({ ...TX, reference: "order 7" });
  const find = (site = scene.site, text = id) => scene.service.messages.find(site, text);
  const found = await find();
  assert.ok(found.ok);
  assert.equal(found.message.reference, "order 7");
  assert.deepEqual(found.message.recipients, [{ address: "bob@example.net", status: "queued" }]);
  for (const outcome of [await find(scene.other), await find(scene.site, `${id} bounce bob@example.net`)]) {
    assert.ok(!outcome.ok);
    assert.equal(outcome.problem.type, "not-found");
  }
  scene.store.state = "away";
  const away = await find();
  assert.ok(!away.ok);
  assert.equal(away.problem.type, "unavailable");
  scene.store.state = "here";
  scene.now += 30 * 86_400;
  assert.ok(!(await find()).ok);
});

test("a request may ask for less than the operator's from mode, and not for more", async () => {
  const zone = { "_dmarc.example.org": ["v=DMARC1; p=none"] };
  for (const [own, asked, mode] of [
    ["auto", "auto", "user"],
    ["auto", "user", "user"],
    ["auto", "site", "site"],
    ["user", undefined, "user"],
    ["user", "user", "user"],
    ["user", "site", "site"],
    ["user", "auto", "refused"],
    ["site", undefined, "site"],
    ["site", "site", "site"],
    ["site", "auto", "refused"],
    ["site", "user", "refused"],
  ] as const) {
    const scene = messageScene({ zone, site: { fromMode: own } });
    await scene.confirm("alice@example.org");
    const outcome = await scene.send(asked === undefined ? {} : { fromMode: asked });
    if (mode === "refused") {
      assert.ok(!outcome.ok, `${own} ${asked}`);
      assert.deepEqual([outcome.problem.type, outcome.problem.field], ["invalid-field", "fromMode"]);
      assert.equal(scene.store.mails.length, 1, "the confirmation alone");
    } else assert.equal(outcome.ok && outcome.message.from.mode, mode, `${own} ${asked}`);
  }
});
