// The recipes of deploy/procmail with Debian's procmail, as the mailbox_command of a real Postfix. procmail clears the
// environment: the sender is read from the From line. Each test of a column makes one cell of docs/mta.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { leaksIn } from "../packages/bounce-handler/src/testing/leaks.ts";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { dial } from "../packages/forwarder/src/testing/wire.ts";
import { texts } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { homing, plainEnvironment } from "./harness/homing.ts";
import { keepingSendmail, startReadsocket } from "./harness/pipe-scene.ts";
import { type PipeSite, recipe, SRS_DOMAIN } from "./harness/pipe-site.ts";
import { startProcmailSite } from "./harness/procmail.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix", "procmail")) ?? false;
const ROW = "procmail pipe";
const BOB = "bob@source.example";
const PRIVATE = "alice@elsewhere.example";
const LETTER = `From: Bob <${BOB}>\nTo: alice@home.example\nSubject: hello\nMessage-ID: <proc-1@source.example>\n\nHello!\n`;
const PIPE = await recipe("procmail/procmailrc");
const SENDMAIL = await recipe("procmail/procmailrc-sendmail");

/** What the recipe of SENDMAIL calls, with the socket of the story. */
const placed = (text: string): string =>
  text.replace('"pipe -oi"', '"pipe -oi --socket /var/homing/readsocket"');

function taken({ world, postfix }: PipeSite, recipient: string) {
  return waitFor(() => world.taken.find((one) => one.recipient === recipient), {
    seconds: 20,
    otherwise: () => postfix.tail(),
  });
}

function refusing(recipient: string): string | undefined {
  return recipient === PRIVATE ? `550 5.1.1 <${PRIVATE}>: no such user at elsewhere.example` : undefined;
}

for (const [what, rcfile] of [
  ["a pipe", PIPE],
  ["SENDMAIL and an exclamation mark", SENDMAIL],
] as const) {
  test(`${ROW} | SRS out | by ${what} the mail goes on with a rewritten sender`, { skip }, async () => {
    await using scene = await startProcmailSite(placed(rcfile));
    await using _ = await scene.startHoming();
    await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
    const { reversePath, message } = await taken(scene, PRIVATE);
    assert.match(reversePath, new RegExp(`^SRS0\\S+=source\\.example=bob@${SRS_DOMAIN}$`));
    assert.doesNotMatch(message, /^(From |Return-Path:)/m);
    assert.ok(message.endsWith("\r\n\r\nHello!\r\n"));
  });
}

test(`${ROW} | bounce back | what cannot be delivered is told to the original sender`, { skip }, async () => {
  await using scene = await startProcmailSite(PIPE, { refusal: refusing });
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const { reversePath, message } = await taken(scene, BOB);
  assert.equal(reversePath, "");
  assert.match(message, /proc-1@source\.example/i);
});

test(`${ROW} | private DSN | the report says nothing of the address behind`, { skip }, async () => {
  await using scene = await startProcmailSite(PIPE, { refusal: refusing });
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
  const { message } = await taken(scene, BOB);
  assert.deepEqual(leaksIn(message, ["elsewhere", PRIVATE], ["alice@home.example"]), []);
  assert.match(message, /^Status: 5\.1\.1\r$/m);
});

test(`${ROW} | forged refused | an SRS recipient with a wrong tag is refused at RCPT`, { skip }, async () => {
  await using scene = await startProcmailSite(PIPE);
  await using _ = await scene.startHoming();
  using client = await dial(scene.postfix);
  await client.reply();
  await client.ask("HELO client.example");
  assert.match(await client.ask("MAIL FROM:<>"), /^250/);
  assert.match(await client.ask(`RCPT TO:<SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}>`), /^550 5\.7\.1 /);
});

test(`${ROW} | SPF: no | procmail runs after the mail was taken: what it passes on is not checked`, {
  skip,
}, async (t) => {
  const { place, asked } = await startDnsServer(t, { "source.example": texts("v=spf1 -all") });
  await using sendmail = await keepingSendmail();
  await using daemon = await startReadsocket(`${sendmail.folder}/readsocket`, [
    `dns: { servers: ["127.0.0.1:${place.port}"] }`,
  ]);
  const argv = ["pipe", "-oi", "--socket", daemon.socket, "--sendmail", sendmail.path, PRIVATE];
  const input = `From ${BOB} Sat Nov 21 12:00:00 2026\n${LETTER}`;
  assert.equal((await homing(argv, { input, env: plainEnvironment() })).code, 0);
  assert.match((await sendmail.got())?.args[2] ?? "", /^SRS0/);
  assert.deepEqual(asked, []);
});

test(`${ROW} | local mail untouched | a user without a recipe keeps mail with its sender`, {
  skip,
}, async () => {
  await using scene = await startProcmailSite(PIPE);
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: BOB, to: "carol@home.example", message: LETTER });
  const message = await scene.kept("carol");
  assert.match(message, /^Return-Path: <bob@source\.example>$/m);
  assert.doesNotMatch(message, /SRS0/);
});

for (const [what, rcfile] of [
  ["a pipe", PIPE],
  ["SENDMAIL", SENDMAIL],
] as const) {
  test(`${ROW}: while the daemon is down, mail by ${what} waits in the queue of Postfix`, {
    skip,
  }, async () => {
    await using scene = await startProcmailSite(placed(rcfile));
    await scene.postfix.submit({ from: BOB, to: "alice@home.example", message: LETTER });
    await scene.postfix.waitForLog(/to=<alice@home\.example>.* status=deferred/);
    assert.deepEqual(scene.world.taken, []);
    await using _ = await scene.startHoming();
    assert.match((await taken(scene, PRIVATE)).reversePath, /^SRS0/);
  });
}

test(`${ROW}: the null sender of a bounce stays null`, { skip }, async () => {
  await using scene = await startProcmailSite(PIPE);
  await using _ = await scene.startHoming();
  await scene.postfix.submit({ from: "", to: "alice@home.example", message: LETTER });
  assert.equal((await taken(scene, PRIVATE)).reversePath, "");
});
