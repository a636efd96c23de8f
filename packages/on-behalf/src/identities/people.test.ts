import assert from "node:assert/strict";
import { test } from "node:test";
import type { IdentityRequest } from "../on-behalf.ts";
import type { Refused } from "../problem.ts";
import { DAY, type IdentityScene, identityScene, START } from "../testing/identity-scene.ts";
import { createTokens } from "../tokens/create-tokens.ts";
import { manageUrl } from "./links.ts";
import { LINKS_PER_DAY, LINKS_PER_NETWORK } from "./mail-link.ts";
import { createNeverList } from "./never-list.ts";

const ALICE: IdentityRequest = { address: "alice@example.org", scope: "user" };

function problemOf(answer: { readonly ok: true } | Refused): string {
  return answer.ok ? "none" : answer.problem.type;
}

function manageTokenOf(scene: IdentityScene, address: string, site = "cards"): string {
  return manageUrl(scene.options, address, site).split("?t=")[1] ?? "";
}

async function requested(site: "cards" | "news" = "cards"): Promise<IdentityScene> {
  const scene = identityScene();
  assert.ok((await scene.identities.request(scene[site], ALICE)).ok);
  return scene;
}

async function statusOf(scene: IdentityScene): Promise<string> {
  const found = await scene.identities.find(scene.cards, ALICE.address);
  return found.ok ? found.identity.status : found.problem.type;
}

test("looking changes nothing, however often: link scanners follow links", async () => {
  const scene = await requested();
  const token = scene.confirmToken();
  const { changes } = scene.store;
  for (let times = 0; times < 5; times++) {
    const looked = await scene.people.look(token);
    assert.equal(looked.ok && looked.asked.site.title, "Example Cards");
  }
  await scene.people.mine(scene.manageToken());
  assert.equal(scene.store.changes, changes);
  assert.equal(await statusOf(scene), "pending");
  assert.ok((await scene.people.confirm(token)).ok);
});

test("a link works once: the second press is told that it is done, and so is a look", async () => {
  const scene = await requested();
  const token = scene.confirmToken();
  assert.ok((await scene.people.confirm(token)).ok);
  for (const answer of [await scene.people.confirm(token), await scene.people.look(token)]) {
    assert.ok(!answer.ok);
    assert.equal(answer.problem.type, "token-used");
    assert.match(answer.problem.detail, /was confirmed with this link/);
  }
  assert.equal(scene.events().length, 2);
});

test("of twenty presses at the same time exactly one confirms", async () => {
  const scene = await requested();
  const token = scene.confirmToken();
  const answers = await Promise.all(Array.from({ length: 20 }, () => scene.people.confirm(token)));
  assert.deepEqual(answers.map(problemOf).sort(), ["none", ...Array(19).fill("token-used")]);
  assert.equal(scene.events().filter(({ type }) => type === "identity.confirmed").length, 1);
});

test("a press and the site's letting go at the same time: one of both, and nothing in between", async () => {
  for (const first of ["press", "revoke"]) {
    const scene = await requested();
    const token = scene.confirmToken();
    const press = () => scene.people.confirm(token);
    const revoke = () => scene.identities.revoke(scene.cards, ALICE.address);
    const answers = await Promise.all(first === "press" ? [press(), revoke()] : [revoke(), press()]);
    assert.ok(answers.some(({ ok }) => ok));
    assert.equal(await statusOf(scene), "revoked");
    const usable = await scene.identities.usable(scene.cards, ALICE.address, scene.now);
    assert.equal(problemOf(usable), "identity-not-confirmed");
    assert.equal(scene.store.facts("ob-identity").length, 1, "no grant is left");
  }
});

test("a button for more that is pressed in the middle of a revocation does not survive it", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, { ...ALICE, scope: "visitor" });
  await scene.people.confirm(scene.confirmToken());
  scene.now += DAY;
  await scene.identities.request(scene.cards, ALICE);
  const token = scene.confirmToken();
  let presses = 0;
  const slow = identityScene({
    store: scene.store,
    storeOver: (store) => ({
      ...store,
      // Between what the revocation read and what it writes.
      change: async (changes) => {
        if (presses++ === 0) assert.ok((await scene.people.confirm(token)).ok);
        return store.change(changes);
      },
    }),
  });
  slow.now = scene.now;
  const revoked = await slow.identities.revoke(slow.cards, ALICE.address);
  assert.deepEqual(revoked.ok && [revoked.identity.status, revoked.identity.scope], ["revoked", "user"]);
  assert.equal(await statusOf(scene), "revoked");
  assert.equal(scene.store.facts("ob-identity").length, 1, "no grant is left");
});

test("a revoked identity is not confirmed again by the link that confirmed it", async () => {
  const scene = await requested();
  const token = scene.confirmToken();
  await scene.people.confirm(token);
  await scene.identities.revoke(scene.cards, ALICE.address);
  const answer = await scene.people.confirm(token);
  assert.ok(!answer.ok && answer.problem.type === "token-used");
  assert.doesNotMatch(answer.problem.detail, /was confirmed with/);
  assert.equal(await statusOf(scene), "revoked");
});

test("after 24 hours the link is dead, to the second", async () => {
  const scene = await requested();
  const token = scene.confirmToken();
  scene.now = START + DAY;
  for (const answer of [await scene.people.look(token), await scene.people.confirm(token)]) {
    assert.equal(problemOf(answer), "token-expired");
  }
  scene.now = START + DAY - 1;
  assert.ok((await scene.people.confirm(token)).ok);
});

test("tokens of another purpose, another signer, another site or of nobody confirm nothing", async () => {
  const scene = await requested();
  const facts = {
    purpose: "confirm" as const,
    address: ALICE.address,
    site: "cards",
    nonce: "A".repeat(22),
    expires: START + DAY,
  };
  const { tokens } = scene.options;
  const opened = tokens.open(scene.confirmToken(), "confirm", START);
  assert.ok(opened.ok);
  const confirms: [string, string][] = [
    [scene.manageToken(), "token-wrong"],
    [tokens.sign({ ...opened.facts, purpose: "manage" }), "token-wrong"],
    [tokens.sign({ ...opened.facts, purpose: "identity" }), "token-wrong"],
    [createTokens(["a secret of somebody else"]).sign(opened.facts), "token-wrong"],
    [tokens.sign(facts), "token-used"],
    [tokens.sign({ ...opened.facts, site: "news" }), "token-used"],
    [tokens.sign({ ...opened.facts, address: "bob@example.org" }), "token-used"],
    [tokens.sign({ ...opened.facts, site: "gone" }), "not-found"],
    ["", "token-malformed"],
    ["x", "token-malformed"],
    [`${scene.confirmToken()}=`, "token-malformed"],
    ["a".repeat(100_000), "token-malformed"],
  ];
  for (const [token, problem] of confirms) {
    assert.equal(problemOf(await scene.people.confirm(token)), problem, token.slice(0, 40));
    assert.equal(problemOf(await scene.people.look(token)), problem, token.slice(0, 40));
  }
  assert.equal(await statusOf(scene), "pending");
  const token = scene.confirmToken();
  for (const answer of [
    await scene.people.mine(token),
    await scene.people.revoke(token, "idn_x"),
    await scene.people.never(token, "all"),
    await scene.people.again(token, "all"),
  ]) {
    assert.equal(problemOf(answer), "token-wrong", "the link to confirm changes nothing else");
  }
});

test("a person sees all that is in his name, at every site, and nothing of others", async () => {
  const scene = await requested();
  await scene.people.confirm(scene.confirmToken());
  scene.now += DAY;
  await scene.identities.request(scene.news, { ...ALICE, address: "ALICE@example.org", scope: "visitor" });
  await scene.identities.request(scene.cards, { ...ALICE, address: "bob@example.org" });
  const mine = await scene.people.mine(manageTokenOf(scene, "alice@example.org", "news"));
  assert.ok(mine.ok);
  assert.deepEqual(
    mine.mine.identities.map(({ title, status, scope, proof }) => [title, status, scope, proof]),
    [
      ["Example Cards", "confirmed", "user", undefined],
      ["Daily News", "pending", "visitor", undefined],
    ],
  );
  assert.deepEqual(mine.mine.from, { name: "news", title: "Daily News" });
  assert.deepEqual(mine.mine.never, { all: false, sites: [] });
});

test("the link after the button is one to manage with", async () => {
  const scene = await requested();
  const pressed = await scene.people.confirm(scene.confirmToken());
  assert.ok(pressed.ok);
  const mine = await scene.people.mine(pressed.manageToken);
  assert.equal(mine.ok && mine.mine.identities[0]?.status, "confirmed");
});

test("a person ends what is in his name, and the site is told who did", async () => {
  const scene = await requested();
  await scene.people.confirm(scene.confirmToken());
  const token = scene.manageToken();
  const found = await scene.identities.find(scene.cards, ALICE.address);
  assert.ok(found.ok);
  const used = await scene.identities.usable(scene.cards, ALICE.address, scene.now);
  assert.ok(used.ok);
  assert.ok((await scene.people.revoke(token, found.identity.id)).ok);
  assert.ok((await scene.people.revoke(token, found.identity.id)).ok);
  assert.equal(await statusOf(scene), "revoked");
  assert.equal(await scene.store.change({ now: scene.now, ...used.used }), "conflict");
  assert.deepEqual(scene.events().at(-1), {
    site: "cards",
    type: "identity.revoked",
    data: { identity: found.identity.id, address: "alice@example.org", scope: "user", by: "person" },
  });
  assert.equal(scene.events().length, 3);
});

test("nobody ends what is in another's name", async () => {
  const scene = await requested();
  await scene.people.confirm(scene.confirmToken());
  const found = await scene.identities.find(scene.cards, ALICE.address);
  assert.ok(found.ok);
  const mallory = manageTokenOf(scene, "mallory@example.org");
  for (const id of [found.identity.id, "idn_0000000000000000000000", "", "alice@example.org", "../x"]) {
    assert.equal(problemOf(await scene.people.revoke(mallory, id)), "not-found");
  }
  assert.equal(await statusOf(scene), "confirmed");
});

test("a manage link is good for 180 days, again and again", async () => {
  const scene = await requested();
  const token = scene.manageToken();
  scene.now = START + 180 * DAY - 1;
  assert.ok((await scene.people.mine(token)).ok);
  assert.ok((await scene.people.mine(token)).ok);
  scene.now++;
  assert.equal(problemOf(await scene.people.mine(token)), "token-expired");
});

test("never again: of one site, of all, and back; sites ask for the address in vain", async () => {
  const scene = identityScene();
  const never = createNeverList(scene.store);
  const token = manageTokenOf(scene, "Alice@example.org");
  const refuses = async () => [
    await never.refuses("alice@example.org", "cards", scene.now),
    await never.refuses("alice@example.org", "news", scene.now),
    await never.refuses("bob@example.org", "cards", scene.now),
  ];
  assert.ok((await scene.people.never(token, "cards")).ok);
  assert.deepEqual(await refuses(), [true, false, false]);
  const asked = await scene.identities.request(scene.cards, ALICE);
  assert.deepEqual([problemOf(asked), !asked.ok && asked.problem.field], ["recipient-suppressed", "address"]);
  assert.equal(scene.store.mails.length, 0);
  assert.ok((await scene.people.never(token, "all")).ok);
  assert.deepEqual(await refuses(), [true, true, false]);
  assert.equal(problemOf(await scene.identities.request(scene.news, ALICE)), "recipient-suppressed");
  const mine = await scene.people.mine(token);
  assert.ok(mine.ok);
  assert.deepEqual(mine.mine.never, { all: true, sites: [{ name: "cards", title: "Example Cards" }] });
  assert.ok((await scene.people.again(token, "all")).ok);
  assert.deepEqual(await refuses(), [true, false, false]);
  assert.ok((await scene.people.again(token, "cards")).ok);
  assert.deepEqual(await refuses(), [false, false, false]);
  assert.ok((await scene.identities.request(scene.cards, ALICE)).ok);
});

test("never is for ever", async () => {
  const scene = identityScene();
  await scene.people.never(manageTokenOf(scene, "alice@example.org"), "all");
  const inAHundredYears = START + 100 * 366 * DAY;
  assert.equal(
    await createNeverList(scene.store).refuses("alice@example.org", "cards", inAHundredYears),
    true,
  );
});

test("the site concerned is told of it once, however often it is said; the others never", async () => {
  const scene = identityScene();
  const token = manageTokenOf(scene, "alice@example.org");
  for (const _ of [1, 2, 3]) assert.ok((await scene.people.never(token, "cards")).ok);
  for (const _ of [1, 2, 3]) assert.ok((await scene.people.never(token, "all")).ok);
  assert.ok((await scene.people.never(manageTokenOf(scene, "bob@example.org", ""), "all")).ok);
  assert.deepEqual(scene.events(), [
    { site: "cards", type: "recipient.never", data: { address: "alice@example.org", all: false } },
    { site: "cards", type: "recipient.never", data: { address: "alice@example.org", all: true } },
  ]);
  for (const site of ["", "*", "gone", "__proto__", "cards alice@example.org"]) {
    assert.equal(problemOf(await scene.people.never(token, site)), "not-found");
    assert.equal(problemOf(await scene.people.again(token, site)), "not-found");
  }
});

test("the link is mailed to whoever asks for it, and the answer is the same for each", async () => {
  const scene = await requested();
  const answers = [
    await scene.people.mailLink("alice@example.org"),
    await scene.people.mailLink("nobody@example.net"),
    await scene.people.mailLink("NOBODY@example.net"),
  ];
  assert.deepEqual(answers, [{ ok: true }, { ok: true }, { ok: true }]);
  assert.deepEqual(
    scene.store.mails.map(({ recipient }) => `${recipient.localPart}@${recipient.domain}`),
    ["alice@example.org", "alice@example.org", "nobody@example.net"],
  );
  const mine = await scene.people.mine(scene.manageToken());
  assert.deepEqual(mine.ok && mine.mine, {
    address: "nobody@example.net",
    identities: [],
    never: { all: false, sites: [] },
  });
});

test("one link a day to an address, also where many ask at once; the answer does not tell", async () => {
  const scene = identityScene();
  const ask = () => scene.people.mailLink("alice@example.org");
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  assert.deepEqual(new Set(answers.map(problemOf)), new Set(["none"]));
  assert.equal(scene.store.mails.length, 1);
  scene.now += DAY - 1;
  await ask();
  assert.equal(scene.store.mails.length, 1);
  scene.now++;
  await ask();
  assert.equal(scene.store.mails.length, 2);
});

test("one link a day to a person, whatever stands behind a plus", async () => {
  const scene = identityScene();
  for (const name of ["alice+1", "alice", "alice+2"]) await scene.people.mailLink(`${name}@example.org`);
  assert.equal(scene.store.mails.length, 1);
});

test("never again is of a person, with all that may stand behind a plus, and so is its end", async () => {
  const scene = identityScene();
  assert.ok((await scene.people.never(manageTokenOf(scene, "alice+cards@example.org"), "all")).ok);
  for (const address of ["alice@example.org", "alice+1@example.org"]) {
    const asked = await scene.identities.request(scene.news, { ...ALICE, address });
    assert.equal(problemOf(asked), "recipient-suppressed", address);
    const mine = await scene.people.mine(manageTokenOf(scene, address));
    assert.equal(mine.ok && mine.mine.never.all, true);
  }
  assert.ok((await scene.people.again(manageTokenOf(scene, "alice@example.org"), "all")).ok);
  const asked = await scene.identities.request(scene.news, { ...ALICE, address: "alice+1@example.org" });
  assert.equal(problemOf(asked), "none");
});

test("who wants no mail at all and lost the link gets one when he asks, once a day, and comes back with it", async () => {
  const scene = identityScene();
  await scene.people.never(manageTokenOf(scene, "alice@example.org"), "all");
  for (let times = 0; times < 3; times++) {
    assert.deepEqual(await scene.people.mailLink("alice@example.org"), { ok: true });
  }
  assert.equal(scene.store.mails.length, 1);
  assert.ok((await scene.people.again(scene.manageToken(), "all")).ok);
  const mine = await scene.people.mine(scene.manageToken());
  assert.deepEqual(mine.ok && mine.mine.never, { all: false, sites: [] });
});

async function refusedLink(scene: IdentityScene, address: string, visitorIp?: string) {
  const answer = await scene.people.mailLink(address, visitorIp);
  return answer.ok || [answer.problem.type, answer.problem.retryAfter];
}

test("so many links a day in all, also where they are asked for at once, and after a restart", async () => {
  const scene = identityScene();
  const ask = (at: number) => scene.people.mailLink(`a${at}@example.org`, `192.0.${at >> 8}.${at & 255}`);
  const answers = await Promise.all(Array.from({ length: LINKS_PER_DAY + 5 }, (_, at) => ask(at)));
  assert.equal(answers.filter(({ ok }) => ok).length, LINKS_PER_DAY);
  assert.equal(scene.store.mails.length, LINKS_PER_DAY);
  scene.now += 10;
  const restarted = identityScene({ store: scene.store });
  restarted.now = scene.now;
  assert.deepEqual(await refusedLink(restarted, "new@example.org"), ["limit-links", DAY - 10]);
  scene.now = START + DAY;
  assert.ok((await ask(9999)).ok);
});

test("one network has few links a day, and takes none of others, also after a restart", async () => {
  const scene = identityScene();
  const ask = (at: number) => refusedLink(scene, `a${at}@example.org`, `2001:db8:0:1::${at}`);
  const answers = await Promise.all(Array.from({ length: LINKS_PER_NETWORK + 5 }, (_, at) => ask(at)));
  assert.equal(answers.filter((answer) => answer === true).length, LINKS_PER_NETWORK);
  assert.deepEqual(answers.at(-1), ["limit-links", DAY]);
  const restarted = identityScene({ store: scene.store });
  assert.deepEqual(await refusedLink(restarted, "b@example.org", "2001:db8:0:1::ffff"), ["limit-links", DAY]);
  for (const visitorIp of ["2001:db8:0:2::1", "192.0.2.1", undefined]) {
    assert.equal(
      await refusedLink(restarted, `${visitorIp?.length}@example.org`, visitorIp),
      true,
      visitorIp,
    );
  }
  for (const { value } of scene.store.facts("ob-mailed")) assert.doesNotMatch(value, /2001/);
});

test("a second link to one address takes none of the links of others", async () => {
  const scene = identityScene();
  for (let at = 0; at < LINKS_PER_NETWORK + 5; at++) {
    await scene.people.mailLink("alice@example.org", "192.0.2.1");
  }
  assert.ok((await scene.people.mailLink("bob@example.org", "192.0.2.1")).ok);
  assert.equal(scene.store.mails.length, 2);
});

test("a link in mail of a site that is there no more, or has another name: it is that site which is stopped", async () => {
  const scene = identityScene();
  const token = manageTokenOf(scene, "alice@example.org", "old-cards");
  const mine = async () => {
    const answer = await scene.people.mine(token);
    return answer.ok ? answer.mine : undefined;
  };
  assert.deepEqual(await mine(), {
    address: "alice@example.org",
    identities: [],
    never: { all: false, sites: [] },
    from: { name: "old-cards", title: "old-cards" },
  });
  assert.ok((await scene.people.never(token, "old-cards")).ok);
  const stopped = await mine();
  assert.deepEqual(stopped?.never, {
    all: false,
    sites: [{ name: "old-cards", title: "old-cards" }],
  });
  assert.deepEqual(
    scene.store.facts("ob-never").map(({ key }) => key),
    ["old-cards alice@example.org"],
  );
  assert.deepEqual(scene.events(), [], "nobody is there to be told");
  assert.ok((await scene.people.again(token, "old-cards")).ok);
  assert.equal(scene.store.facts("ob-never").length, 0);
  // Of whoever else, that site is none.
  const other = manageTokenOf(scene, "alice@example.org");
  assert.equal(problemOf(await scene.people.never(other, "old-cards")), "not-found");
});

test("a link that stood in mail of no site has none", async () => {
  const scene = identityScene();
  const mine = await scene.people.mine(manageTokenOf(scene, "alice@example.org", ""));
  assert.ok(mine.ok && mine.mine.from === undefined);
});
