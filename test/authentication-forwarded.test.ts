// X-Forwarded-For and X-Forwarded-To: the next hop learns for whom a message was forwarded, and nobody on the sender's side
// learns where it went. A forwarder in this process.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "@homing/forwarder";
import {
  ALICE,
  authenticationScene,
  fieldOf,
  fieldsOf,
  message,
  type SceneOptions,
  servedScene,
  storyFolder,
  texts,
} from "./harness/authentication-scene.ts";
import { assertSilent, remoteBounce, secretAddress } from "./harness/bounce-peers.ts";
import { startScriptedHop } from "./harness/scripted-hop.ts";
import { waitFor } from "./harness/wait.ts";

const BOB = "bob@good.example";
const ZONE = {
  "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "forged.example": texts("v=spf1 ip4:192.0.2.1 -all exp=why.forged.example"),
  "why.forged.example": texts("%{s} from %{i} %{h} is none of ours"),
  "_dmarc.policy.example": texts("v=DMARC1; p=reject"),
  "broken.example": "SERVFAIL",
} as const;

function forwardedIn(text: string): readonly string[] {
  return fieldsOf(text).flatMap(([name, value]) =>
    name.startsWith("x-forwarded") ? [`${name}: ${value.replace(/\s+/g, " ")}`] : [],
  );
}

for (const [forwardedFields, fields] of [
  ["alias", [`x-forwarded-for: ${ALICE}`]],
  ["full", ["x-forwarded-to: private@home.example", `x-forwarded-for: ${ALICE} private@home.example`]],
  ["none", []],
] as const) {
  test(`forwardedFields ${forwardedFields}: ${fields.length} fields, above what was found`, async (t) => {
    const { send, arrived } = await authenticationScene(t, ZONE, { forwardedFields });
    assert.match(await send({ from: BOB }), /^250 /);
    assert.deepEqual(forwardedIn(arrived()), fields);
    const names = fieldsOf(arrived()).map(([name]) => name);
    assert.equal(names.indexOf("authentication-results"), fields.length);
  });
}

test("each destination of an alias reads its own address, and no other one", async (t) => {
  const { send, hop } = await authenticationScene(t, ZONE, { forwardedFields: "full" });
  assert.match(await send({ from: BOB, to: "list@forwarder.example" }), /^250 /);
  const recipients = hop.commands.flatMap((line) => /^RCPT TO:<([^>]*)>/.exec(line)?.[1] ?? []);
  assert.deepEqual(recipients.toSorted(), ["hidden@club.example", "private@home.example"]);
  for (const [at, recipient] of recipients.entries()) {
    assert.deepEqual(forwardedIn(hop.messages[at]?.toString("latin1") ?? ""), [
      `x-forwarded-to: ${recipient}`,
      `x-forwarded-for: list@forwarder.example ${recipient}`,
    ]);
  }
});

test("a copy that stays here has none of them, and has what was found", async (t) => {
  const folder = await storyFolder(t);
  const { send, arrived } = await servedScene(t, {
    zone: ZONE,
    aliases: "alice: \\alice, private@home.example\n",
    delivery: "forwardedFields: full",
    config: [
      "domains: [forwarder.example]",
      `localDelivery: { store: "maildir:${folder}/{user}" }`,
      "authentication: {}",
    ],
  });
  assert.match(await send({ from: BOB }), /^250 /);
  const [file = ""] = await readdir(join(folder, "alice/new"));
  const stays = await readFile(join(folder, "alice/new", file), "latin1");
  const lines = stays.replaceAll("\n", "\r\n");
  assert.deepEqual(forwardedIn(lines), []);
  assert.doesNotMatch(stays, /private|home\.example/);
  assert.equal(forwardedIn(arrived()).length, 2);
  for (const one of [lines, arrived()])
    assert.match(fieldOf(one, "authentication-results") ?? "", /^mx\.forwarder\.example;\s+spf=pass/);
});

interface Secretive {
  readonly target: string;
  readonly options: SceneOptions;
}

function secretive(): Secretive {
  const target = secretAddress();
  return { target, options: { aliases: `alice: ${target}\n`, forwardedFields: "full" } };
}

/** Each way to be refused for one's sender. */
const refusals: [what: string, from: string, author: string, said: RegExp][] = [
  ["SPF, with words of the domain's own", "bob@forged.example", "bob@forged.example", /^550 5\.7\.23 /],
  ["DMARC", BOB, "ceo@policy.example", /^550 5\.7\.26 /],
  ["DNS that does not answer", "bob@broken.example", BOB, /^451 4\.4\.3 /],
];
for (const [what, from, author, said] of refusals) {
  test(`the private address is not in a refusal for ${what}`, async (t) => {
    const { target, options } = secretive();
    const { send } = await authenticationScene(t, ZONE, options);
    const reply = await send({ from, message: message(author) });
    assert.match(reply, said);
    assertSilent(reply, target);
  });
}

test("nor in the DSN of ours about mail that its next hop refuses, which returns the header", async (t) => {
  const { target, options } = secretive();
  const replies = new Map([[target, "450 4.2.1 greylisted"]]);
  const hop = await startScriptedHop((recipient) => replies.get(recipient));
  t.after(() => hop[Symbol.asyncDispose]());
  const { send } = await queued(t, { ...options, nextHop: hop.port });
  assert.match(await send({ from: BOB }), /^250 /);
  replies.set(target, `550 5.1.1 <${target}> unknown`);
  const dsn = await waitFor(() => hop.taken.find(({ recipient }) => recipient === BOB), {
    seconds: 15,
    otherwise: () => "no DSN came",
  });
  assert.match(dsn.message, /Message-ID: <1@x\.example>/i, "the message's own header is in it");
  assertSilent(dsn.message, target);
});

test("nor in the DSN that is made of the other server's bounce, which quotes our fields", async (t) => {
  const { target, options } = secretive();
  const hop = await startScriptedHop(() => undefined);
  t.after(() => hop[Symbol.asyncDispose]());
  const { send } = await queued(t, { ...options, nextHop: hop.port });
  assert.match(await send({ from: BOB }), /^250 /);
  const [sent] = hop.taken;
  assert.ok(sent);
  assert.match(sent.message, new RegExp(`^X-Forwarded-To: ${target}`, "m"));
  const returned = sent.message.split("\r\n\r\n")[0] ?? "";
  const bounce = remoteBounce({ target, returned });
  assert.match(await send({ from: "", to: sent.reversePath, message: bounce }), /^250 /);
  const dsn = await waitFor(() => hop.taken.find(({ recipient }) => recipient === BOB), {
    seconds: 15,
    otherwise: () => "no DSN came",
  });
  assertSilent(dsn.message, target);
});

async function queued(t: TestContext, options: SceneOptions) {
  const times = { queueTimes: { firstRetry: 1, maxRetry: 1 }, clock: systemClock };
  return await authenticationScene(t, ZONE, { stateFolder: await storyFolder(t), ...times, ...options });
}
