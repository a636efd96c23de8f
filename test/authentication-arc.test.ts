// Chains of ARC seals (RFC 8617): a trusted sealer's word lets mail through that fails SPF and whose signature is broken, and
// nobody else's does. What leaves has a seal of ours, where there is a chain to go on with. A forwarder in this process;
// `homing serve` where dkimpy verifies.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { signed, testKey } from "../packages/forwarder/src/authentication/content/testing/signed-mail.ts";
import { ARC_PACKAGES, arc } from "./harness/arc.ts";
import {
  authenticationScene,
  fieldsOf,
  type InProcessScene,
  message,
  type SceneOptions,
  type StoryZone,
  sealer,
  servedScene,
  storyFolder,
  texts,
  trusting,
} from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";

const skip = (await storiesNeed(...ARC_PACKAGES)) ?? false;
const BOB = "bob@bank.example";
const AUTHOR = testKey("rsa", "bank.example", "s");
const LISTS = testKey("rsa", "lists.example", "s");
const PROVIDER = testKey("rsa", "provider.example", "s");
const STRANGER = testKey("rsa", "stranger.example", "s");
const OURS = testKey("rsa", "forwarder.example", "seal");
const KEYS = [AUTHOR, LISTS, PROVIDER, STRANGER, OURS];
const GOOD = "spf=pass smtp.mailfrom=bob@bank.example; dkim=pass header.d=bank.example; dmarc=pass";
const ENTRY = "arc:lists.example                mailing lists that seal";

function storyZone(): StoryZone {
  return {
    "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "_dmarc.bank.example": texts("v=DMARC1; p=reject"),
    "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
    ...Object.fromEntries(KEYS.map(({ dns: [name, text] }) => [name, texts(text)])),
  };
}

/** As a mailing list leaves it: the author's signature does not fit any more. */
const CHANGED = signed(message(BOB), AUTHOR).replace("Hello!", "[list] Hello!");

interface ArcScene extends InProcessScene {
  readonly zone: StoryZone;
}

async function scene(t: TestContext, entries = [ENTRY], options: SceneOptions = {}): Promise<ArcScene> {
  const zone = storyZone();
  const authentication = { trustedForwarders: trusting(...entries), ...options.authentication };
  return { ...(await authenticationScene(t, zone, { ...options, authentication })), zone };
}

test("a chain of a trusted sealer lets the mail through, and the log has the entry and its reason", async (t) => {
  const { send, authenticated } = await scene(t);
  const seal = sealer(t, LISTS);
  assert.match(await send({ from: BOB, message: await seal(CHANGED, GOOD) }), /^250 /);
  const found = authenticated();
  assert.deepEqual(found?.trusted, {
    line: 1,
    entry: "arc:lists.example",
    reason: "mailing lists that seal",
  });
  assert.deepEqual([found?.arc, found?.overridden?.by], ["pass", "trusted-forwarder"]);
});

/** How one message is refused that the first test's entry would let through. */
const refused: [what: string, entries: string[], make: (t: TestContext) => Promise<string>][] = [
  ["of a sealer without an entry", [ENTRY], (t) => sealer(t, STRANGER)(CHANGED, GOOD)],
  [
    "of a sealer whose entry has expired",
    ["arc:lists.example until=2026-12-31 lists"],
    (t) => sealer(t, LISTS)(CHANGED, GOOD),
  ],
  [
    "of a sealer who is trusted for another recipient",
    ["arc:lists.example for=list@forwarder.example lists"],
    (t) => sealer(t, LISTS)(CHANGED, GOOD),
  ],
  [
    "whose message was changed after it",
    [ENTRY],
    async (t) => (await sealer(t, LISTS)(CHANGED, GOOD)).replace("Hello!", "Pay me"),
  ],
  [
    "whose results were changed after it",
    [ENTRY],
    async (t) =>
      (await sealer(t, LISTS)(CHANGED, GOOD.replace("dmarc=pass", "dmarc=fail"))).replace(
        "dmarc=fail",
        "dmarc=pass",
      ),
  ],
  [
    "of a trusted sealer who says that DMARC failed",
    [ENTRY],
    (t) => sealer(t, LISTS)(CHANGED, "spf=pass; dkim=pass header.d=evil.example; dmarc=fail"),
  ],
  [
    "of a trusted sealer who found nothing good",
    [ENTRY],
    (t) => sealer(t, LISTS)(CHANGED, "spf=fail; dmarc=none"),
  ],
  ...[
    "spf=pass smtp.mailfrom=dmarc=pass@evil.example; dmarc=fail header.from=bank.example",
    'spf=pass smtp.mailfrom="; dmarc=pass; "@evil.example; dmarc=fail header.from=bank.example',
    'spf=pass smtp.helo="dmarc=pass; dmarc=fail',
    "spf=pass (dmarc=pass); dmarc=fail",
  ].map((results): [string, string[], (t: TestContext) => Promise<string>] => [
    `of a trusted sealer whose words hold a forger's (${results})`,
    [ENTRY],
    (t) => sealer(t, LISTS)(CHANGED, results),
  ]),
  [
    "that a stranger sealed last",
    [ENTRY],
    async (t) => sealer(t, STRANGER)(await sealer(t, LISTS)(CHANGED, GOOD), GOOD, 1),
  ],
];

for (const [what, entries, make] of refused) {
  test(`a chain ${what} changes nothing: 550`, async (t) => {
    const { send, told } = await scene(t, entries);
    assert.match(await send({ from: BOB, message: await make(t) }), /^550 5\.7\.23 /);
    assert.deepEqual(
      told("refused").map((one) => one.event === "refused" && one.stage),
      ["data"],
    );
  });
}

test("the seal of the sender's own provider below that of a trusted list does no harm", async (t) => {
  const { send, authenticated } = await scene(t);
  const provided = await sealer(t, PROVIDER)(CHANGED, GOOD);
  assert.match(await send({ from: BOB, message: await sealer(t, LISTS)(provided, GOOD, 1) }), /^250 /);
  assert.equal(authenticated()?.trusted?.entry, "arc:lists.example");
});

test("a sealer's key that cannot be had defers the mail, and when it can be had, the mail passes", async (t) => {
  const { send, zone, pass } = await scene(t);
  const sending = { from: BOB, message: await sealer(t, LISTS)(CHANGED, GOOD) };
  zone[LISTS.dns[0]] = "SERVFAIL";
  assert.match(await send(sending), /^451 4\.4\.3 /);
  zone[LISTS.dns[0]] = texts(LISTS.dns[1]);
  pass(4_001);
  assert.match(await send(sending), /^250 /);
});

test("where no sealer is trusted, a sealer's key that cannot be had keeps no mail waiting", async (t) => {
  const { send, zone } = await scene(t, []);
  zone[LISTS.dns[0]] = "SERVFAIL";
  assert.match(await send({ from: BOB, message: await sealer(t, LISTS)(CHANGED, GOOD) }), /^550 5\.7\.23 /);
});

const SEALS: SceneOptions = {
  authentication: { sealKey: OURS },
  notSealed: new Set(["club.example"]),
};

function setsOf(text: string): readonly string[] {
  return fieldsOf(text)
    .filter(([name]) => name === "arc-seal")
    .map(([, value]) => /^i=(\d+);.*\bcv=(\w+)/.exec(value)?.slice(1).join(" ") ?? value);
}

test("a destination that wants no seal gets none, and another one of the same alias does", async (t) => {
  const { send, hop } = await scene(t, [ENTRY], SEALS);
  const reply = await send({ from: "bob@good.example", to: "list@forwarder.example" });
  assert.match(reply, /^250 /);
  const recipients = hop.commands.flatMap((line) => /^RCPT TO:<([^>]*)>/.exec(line)?.[1] ?? []);
  assert.deepEqual(recipients.toSorted(), ["hidden@club.example", "private@home.example"]);
  const sets = hop.messages.map((one) => setsOf(one.toString("latin1")));
  const byRecipient = new Map(recipients.map((recipient, at) => [recipient, sets[at]]));
  assert.deepEqual(byRecipient.get("private@home.example"), ["1 none"]);
  assert.deepEqual(byRecipient.get("hidden@club.example"), []);
});

test("a chain that fails is not sealed, and that is no alarm", async (t) => {
  const { send, arrived, told, authenticated } = await scene(t, [ENTRY], SEALS);
  const sealed = await sealer(t, LISTS)(message("bob@good.example"), GOOD);
  const broken = sealed.replace("Hello!", "Pay me");
  assert.match(await send({ from: "bob@good.example", message: broken }), /^250 /);
  assert.equal(authenticated()?.arc, "fail");
  assert.equal(arrived().endsWith(broken), true);
  assert.deepEqual(setsOf(arrived()), ["1 none"], "the old one, and none of ours");
  assert.deepEqual(told("not-sealed"), []);
});

test("a chain that cannot be checked now is not sealed, and that is an alarm; the mail goes on", async (t) => {
  const { send, zone, arrived, told } = await scene(t, [ENTRY], SEALS);
  zone[LISTS.dns[0]] = "SERVFAIL";
  const sealed = await sealer(t, LISTS)(message("bob@good.example"), GOOD);
  assert.match(await send({ from: "bob@good.example", message: sealed }), /^250 /);
  assert.deepEqual(setsOf(arrived()), ["1 none"]);
  assert.deepEqual(
    told("not-sealed").map((one) => one.event === "not-sealed" && one.cause),
    ["unchecked-chain"],
  );
});

test("a seal that cannot be made is an alarm, and the mail goes on without it", async (t) => {
  const key = { ...OURS, privateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" };
  const { send, arrived, told } = await scene(t, [ENTRY], { authentication: { sealKey: key } });
  assert.match(await send({ from: "bob@good.example" }), /^250 /);
  assert.deepEqual(setsOf(arrived()), []);
  assert.match(arrived(), /^Authentication-Results: mx\.forwarder\.example;/m);
  assert.equal(told("not-sealed").length, 1);
});

test("on a good chain our seal is the second, and dkimpy verifies both; with another body it does not", {
  skip,
}, async (t) => {
  const folder = await storyFolder(t, { "seal.key": OURS.privateKey, trusted: `${ENTRY}\n` });
  const scene = await servedScene(t, {
    zone: storyZone(),
    config: [
      "domains: [forwarder.example]",
      "authentication:",
      `  trustedForwardersFile: ${folder}/trusted`,
      `  arc: { domain: forwarder.example, selector: seal, keyFile: ${folder}/seal.key, except: [club.example] }`,
    ],
  });
  await using peer = await arc();
  const dns = Object.fromEntries(KEYS.map((key) => key.dns));
  const withResults = Buffer.from(
    `Authentication-Results: mx.lists.example; spf=pass smtp.mailfrom=bob@bank.example; dmarc=pass\r\n${CHANGED}`,
  );
  const signer = { ...LISTS, privateKeyPem: LISTS.privateKey };
  const sealed = await peer.seal(withResults, signer, "mx.lists.example");
  assert.match(await scene.send({ from: BOB, message: sealed }), /^250 /);
  const arrived = Buffer.from(scene.arrived(), "latin1");
  assert.deepEqual(setsOf(scene.arrived()), ["2 pass", "1 none"]);
  assert.deepEqual(await peer.verify(arrived, { dns }), { chain: "pass", reason: "success" });
  const changed = Buffer.from(scene.arrived().replace("Hello!", "Pay me"), "latin1");
  assert.equal((await peer.verify(changed, { dns })).chain, "fail");

  assert.match(await scene.send({ from: "bob@good.example", to: "list@forwarder.example" }), /^250 /);
  const sets = scene.hop.messages.slice(1).map((one) => setsOf(one.toString("latin1")).join());
  assert.deepEqual(sets.toSorted(), ["", "1 none"], "one of the two is in `except`");
});
