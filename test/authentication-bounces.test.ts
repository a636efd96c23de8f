// What comes to SRS addresses: bounces are taken whoever brings them, automatic answers of people with a sender are mail like
// any other. A forwarder in this process, with DNS of the story.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { BOUNCE_SETTINGS, createBouncePolicy } from "@homing/forwarder";
import { authenticationScene, clientOf, type InProcessScene, texts } from "./harness/authentication-scene.ts";
import { remoteBounce, srsAddress } from "./harness/bounce-peers.ts";

const OPEN = "open@forwarder.example";
const CAROL = "carol@home.example";
const EVE = "eve@forged.example";
const ZONE = {
  "home.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "forged.example": texts("v=spf1 ip4:192.0.2.1 -all"),
  "strict.example": texts("v=spf1 ip4:127.0.0.0/8 -all"),
  "_dmarc.strict.example": texts("v=DMARC1; p=reject"),
  "broken.example": "SERVFAIL",
} as const;

function scene(t: TestContext): Promise<InProcessScene> {
  return authenticationScene(t, ZONE, {
    aliases: `open: ${CAROL}\n`,
    bouncePolicy: createBouncePolicy({
      all: { ...BOUNCE_SETTINGS, autoReplies: "forward" },
      byAlias: new Map(),
    }),
  });
}

const answerOf = (author: string): string =>
  `Auto-Submitted: auto-replied\r\nFrom: <${author}>\r\nTo: <bob@source.example>\r\nSubject: away\r\n\r\nI am away.\r\n`;

test("an automatic answer whose sender is forged is refused, and one whose author DMARC disowns; a good one goes on", async (t) => {
  const { send, forwarder, hop, told } = await scene(t);
  const to = srsAddress(forwarder.rewriter, OPEN);
  assert.match(await send({ from: EVE, to, message: answerOf(EVE) }), /^550 5\.7\.23 /);
  assert.match(await send({ from: "x@broken.example", to, message: answerOf(EVE) }), /^451 4\.4\.3 /);
  const disowned = answerOf("ceo@strict.example");
  assert.match(await send({ from: CAROL, to, message: disowned }), /^550 5\.7\.26 /);
  assert.equal(hop.messages.length, 0);
  assert.match(await send({ from: CAROL, to, message: answerOf(CAROL) }), /^250 /);
  assert.equal(hop.messages.length, 1);
  assert.equal(told("authenticated").length, 2);
});

test("a bounce is taken whoever brings it, whatever its header says, and its client goes to the log", async (t) => {
  const { forwarder, told } = await scene(t);
  const to = srsAddress(forwarder.rewriter, OPEN);
  for (const [helo, spf] of [
    ["forged.example", "fail"],
    ["broken.example", "temperror"],
    ["[127.0.0.1]", "none"],
    ["home.example", "pass"],
  ] as const) {
    using client = await clientOf(forwarder.port);
    await client.ask(`EHLO ${helo}`);
    await client.ask("MAIL FROM:<>");
    assert.match(await client.ask(`RCPT TO:<${to}>`), /^250 /, helo);
    await client.ask("DATA");
    client.send(`${remoteBounce({ target: CAROL }).replace(/^From: .*/, "From: <ceo@strict.example>")}.\r\n`);
    assert.match(await client.reply(), /^250 /, helo);
    const last = told("bounce-client").at(-1);
    assert.ok(last?.event === "bounce-client");
    assert.deepEqual([last.client, last.spf], ["127.0.0.1", spf]);
  }
  assert.deepEqual(told("authenticated"), []);
  assert.deepEqual(told("refused"), []);
});

test("what goes back to the original sender says nothing of how its bounce was authenticated", async (t) => {
  const { send, forwarder, arrived } = await scene(t);
  const to = srsAddress(forwarder.rewriter, OPEN);
  assert.match(await send({ from: "", to, message: remoteBounce({ target: CAROL }) }), /^250 /);
  assert.doesNotMatch(arrived(), /Received-SPF|Authentication-Results|X-Homing-Verdict|X-Forwarded/i);
});
