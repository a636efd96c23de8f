// Mail that stays on the site, through the whole service: a Dovecot by LMTP, and maildirs of the service's own. What leaves
// is rewritten, what stays is not.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startDovecot } from "./harness/dovecot.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";

const MESSAGE = "From: bob@source.example\r\nSubject: stays\r\n\r\nHello!\r\n";
const SECRET = "a secret of the stories, long enough";
const BOB = "bob@source.example";

function config(store: string, hop: number): string {
  return `hostname: mx.home.example
listen: 127.0.0.1:0
domains: [home.example]
domainAliases: { old.example: home.example }
recipientDelimiter: "+"
aliasesFile: aliases
srs: { domain: srs.home.example, secretsFile: secrets }
localDelivery: { ${store} }
delivery: { smartHost: "127.0.0.1:${hop}" }
`;
}

async function sent(service: HomingService, to: string): Promise<string> {
  using client = await greeted({ port: service.port });
  return await transact(client, { from: BOB, to, message: MESSAGE });
}

test("Dovecot has the mail of users in no table, says who is none, and gets local copies; what leaves is rewritten", {
  skip: await storiesNeed("dovecot-lmtpd"),
}, async () => {
  await using dovecot = await startDovecot({ users: { "alice@home.example": "", "carol@home.example": "" } });
  await using hop = await startHop();
  await using service = await startHomingService({
    config: config(`store: "lmtp:${dovecot.socket}", unknownUsers: store`, hop.port),
    aliases: "carol: \\carol, carol@elsewhere.example\npostmaster: alice\n",
    secret: SECRET,
  });
  assert.match(await sent(service, "alice+tag@old.example"), /^250 /);
  assert.match(await sent(service, "carol@home.example"), /^250 /);
  assert.match(await sent(service, "nobody@home.example"), /^550 5\.1\.1 <nobody@home\.example>: /);
  const [alice, ...more] = await dovecot.mail("alice@home.example");
  assert.equal(more.length, 0);
  assert.match(String(alice), /^Return-Path: <bob@source\.example>/m);
  assert.equal((await dovecot.mail("carol@home.example")).length, 1);
  assert.equal(hop.messages.length, 1);
  assert.match(hop.commands.join("\n"), /^MAIL FROM:<SRS0=.*=source\.example=bob@srs\.home\.example>/m);
});

test("maildirs: an address that leads to itself stays, and nobody in no table gets one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  await using hop = await startHop();
  await using service = await startHomingService({
    config: config(`store: "maildir:${folder}/{domain}/{user}"`, hop.port),
    aliases: "alice: alice\npostmaster: alice\n",
    secret: SECRET,
  });
  assert.match(await sent(service, "Alice+tag@home.example"), /^250 /);
  assert.match(await sent(service, "postmaster@mx.home.example"), /^250 /);
  assert.match(await sent(service, "mallory@home.example"), /^550 5\.1\.1 /);
  assert.deepEqual(await readdir(join(folder, "home.example")), ["alice"]);
  const inbox = join(folder, "home.example/alice/new");
  const names = await readdir(inbox);
  assert.equal(names.length, 2);
  const text = await readFile(join(inbox, names[0] ?? ""), "utf8");
  assert.match(text, /^Return-Path: <bob@source\.example>\nDelivered-To: alice@home\.example\nReceived: /i);
  assert.ok(text.endsWith(MESSAGE.replaceAll("\r\n", "\n")));
});

test("while the mail store is away nothing leaves, and the client keeps the mail; one full mailbox holds up nobody", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  await using hop = await startHop();
  await using service = await startHomingService({
    config: config(`store: "lmtp:127.0.0.1:${PORT_OF_NOBODY}"`, hop.port),
    aliases: "carol: \\carol, carol@elsewhere.example\npostmaster: carol\n",
    secret: SECRET,
  });
  assert.match(await sent(service, "carol@home.example"), /^451 4\.4\.1 /);
  assert.equal(hop.messages.length, 0);

  const full = { dot: "452 4.2.2 <carol@home.example> over quota" };
  await using store = await startHop(full);
  await using second = await startHomingService({
    config: config(`store: "lmtp:127.0.0.1:${store.port}"`, hop.port),
    aliases: "carol: \\carol, carol@elsewhere.example\npostmaster: carol\n",
    secret: SECRET,
  });
  assert.match(await sent(second, "carol@home.example"), /^250 /);
  assert.equal(hop.messages.length, 1);
});

test("what an entry leads to decides at RCPT, however deep; the log says who was left out, and whose sender a copy has", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({
    config: config(`store: "maildir:/nowhere/{domain}/{user}"`, hop.port),
    aliases: [
      "postmaster: p@elsewhere.example",
      "noreply: devnull",
      "devnull: :blackhole:",
      "old: gone",
      "gone: :fail: she left",
      "mix: gone, y@elsewhere.example",
      "list: z@elsewhere.example",
      "owner-list: p@elsewhere.example",
    ].join("\n"),
    secret: SECRET,
  });
  assert.match(await sent(service, "noreply@home.example"), /^250 2\.0\.0 taken/);
  assert.match(await sent(service, "old@home.example"), /^550 5\.2\.1 she left/);
  assert.equal(hop.messages.length, 0);
  assert.match(await sent(service, "mix@home.example"), /^250 /);
  assert.match(await sent(service, "list@home.example"), /^250 /);
  assert.match(hop.commands.join("\n"), /^MAIL FROM:<owner-list@home\.example>/m);

  const events = await service.events();
  const dropped = events.flatMap((one) =>
    one.event === "dropped" ? [{ recipient: one.recipient, dropped: one.dropped }] : [],
  );
  const gone = { target: "gone", why: "refused: 550 5.2.1 she left" };
  assert.deepEqual(dropped, [
    { recipient: "old@home.example", dropped: [gone] },
    { recipient: "mix@home.example", dropped: [gone] },
  ]);
  const last = events.filter(({ event }) => event === "forwarded").at(-1);
  assert.ok(last?.event === "forwarded");
  assert.equal(last.newReversePath, "owner-list@home.example");
});
