import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_PATH } from "@homing/srs-core";
import type { IdentityRequest } from "../on-behalf.ts";
import type { Refused } from "../problem.ts";
import { DAY, type IdentityScene, identityScene, START } from "../testing/identity-scene.ts";
import { createTokens, publicTokens } from "../tokens/create-tokens.ts";

const ALICE: IdentityRequest = { address: "alice@example.org", scope: "user" };

function problemOf(answer: { readonly ok: true } | Refused): string {
  return answer.ok ? "none" : answer.problem.type;
}

async function confirmed(scene: IdentityScene, request = ALICE, site = scene.cards): Promise<string> {
  const asked = await scene.identities.request(site, request);
  assert.ok(asked.ok && asked.mailed);
  assert.ok((await scene.people.confirm(scene.confirmToken())).ok);
  return asked.identity.id;
}

test("from the request to the button: pending, mailed, confirmed, and the site is told of both", async () => {
  const scene = identityScene();
  const asked = await scene.identities.request(scene.cards, {
    ...ALICE,
    returnUrl: "https://site.example/back",
  });
  assert.ok(asked.ok);
  const { id } = asked.identity;
  assert.match(id, /^idn_[A-Za-z0-9_-]{22}$/);
  assert.deepEqual(asked, {
    ok: true,
    mailed: true,
    identity: {
      id,
      site: "cards",
      address: "alice@example.org",
      scope: "user",
      status: "pending",
      requestedAt: START,
      expires: START + DAY,
    },
  });
  scene.now += 60;
  const pressed = await scene.people.confirm(scene.confirmToken());
  assert.ok(pressed.ok);
  assert.deepEqual(
    [pressed.asked.site.name, pressed.asked.address, pressed.asked.scope, pressed.asked.returnUrl],
    ["cards", "alice@example.org", "user", "https://site.example/back"],
  );
  const found = await scene.identities.find(scene.cards, id);
  assert.ok(found.ok);
  const { proof = "", ...identity } = found.identity;
  assert.deepEqual(identity, {
    ...asked.identity,
    status: "confirmed",
    confirmedAt: START + 60,
    expires: START + 60 + 180 * DAY,
  });
  const seen = publicTokens(scene.options.tokens.publicKeys).open(proof, "identity", scene.now);
  assert.ok(seen.ok);
  assert.deepEqual([seen.facts.address, seen.facts.site], ["alice@example.org", "cards"]);
  const data = { identity: id, address: "alice@example.org", scope: "user" };
  assert.deepEqual(scene.events(), [
    { site: "cards", type: "identity.pending", data },
    { site: "cards", type: "identity.confirmed", data },
  ]);
});

test("the mail goes to the address alone, from nobody who could be answered, and is kept with the facts", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, ALICE);
  const [mail] = scene.store.mails;
  assert.deepEqual([mail?.sender, mail?.reversePath], [NULL_PATH, NULL_PATH]);
  assert.deepEqual(mail?.recipient, { localPart: "alice", domain: "example.org" });
  assert.equal(scene.store.changes, 1);
});

test("it is found by its id and by its address in any case; by no other site", async () => {
  const scene = identityScene();
  const id = await confirmed(scene, { ...ALICE, address: "Alice@Example.ORG" });
  for (const name of [id, "alice@example.org", "ALICE@EXAMPLE.ORG", "Alice@example.org"]) {
    const found = await scene.identities.find(scene.cards, name);
    assert.equal(found.ok && found.identity.address, "Alice@example.org", name);
    assert.equal(problemOf(await scene.identities.find(scene.news, name)), "not-found", name);
    assert.equal(
      problemOf(await scene.identities.usable(scene.news, name, scene.now)),
      "identity-not-confirmed",
      name,
    );
    assert.equal(problemOf(await scene.identities.revoke(scene.news, name)), "not-found", name);
  }
  for (const name of [
    "",
    "idn_",
    "idn_x",
    `${id}x`,
    `${id} x`,
    "bob@example.org",
    "x",
    "a@b\r\n",
    "*",
    id.toUpperCase(),
  ]) {
    assert.equal(problemOf(await scene.identities.find(scene.cards, name)), "not-found", name);
    assert.equal(problemOf(await scene.identities.revoke(scene.cards, name)), "not-found", name);
  }
});

test("the grant of an identity is no identity, whoever guesses its key", async () => {
  const scene = identityScene();
  await confirmed(scene);
  for (const { key } of scene.store.facts("ob-identity")) {
    if (!key.includes(" ")) continue;
    assert.equal(problemOf(await scene.identities.find(scene.cards, key)), "not-found");
  }
});

test("what is confirmed is not mailed again", async () => {
  const scene = identityScene();
  const id = await confirmed(scene);
  scene.now += 2 * DAY;
  const again = await scene.identities.request(scene.cards, { ...ALICE, address: "ALICE@example.org" });
  assert.ok(again.ok && !again.mailed);
  assert.deepEqual([again.identity.id, again.identity.status], [id, "confirmed"]);
  assert.equal(scene.store.mails.length, 1);
});

test("one mail a day to an address: another request is told when, of the same site and of another", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, ALICE);
  scene.now += 100;
  for (const site of [scene.cards, scene.news]) {
    const again = await scene.identities.request(site, { ...ALICE, address: "Alice@EXAMPLE.org" });
    assert.ok(!again.ok);
    assert.deepEqual([again.problem.type, again.problem.retryAfter], ["confirmation-pending", DAY - 100]);
  }
  assert.equal(scene.store.mails.length, 1);
  scene.now = START + DAY - 1;
  const almost = await scene.identities.request(scene.news, ALICE);
  assert.equal(!almost.ok && almost.problem.retryAfter, 1);
  scene.now = START + DAY;
  assert.ok((await scene.identities.request(scene.news, ALICE)).ok);
  assert.equal(scene.store.mails.length, 2);
});

test("one mail a day to a person: what stands behind a plus makes no new one; each address is confirmed by itself", async () => {
  const scene = identityScene();
  await confirmed(scene, { ...ALICE, address: "alice+1@example.org" });
  for (const address of ["alice@example.org", "alice+2@example.org", "Alice+3@Example.org"]) {
    const asked = await scene.identities.request(scene.cards, { ...ALICE, address });
    assert.equal(problemOf(asked), "confirmation-pending", address);
    const usable = await scene.identities.usable(scene.cards, address, scene.now);
    assert.equal(problemOf(usable), "identity-not-confirmed", address);
  }
  assert.equal(scene.store.mails.length, 1);
  const other = await scene.identities.request(scene.cards, { ...ALICE, address: "alice-2@example.org" });
  assert.equal(problemOf(other), "none");
});

test("of requests at the same time one is mailed, whichever site and whichever case", async () => {
  const scene = identityScene();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      scene.identities.request(at % 2 ? scene.cards : scene.news, {
        ...ALICE,
        address: at % 3 ? "alice@example.org" : "ALICE@example.org",
      }),
    ),
  );
  assert.equal(answers.filter(({ ok }) => ok).length, 1);
  for (const answer of answers) {
    if (answer.ok) continue;
    assert.deepEqual([answer.problem.type, answer.problem.retryAfter], ["confirmation-pending", DAY]);
  }
  assert.equal(scene.store.mails.length, 1);
  assert.equal(scene.events().length, 1);
});

test("a confirmation on the first day, revoked, does not make room for a second mail on that day", async () => {
  const scene = identityScene();
  await confirmed(scene);
  scene.now += 3600;
  await scene.identities.revoke(scene.cards, ALICE.address);
  const again = await scene.identities.request(scene.cards, ALICE);
  assert.ok(!again.ok);
  const { type, detail, hint, retryAfter } = again.problem;
  assert.deepEqual([type, retryAfter], ["confirmation-pending", DAY - 3600]);
  assert.match(detail, /was used, or what it asked for was taken back/);
  assert.equal(hint, "a new one can be mailed in 23 hours");
  scene.now += DAY - 3600;
  const id = await confirmed(scene);
  const found = await scene.identities.find(scene.cards, id);
  assert.ok(found.ok);
  assert.deepEqual([found.identity.status, found.identity.revokedAt], ["confirmed", undefined]);
});

test("a site has as many confirmations mailed in 24 hours as messages; another is not touched by it", async () => {
  const limits = { ...identityScene().cards.limits, sitePerDay: 3 };
  const scene = identityScene({ cards: { limits } });
  const request = (name: string, site = scene.cards) =>
    scene.identities.request(site, { ...ALICE, address: `${name}@example.org` });
  scene.canSign = false;
  for (const name of ["a", "b", "c", "d"]) assert.equal(problemOf(await request(name)), "unavailable");
  scene.canSign = true;
  const answers = await Promise.all(["a", "b", "c", "d", "e"].map((name) => request(name)));
  assert.deepEqual(answers.map(problemOf), ["none", "none", "none", "limit-site", "limit-site"]);
  scene.now += 1000;
  const refused = await request("f");
  assert.equal(!refused.ok && refused.problem.retryAfter, DAY - 1000);
  assert.ok((await request("f", scene.news)).ok);
  const restarted = identityScene({ store: scene.store, cards: { limits } });
  restarted.now = scene.now;
  const after = await restarted.identities.request(restarted.cards, { ...ALICE, address: "g@example.org" });
  assert.equal(problemOf(after), "limit-site");
  scene.now = START + DAY;
  assert.equal(problemOf(await request("f")), "confirmation-pending", "the other site asked for f");
  assert.ok((await request("g")).ok);
});

test("an identity ends 180 days behind its last use, and not before", async () => {
  const scene = identityScene();
  const id = await confirmed(scene);
  scene.now = START + 180 * DAY - 1;
  const used = await scene.identities.usable(scene.cards, id, scene.now);
  assert.ok(used.ok);
  assert.equal(await scene.store.change({ now: scene.now, ...used.used }), "done");
  scene.now = START + 360 * DAY - 2;
  const found = await scene.identities.find(scene.cards, id);
  assert.ok(found.ok);
  assert.deepEqual(
    [found.identity.status, found.identity.lastUsedAt, found.identity.expires],
    ["confirmed", START + 180 * DAY - 1, START + 360 * DAY - 1],
  );
  scene.now = START + 360 * DAY - 1;
  const over = await scene.identities.find(scene.cards, id);
  assert.ok(over.ok);
  assert.deepEqual([over.identity.status, over.identity.proof], ["expired", undefined]);
  assert.equal(
    problemOf(await scene.identities.usable(scene.cards, id, scene.now)),
    "identity-not-confirmed",
  );
  assert.equal(await scene.store.change({ now: scene.now, ...used.used }), "conflict");
  scene.now += 31 * DAY;
  assert.equal(problemOf(await scene.identities.find(scene.cards, id)), "not-found");
});

test("an unused identity ends 180 days behind the button", async () => {
  const scene = identityScene();
  const id = await confirmed(scene);
  assert.ok((await scene.identities.usable(scene.cards, id, START + 180 * DAY - 1)).ok);
  assert.equal(
    problemOf(await scene.identities.usable(scene.cards, id, START + 180 * DAY)),
    "identity-not-confirmed",
  );
});

test("what was revoked while a message was made is not used, and does not come back by that", async () => {
  const scene = identityScene();
  const id = await confirmed(scene);
  const used = await scene.identities.usable(scene.cards, id, scene.now);
  assert.ok(used.ok);
  assert.ok((await scene.identities.revoke(scene.cards, id)).ok);
  assert.equal(await scene.store.change({ now: scene.now, ...used.used }), "conflict");
  const found = await scene.identities.find(scene.cards, id);
  assert.equal(found.ok && found.identity.status, "revoked");
  scene.now += DAY;
  await confirmed(scene);
  assert.equal(await scene.store.change({ now: scene.now, ...used.used }), "conflict");
});

test("many messages at once all use it", async () => {
  const scene = identityScene();
  const id = await confirmed(scene);
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const used = await scene.identities.usable(scene.cards, id, scene.now);
      return used.ok ? scene.store.change({ now: scene.now, ...used.used }) : "refused";
    }),
  );
  assert.deepEqual(new Set(outcomes), new Set(["done"]));
});

test("nobody who did not press the button is usable, and the site is told why", async () => {
  const scene = identityScene();
  const why = async () => {
    const answer = await scene.identities.usable(scene.cards, ALICE.address, scene.now);
    assert.ok(!answer.ok && answer.problem.type === "identity-not-confirmed");
    return answer.problem.detail;
  };
  assert.match(await why(), /never asked/);
  await scene.identities.request(scene.cards, ALICE);
  assert.match(await why(), /not pressed/);
  await scene.people.look(scene.confirmToken());
  assert.match(await why(), /not pressed/);
  scene.now += DAY;
  assert.match(await why(), /is over/);
  await confirmed(scene);
  await scene.identities.revoke(scene.cards, ALICE.address);
  assert.match(await why(), /taken back/);
});

test("the site lets go of it: of a pending one the link is dead, and twice is once", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, ALICE);
  const token = scene.confirmToken();
  for (const _ of [1, 2]) {
    const revoked = await scene.identities.revoke(scene.cards, ALICE.address);
    assert.ok(revoked.ok);
    assert.deepEqual([revoked.identity.status, revoked.identity.revokedAt], ["revoked", START]);
  }
  assert.equal(problemOf(await scene.people.confirm(token)), "token-used");
  assert.deepEqual(
    scene.events().map(({ type, data }) => [type, data.by]),
    [
      ["identity.pending", undefined],
      ["identity.revoked", "site"],
    ],
  );
});

test("a visitor becomes a user by another button, and is a visitor until then", async () => {
  const scene = identityScene();
  const id = await confirmed(scene, { ...ALICE, scope: "visitor" });
  scene.now += DAY;
  const asked = await scene.identities.request(scene.cards, ALICE);
  assert.ok(asked.ok && asked.mailed);
  assert.deepEqual([asked.identity.status, asked.identity.scope], ["confirmed", "visitor"]);
  // Whoever reads a proof takes its owner for a user.
  assert.equal(asked.identity.proof, undefined);
  const seen = await scene.identities.find(scene.cards, id);
  assert.ok(seen.ok && seen.identity.proof === undefined);
  const old = await scene.identities.usable(scene.cards, id, scene.now);
  assert.ok(old.ok && old.identity.scope === "visitor" && old.identity.proof === undefined);
  assert.ok((await scene.people.confirm(scene.confirmToken())).ok);
  const found = await scene.identities.find(scene.cards, id);
  assert.equal(found.ok && found.identity.scope, "user");
  assert.ok(found.ok && found.identity.proof);
  assert.equal(
    await scene.store.change({ now: scene.now, ...old.used }),
    "conflict",
    "it would make a visitor of him",
  );
  const visitor = await scene.identities.request(scene.cards, { ...ALICE, scope: "visitor" });
  assert.ok(visitor.ok && !visitor.mailed, "who may write may write a note");
});

test("the button for more is dead once what it is more of was revoked", async () => {
  const scene = identityScene();
  const id = await confirmed(scene, { ...ALICE, scope: "visitor" });
  scene.now += DAY;
  await scene.identities.request(scene.cards, ALICE);
  await scene.identities.revoke(scene.cards, id);
  assert.equal(problemOf(await scene.people.confirm(scene.confirmToken())), "token-used");
  const found = await scene.identities.find(scene.cards, id);
  assert.equal(found.ok && found.identity.status, "revoked");
});

const badAddresses = [
  "",
  "alice",
  "@example.org",
  "alice@",
  "<alice@example.org>",
  "Alice <alice@example.org>",
  "alice@example.org,bob@example.org",
  "alice@example.org\r\nBcc: bob@example.org",
  "alice\r\n@example.org",
  '"alice\r\nBcc: bob"@example.org',
  '"a\\\r\\\nBcc: bob"@example.org',
  "alice@example.org\n",
  "alice@example.org\0",
  "ali\u0085ce@example.org",
  "jörg\r\nX: y@example.org",
  "j\u2028\u0000örg@example.org",
  "alice@[127.0.0.1]",
  "alice@[IPv6:::1]",
  `${"a".repeat(300)}@example.org`,
  "\ud800@example.org",
];
for (const address of badAddresses) {
  test(`${JSON.stringify(address.slice(0, 50))} is no address: no mail, no fact`, async () => {
    const scene = identityScene();
    const answer = await scene.identities.request(scene.cards, { ...ALICE, address });
    assert.ok(!answer.ok);
    assert.deepEqual([answer.problem.type, answer.problem.field], ["invalid-field", "address"]);
    assert.equal(problemOf(await scene.people.mailLink(address)), "invalid-field");
    assert.equal(scene.store.changes, 0);
  });
}

for (const address of ["SRS0=k5jjmthi=G3=a.example=bob@news.bounce.example", "Nobody@Cards.Bounce.example"]) {
  test(`${address} is a return path of ours: nobody reads there, and no mail goes there`, async () => {
    const scene = identityScene();
    const answer = await scene.identities.request(scene.cards, { ...ALICE, address });
    assert.ok(!answer.ok);
    assert.deepEqual([answer.problem.type, answer.problem.field], ["invalid-field", "address"]);
    assert.equal(scene.store.changes, 0);
  });
}

test("a local part in other letters, or in another form of Unicode, is the same: one identity, one mail", async () => {
  const scene = identityScene();
  const id = await confirmed(scene, { ...ALICE, address: "J\u00d6RG@example.org" });
  for (const address of ["j\u00f6rg@example.org", "jo\u0308rg@example.org", "JO\u0308RG@EXAMPLE.org"]) {
    const found = await scene.identities.find(scene.cards, address);
    assert.equal(found.ok && found.identity.id, id);
  }
  assert.equal(scene.store.mails.length, 1);
});

test("a page to return to that is none of the site's: no mail", async () => {
  const scene = identityScene();
  const returnUrl = "https://site.example.evil.example/";
  const answer = await scene.identities.request(scene.cards, { ...ALICE, returnUrl });
  assert.ok(!answer.ok);
  assert.deepEqual([answer.problem.type, answer.problem.field], ["return-url-not-allowed", "returnUrl"]);
  assert.equal(scene.store.changes, 0);
});

test("every address that can be asked for can be confirmed, found and revoked, however it is quoted", async () => {
  for (const address of [
    '"a b"@example.org',
    "a..b.@docomo.example",
    '"\\"\\\\"@example.org',
    "jörg@bücher.example",
  ]) {
    const scene = identityScene();
    const id = await confirmed(scene, { ...ALICE, address });
    const found = await scene.identities.find(scene.cards, address);
    assert.equal(found.ok && found.identity.id, id, address);
    const mine = await scene.people.mine(scene.manageToken());
    assert.equal(mine.ok && mine.mine.identities[0]?.status, "confirmed", address);
    assert.ok((await scene.people.revoke(scene.manageToken(), id)).ok, address);
  }
});

test("a proof is good for 30 days at most, and not longer than the identity", async () => {
  const scene = identityScene();
  await confirmed(scene);
  const expires = async () => {
    const found = await scene.identities.find(scene.cards, ALICE.address);
    assert.ok(found.ok);
    const open = (now: number) => scene.options.tokens.open(found.identity.proof ?? "", "identity", now);
    const opened = open(scene.now);
    assert.ok(opened.ok);
    return opened.facts.expires;
  };
  assert.equal(await expires(), START + 30 * DAY);
  scene.now = START + 170 * DAY;
  assert.equal(await expires(), START + 180 * DAY);
});

test("the key that signed a link may be the one before the newest; of the one before that it is dead", async () => {
  const [first, second, third] = ["secret one", "secret two", "secret three"] as const;
  const scene = identityScene({ secrets: [first] });
  await scene.identities.request(scene.cards, ALICE);
  const token = scene.confirmToken();
  const twice = identityScene({ store: scene.store, secrets: [third, second, first] });
  assert.equal(problemOf(await twice.people.confirm(token)), "token-wrong");
  const once = identityScene({ store: scene.store, secrets: [second, first] });
  assert.ok((await once.people.confirm(token)).ok);
  assert.equal(createTokens([first]).open(token, "confirm", START).ok, true);
});
