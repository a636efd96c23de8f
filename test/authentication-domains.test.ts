// Domains of one service with rules of their own about who may send. `homing serve`, with DNS of the story.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ForwarderEvent } from "@homing/forwarder";
import {
  address,
  authenticationScene,
  clientOf,
  fieldOf,
  message,
  type ServedScene,
  type StoryZone,
  servedScene,
  storyFolder,
  texts,
} from "./harness/authentication-scene.ts";

const FORGED = "bob@forged.example";
const GOOD = "bob@good.example";
const ZONE: StoryZone = {
  "forged.example": texts("v=spf1 ip4:192.0.2.1 -all"),
  "soft.example": texts("v=spf1 ip4:192.0.2.1 ~all"),
  "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "_dmarc.policy.example": texts("v=DMARC1; p=reject"),
  "2.0.0.127.clients.list.example": address("127.0.0.2"),
};
const VIRTUAL = ["strict", "mild", "open", "usual"]
  .map((name) => `alice@${name}.example private@home.example\nbob@${name}.example hidden@club.example\n`)
  .join("");

async function scene(t: TestContext): Promise<ServedScene> {
  return servedScene(t, {
    zone: ZONE,
    aliases: "postmaster: private@home.example\n",
    virtual: VIRTUAL,
    config: [
      "domains: [usual.example, strict.example, mild.example, open.example]",
      "domainAliases: { old-strict.example: strict.example, old-open.example: open.example }",
      "virtualFile: virtual",
      `stateDirectory: ${await storyFolder(t)}`,
      "authentication: { dnsbl: [clients.list.example] }",
      "domainSettings:",
      "  strict.example: { authentication: { spf: { softfail: refuse } } }",
      "  Mild.Example: { authentication: { spf: { fail: tag }, dmarc: { reject: accept }, dnsbl: [] } }",
      "  open.example: { authentication: { mode: off } }",
    ],
  });
}

/** What each domain says to one client's mail, and what the next hop is told of it. */
const ANSWERS: readonly {
  readonly to: string;
  readonly from: string;
  readonly author?: string;
  readonly client?: string;
  readonly said: RegExp;
  readonly verdict?: string;
}[] = [
  { to: "alice@usual.example", from: FORGED, said: /^550 5\.7\.23 / },
  { to: "alice@mild.example", from: FORGED, said: /^250 /, verdict: "suspect; spf-fail" },
  { to: "alice@open.example", from: FORGED, said: /^250 / },
  { to: "alice@old-open.example", from: FORGED, said: /^250 / },
  { to: "alice@usual.example", from: "bob@soft.example", said: /^250 / },
  {
    to: "alice@strict.example",
    from: "bob@soft.example",
    said: /^550 5\.7\.23 SPF: soft\.example does not name /,
  },
  { to: "ALICE@Old-Strict.Example", from: "bob@soft.example", said: /^550 5\.7\.23 / },
  { to: "alice@strict.example", from: FORGED, said: /^550 5\.7\.23 / },
  { to: "alice@usual.example", from: GOOD, author: "ceo@policy.example", said: /^550 5\.7\.26 / },
  {
    to: "alice@mild.example",
    from: GOOD,
    author: "ceo@policy.example",
    said: /^250 /,
    verdict: "accepted; dmarc-at-risk",
  },
  { to: "alice@usual.example", from: "bob@none.example", client: "127.0.0.2", said: /^550 5\.7\.1 / },
  { to: "alice@mild.example", from: "bob@none.example", client: "127.0.0.2", said: /^250 / },
];

test("each domain has its own rules, whose keys stand over those of all; names for a domain have its rules", async (t) => {
  const { send, arrived, hop } = await scene(t);
  for (const { to, from, author = from, client = "127.0.0.1", said, verdict } of ANSWERS) {
    const before = hop.messages.length;
    const what = `${from} to ${to}`;
    assert.match(await send({ from, to, client, message: message(author) }), said, what);
    assert.equal(hop.messages.length, said.source.startsWith("^250") ? before + 1 : before, what);
    if (hop.messages.length === before) continue;
    assert.equal(fieldOf(arrived(), "x-homing-verdict"), verdict, what);
    const isChecked = !to.includes("open");
    assert.equal(fieldOf(arrived(), "authentication-results") !== undefined, isChecked, what);
  }
});

test("recipients whose domains have other rules come in another transaction, those with the same do not", async (t) => {
  const { homing } = await scene(t);
  using client = await clientOf(homing.port);
  const refused: string[] = [];
  for (const [first, second, said] of [
    ["alice@usual.example", "bob@usual.example", /^250 /],
    ["alice@strict.example", "bob@old-strict.example", /^250 /],
    ["alice@usual.example", "alice@strict.example", /^452 4\.5\.3 /],
    ["alice@mild.example", "alice@usual.example", /^452 4\.5\.3 /],
    // Nobody looks at the sender there, so nobody knows whether he may be owed a bounce.
    ["alice@open.example", "bob@open.example", /^452 4\.5\.3 /],
    ["alice@usual.example", "alice@open.example", /^452 4\.5\.3 /],
  ] as const) {
    await client.ask("EHLO client.example");
    await client.ask(`MAIL FROM:<${GOOD}>`);
    assert.match(await client.ask(`RCPT TO:<${first}>`), /^250 /, first);
    assert.match(await client.ask(`RCPT TO:<${second}>`), said, second);
    if (said.source.startsWith("^452")) refused.push(second);
    await client.ask("RSET");
  }
  const events = await homing.events();
  const reasons = events.flatMap((one: ForwarderEvent) => (one.event === "refused" ? [one.reason] : []));
  assert.deepEqual(reasons, ["other-rules", "other-rules", "one-recipient", "other-rules"]);
  assert.equal(refused.length, reasons.length);
});

test("postmaster hears from whoever fails SPF, and not from a domain that sends no mail or asks for reject", async (t) => {
  const zone = {
    "fails.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "nobody.example": texts("v=spf1 -all"),
    "strict.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "_dmarc.strict.example": texts("v=DMARC1; p=reject"),
  };
  const { send, arrived } = await authenticationScene(t, zone);
  const to = "Postmaster@forwarder.example";
  assert.match(await send({ from: "bob@fails.example", to, message: message("bob@fails.example") }), /^250 /);
  assert.match(fieldOf(arrived(), "x-homing-verdict") ?? "", /^suspect; spf-fail/);
  assert.match(
    await send({ from: "bob@nobody.example", to, message: message("bob@nobody.example") }),
    /^550 5\.7\.23 /,
  );
  assert.match(
    await send({ from: "bob@strict.example", to, message: message("bob@strict.example") }),
    /^550 5\.7\.26 /,
  );
});
