// Somebody tries tags at a site that shares a classic secret of four characters, as fast as he can: he gets few verified,
// the operator hears of it at once, and bounces with long tags come home meanwhile, from elsewhere and from his own address.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { createRewriter, NULL_PATH, renderMailbox } from "@homing/srs-core";
import { startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { remoteBounce, secretAddress } from "./harness/bounce-peers.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";

const SECRET = "a secret that others have as well";
const SECONDS = process.env.HOMING_FAULTS === "full" ? 60 : 5;
const GUESSERS = 4;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const bob = { localPart: "bob", domain: "origin.example" };

function srsAddress(scheme: "strong" | "classic"): string {
  const rewriter = createRewriter({ secrets: [SECRET], domain: "srs.example", scheme });
  const forged = rewriter.forward(bob, Math.floor(Date.now() / 1000));
  assert.ok(forged.ok && forged.sender !== NULL_PATH);
  return renderMailbox(forged.sender);
}

function tag(nth: number): string {
  return [0, 6, 12, 18].map((bits) => ALPHABET[(nth >> bits) & 63]).join("");
}

async function from(address: string, service: HomingService): Promise<Wire> {
  const wire = new Wire(connect({ port: service.port, host: "127.0.0.1", localAddress: address }));
  await wire.line();
  await wire.ask(`EHLO ${address}`);
  return wire;
}

test("a site with four-character tags: few guesses, an alarm at once, and bounces pass", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({
    secret: SECRET,
    aliases: "alice: alice@home.example\n",
    config: `
hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: srs.example, secretsFile: secrets, scheme: strong, accept: [strong, classic] }
delivery: { smartHost: "127.0.0.1:${hop.port}" }
`,
  });
  const classic = srsAddress("classic");
  const begun = performance.now();
  const isOver = (): boolean => performance.now() - begun > SECONDS * 1000;
  let next = 0;
  const guesser = async (): Promise<string[]> => {
    const replies: string[] = [];
    while (!isOver()) {
      using client = await from("127.0.0.66", service);
      await client.ask("MAIL FROM:<>");
      for (let reply = ""; !reply.startsWith("421") && !isOver(); ) {
        reply = await client.ask(`RCPT TO:<${classic.replace(/=[^=]{4}=/, `=${tag(next++)}=`)}>`);
        if (!reply.startsWith("421")) replies.push(reply);
      }
    }
    return replies;
  };
  const guessing = Promise.all(Array.from({ length: GUESSERS }, guesser));

  const bounces = [
    [0.3, "127.0.0.1"],
    [0.6, "127.0.0.1"],
    // A large provider's servers bring forged bounces and real ones.
    [0.9, "127.0.0.66"],
  ] as const;
  for (const [end, client] of bounces) {
    while (performance.now() - begun < end * SECONDS * 1000)
      await new Promise((done) => setTimeout(done, 20));
    const asked = performance.now();
    using mailServer = await from(client, service);
    const message = remoteBounce({ target: secretAddress() });
    const reply = await transact(mailServer, { from: "", to: srsAddress("strong"), message });
    assert.match(reply, /^250 /);
    assert.ok(performance.now() - asked < 2000);
  }
  const replies = (await guessing).flat();
  const verified = replies.filter((reply) => reply.startsWith("550 5.7.1"));
  const put = replies.filter((reply) => reply.startsWith("451 4.7.1"));
  assert.equal(verified.length + put.length, replies.length, "there are two answers");
  assert.ok(put.length > 100, `${put.length} guesses were put off`);
  assert.ok(verified.length <= 60 * Math.ceil(SECONDS / 60), `${verified.length} guesses were verified`);
  assert.equal(hop.messages.length, 3);

  const events = (await service.events()) as unknown as {
    time: string;
    event: string;
    budget?: string;
    network?: string;
  }[];
  const listening = events.find(({ event }) => event === "listening");
  const alarms = events.filter(({ event }) => event === "guessing");
  assert.ok(listening && alarms[0]);
  assert.equal(alarms[0].network, "127.0.0.66");
  assert.ok(Date.parse(alarms[0].time) - Date.parse(listening.time) < 10_000);
  // Of two budgets, the client's and the victim's: at once, and a minute later.
  assert.ok(alarms.length <= 2 * (1 + Math.floor(SECONDS / 60)), `${alarms.length} alarms`);
});
