// The forwarder's oldest danger: it rewrites, so every forgery that it forwards gets an SPF pass. `homing serve`, a real Postfix
// as its client, DNS of the story: the forgery is refused, with words and a page that say why; the same message with its
// author's signature goes on, under a seal that dkimpy verifies.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { type Hop, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { ARC_PACKAGES, arc } from "./harness/arc.ts";
import { storiesNeed } from "./harness/availability.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";
import { freePort } from "./harness/free-port.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";
import { waitFor } from "./harness/wait.ts";

const ALICE = "alice@forwarder.example";
const BOB = "bob@bank.example";
const AUTHOR = createDkimKey("bank.example", "a");
const SEALER = createDkimKey("forwarder.example", "seal");
const KEYS = { ...AUTHOR.dns, ...SEALER.dns };
const MESSAGE = [
  `From: ${BOB}`,
  `To: ${ALICE}`,
  "Subject: your account",
  "Date: Sun, 22 Nov 2026 10:00:00 +0000",
  "Message-ID: <1@bank.example>",
  "",
  "Hello!",
  "",
].join("\r\n");

const texts = (text: string) => [{ type: "TXT", strings: text.match(/.{1,255}/g) ?? [""] } as const];
const ZONE: Zone = {
  "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
  "_dmarc.bank.example": texts("v=DMARC1; p=reject"),
  ...Object.fromEntries(Object.entries(KEYS).map(([name, text]) => [name, texts(text)])),
};

interface Scene {
  readonly homing: HomingService;
  readonly postfix: Postfix;
  readonly hop: Hop;
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "homing-forged-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "seal.key"), SEALER.signer.privateKeyPem, { mode: 0o600 });
  const { place } = await startDnsServer(t, ZONE);
  const hop = await startHop();
  t.after(() => hop[Symbol.asyncDispose]());
  const homing = await startHomingService({
    config: [
      "hostname: mx.forwarder.example",
      "listen: 127.0.0.1:0",
      "domains: [forwarder.example]",
      "aliasesFile: aliases",
      "srs: { domain: forwarder.example, secretsFile: secrets }",
      `delivery: { smartHost: "127.0.0.1:${hop.port}", forwardedFields: full }`,
      `dns: { servers: ["127.0.0.1:${place.port}"] }`,
      `authentication: { arc: { domain: forwarder.example, selector: seal, keyFile: ${folder}/seal.key } }`,
      `http: { listen: "127.0.0.1:${await freePort()}", publicUrl: "http://mx.forwarder.example" }`,
      "",
    ].join("\n"),
    aliases: "alice: private@home.example\n",
    secret: "a secret of the stories, and long enough",
  });
  t.after(() => homing[Symbol.asyncDispose]());
  const postfix = await startPostfix({
    hostname: "spammer.example",
    destinations: [],
    relayHost: `[127.0.0.1]:${homing.port}`,
  });
  t.after(() => postfix[Symbol.asyncDispose]());
  return { homing, postfix, hop };
}

const skip = (await storiesNeed("postfix", ...ARC_PACKAGES)) ?? false;

test("a forged message is refused at the end of DATA, and the reply has a link to the page that says why", {
  skip,
}, async (t) => {
  const { homing, postfix, hop } = await scene(t);
  await postfix.submit({ from: BOB, to: ALICE, message: MESSAGE });
  const log = await refusedByHoming(postfix);
  assert.match(log, /said: 550[- ]5\.7\.23 SPF: bank\.example does not let 127\.0\.0\.1 send its mail/);
  assert.deepEqual(hop.messages, []);
  const link = /http:\/\/mx\.forwarder\.example(\/why\?[^\s)]+)/.exec(log)?.[1];
  assert.ok(link, log);
  const [, port] = await homing.waitForOutput(/"event":"http-listening".*"port":(\d+)/);
  const page = await (await fetch(`http://127.0.0.1:${port}${link}`)).text();
  assert.match(page, /bank\.example/);
  assert.match(page, /127\.0\.0\.1/);
  assert.doesNotMatch(page, /private|home\.example/);
});

test("the same message with its author's signature goes on under a seal that dkimpy verifies; tampered with, it does not", {
  skip,
}, async (t) => {
  const { postfix, hop, homing } = await scene(t);
  await using signer = await dkim();
  await using sealing = await arc();
  const signed = await signer.sign(Buffer.from(MESSAGE), AUTHOR.signer);
  await postfix.submit({ from: BOB, to: ALICE, message: signed });
  const arrived = await waitFor(() => hop.messages[0], {
    seconds: 10,
    otherwise: async () => `nothing arrived:\n${homing.stdout()}\n${await postfix.tail()}`,
  });
  const message = Buffer.from(arrived.toString("latin1").replace(/\r\n\.\r\n$/, "\r\n"), "latin1");
  assert.match(message.toString("latin1"), /^ARC-Seal: i=1; a=rsa-sha256; .*cv=none/s);
  assert.match(message.toString("latin1"), /^X-Forwarded-To: private@home\.example\r$/m);
  assert.equal(await signer.verify(message, { dns: KEYS }), true, "the author's signature is still good");
  assert.equal((await sealing.verify(message, { dns: KEYS })).chain, "pass");
  const changed = Buffer.from(message.toString("latin1").replace("Hello!", "Hello?"), "latin1");
  assert.equal((await sealing.verify(changed, { dns: KEYS })).chain, "fail");

  const tampered = Buffer.from(signed.toString("latin1").replace("Hello!", "Pay me"), "latin1");
  await postfix.submit({ from: BOB, to: ALICE, message: tampered });
  assert.match(await refusedByHoming(postfix), /550[- ]5\.7\.23/);
  assert.equal(hop.messages.length, 1);
});

function refusedByHoming(postfix: Postfix): Promise<string> {
  return waitFor(async () => /.*status=bounced.*/.exec(await postfix.tail())?.[0], {
    seconds: 10,
    otherwise: () => postfix.tail(),
  });
}
