// The recipe of deploy/forward-pipe with a real Postfix: users whose .forward is a pipe to `homing pipe`, which runs as the user
// and never reads the secret. Each test of a column makes one cell of docs/mta.md.
import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { leaksIn } from "../packages/bounce-handler/src/testing/leaks.ts";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { dial } from "../packages/forwarder/src/testing/wire.ts";
import { clientOf, texts } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { homing, plainEnvironment } from "./harness/homing.ts";
import { keepingSendmail, startReadsocket } from "./harness/pipe-scene.ts";
import {
  type PipeSite,
  type PipeSiteOptions,
  recipe,
  SRS_DOMAIN,
  startPipeSite,
} from "./harness/pipe-site.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
const ROW = ".forward pipe";
const BOB = "bob@source.example";
const PRIVATE = "alice@elsewhere.example";
const LETTER = `From: Bob <${BOB}>\nTo: alice@home.example\nSubject: hello\nMessage-ID: <pipe-1@source.example>\n\nHello!\n`;

async function site(options: Partial<PipeSiteOptions> = {}): Promise<PipeSite> {
  const files = { "alice/.forward": await recipe("forward-pipe/forward") };
  return await startPipeSite({ users: ["alice", "carol"], files, ...options });
}

function taken({ world, postfix }: PipeSite, recipient: string) {
  return waitFor(() => world.taken.find((one) => one.recipient === recipient), {
    seconds: 20,
    otherwise: () => postfix.tail(),
  });
}

test(`${ROW} | SRS out | the user's own process sends the mail on with a rewritten sender, and no right to the secret`, {
  skip,
}, async () => {
  await using scene = await site();
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const { reversePath, message } = await taken(scene, PRIVATE);
  assert.match(reversePath, new RegExp(`^SRS0\\S+=source\\.example=bob@${SRS_DOMAIN}$`));
  assert.match(message, /^Delivered-To: alice@home\.example\r$/m);
  assert.doesNotMatch(message, /^Return-Path:/m);
  assert.ok(message.endsWith("\r\n\r\nHello!\r\n"));
  const uid = /^alice:x:(\d+):/m.exec(String((await scene.postfix.run(["cat", "/etc/passwd"])).stdout))?.[1];
  const line = await scene.postfix.waitForLog(/pickup.* from=<SRS0/);
  assert.match(line, new RegExp(` uid=${uid} `));
  const secrets = await stat(scene.secretsFile);
  assert.deepEqual([secrets.uid, secrets.mode & 0o777], [0, 0o600]);
});

test(`${ROW}: an alias leads through it, too, with the address behind it in a file`, { skip }, async () => {
  const [, sales = ""] = (await recipe("forward-pipe/aliases")).trim().split(/^sales: /);
  await using scene = await site({ aliases: { sales } });
  await writeFile(join(scene.postfix.folder, "var/homing/sales"), `${PRIVATE}\n`);
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "sales@home.example", message: LETTER });
  assert.match((await taken(scene, PRIVATE)).reversePath, /^SRS0/);
});

test(`${ROW} | bounce back | what cannot be delivered behind the alias is told to the original sender`, {
  skip,
}, async () => {
  await using scene = await site({ refusal: refusing });
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const { reversePath, message } = await taken(scene, BOB);
  assert.equal(reversePath, "");
  assert.match(message, /^Content-Type: multipart\/report; report-type=delivery-status/m);
  assert.match(message, /pipe-1@source\.example/i);
});

function refusing(recipient: string): string | undefined {
  return recipient === PRIVATE ? `550 5.1.1 <${PRIVATE}>: no such user at elsewhere.example` : undefined;
}

test(`${ROW} | private DSN | the report to the sender says nothing of the address behind`, {
  skip,
}, async () => {
  await using scene = await site({ refusal: refusing });
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const { message } = await taken(scene, BOB);
  assert.deepEqual(leaksIn(message, ["elsewhere", PRIVATE], ["alice@home.example"]), []);
  assert.match(message, /^Status: 5\.1\.1\r$/m);
});

test(`${ROW} | forged refused | an SRS recipient with a wrong tag is refused at RCPT`, { skip }, async () => {
  await using scene = await site();
  await using _ = await scene.startHoming();
  using client = await dial(scene.postfix);
  await client.reply();
  assert.match(await client.ask("HELO client.example"), /^250/);
  assert.match(await client.ask("MAIL FROM:<>"), /^250/);
  const forged = `SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}`;
  assert.match(await client.ask(`RCPT TO:<${forged}>`), /^550 5\.7\.1 /);
});

test(`${ROW}: an SRS address takes bounces only, other names at its domain are nobody's, and nobody sends from there`, {
  skip,
}, async () => {
  await using scene = await site({ settings: { mynetworks: "127.0.0.1/32" } });
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const good = (await taken(scene, PRIVATE)).reversePath;
  const forged = `SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}`;
  using client = await clientOf(scene.postfix.port, "127.0.0.9");
  await client.ask("HELO client.example");
  for (const [from, to, reply] of [
    ["", good, /^250 /],
    ["eve@victim.example", good, /^550 5\.7\.1 /],
    ["", `nobody@${SRS_DOMAIN}`, /^550 5\.1\.1 /],
    ["", `${forged}.`, /^55[03] /],
    ["", forged.replace("@", "%"), /^454 .*Relay access denied/],
    ["", `${forged.replace("@", "%")}@home.example`, /^454 .*Relay access denied/],
    ["", `${SRS_DOMAIN}!x@home.example`, /^(454|5)/],
    [forged, "carol@home.example", /^550 5\.7\.1 /],
    ["eve@victim.example", "carol@home.example", /^250 /],
  ] as const) {
    assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250 /);
    assert.match(await client.ask(`RCPT TO:<${to}>`), reply, to);
    await client.ask("RSET");
  }
});

test(`${ROW}: a sender whose name Postfix changes in its variables, and one who does not fit into an address, come back to themselves`, {
  skip,
}, async () => {
  await using scene = await site();
  await using _ = await scene.startHoming();
  const told = new Set<string>();
  for (const from of ["o'brien&sons#1@source.example", `${"v".repeat(65)}@source.example`]) {
    await scene.postfix.submit({ from, to: "alice@home.example", message: LETTER });
    const sender = await waitFor(
      () =>
        scene.world.taken.find((one) => one.recipient === PRIVATE && !told.has(one.reversePath))?.reversePath,
      { seconds: 20, otherwise: () => scene.postfix.tail() },
    );
    told.add(sender);
    assert.match(sender, from.startsWith("o") ? /=source\.example=o'brien&sons#1@/ : /^SRS0=[^=]+=[^=]+=1=/);
  }
});

test(`${ROW} | SPF: no | a pipe runs after the mail was taken: who fails SPF is forwarded, and DNS is not asked`, {
  skip,
}, async (t) => {
  const { place, asked } = await startDnsServer(t, { "source.example": texts("v=spf1 -all") });
  await using sendmail = await keepingSendmail();
  await using daemon = await startReadsocket(join(sendmail.folder, "readsocket"), [
    `dns: { servers: ["127.0.0.1:${place.port}"] }`,
  ]);
  const argv = ["pipe", "--socket", daemon.socket, "--sendmail", sendmail.path, "-f", BOB, PRIVATE];
  assert.equal((await homing(argv, { input: LETTER, env: plainEnvironment() })).code, 0);
  assert.match((await sendmail.got())?.args[2] ?? "", /^SRS0/);
  assert.deepEqual(asked, []);
});

test(`${ROW} | local mail untouched | mail to a user without a .forward keeps its sender`, {
  skip,
}, async () => {
  await using scene = await site();
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "carol@home.example", message: LETTER });
  const [message] = await scene.postfix.mail("carol");
  assert.match(String(message), /^Return-Path: <bob@source\.example>$/m);
  assert.doesNotMatch(String(message), /SRS0/);
});

test(`${ROW}: while the daemon is down the mail waits, and leaves when it is there again`, {
  skip,
}, async () => {
  await using scene = await site();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const line = await scene.postfix.waitForLog(/to=<alice@home\.example>.* status=deferred/);
  assert.match(line, /no answer from the daemon/);
  using client = await dial(scene.postfix);
  await client.reply();
  await client.ask("HELO client.example");
  assert.match(await client.ask("MAIL FROM:<>"), /^250/);
  assert.match(await client.ask(`RCPT TO:<SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}>`), /^451 /);
  assert.match(await client.ask("RCPT TO:<carol@home.example>"), /^250/);
  assert.deepEqual(scene.world.taken, []);
  await using _ = await scene.startHoming();
  assert.match((await taken(scene, PRIVATE)).reversePath, /^SRS0/);
});

test(`${ROW}: a mistake in the .forward returns nobody's mail`, { skip }, async () => {
  const files = { "alice/.forward": '"|/usr/local/bin/homing pipe --nonsense"\n' };
  await using scene = await site({ files });
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const line = await scene.postfix.waitForLog(/to=<alice@home\.example>.* status=/);
  assert.match(line, /status=deferred .*--nonsense is no option/);
});

test(`${ROW}: mail that was here before ends, and its report is private`, { skip }, async () => {
  await using scene = await site();
  await using _ = await scene.startHoming();
  const looping = `Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\nDelivered-To: alice@home.example\n${LETTER}`;
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: looping });
  const { message } = await taken(scene, BOB);
  assert.match(message, /mail forwarding loop for alice@home\.example/);
  assert.deepEqual(leaksIn(message, ["elsewhere"], []), []);
});
