// Forwarders that do not rewrite, and are let through (docs/trusted-forwarders.md): by their network, by their name as DNS of
// the story confirms it, for whom they are listed, and until when. `homing serve` where the file is read again.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sendMessage } from "../packages/forwarder/src/testing/smtp-peers.ts";
import {
  ALICE,
  address,
  authenticationScene,
  clientOf,
  type InProcessScene,
  message,
  type Scene,
  type StoryZone,
  servedScene,
  storyFolder,
  texts,
  trusting,
} from "./harness/authentication-scene.ts";

const BOB = "bob@forged.example";
const LIST = "list@forwarder.example";

function storyZone(): StoryZone {
  return {
    // Without a DMARC record this is settled at RCPT, with one at the end of DATA.
    "forged.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "_dmarc.bank.example": texts("v=DMARC1; p=reject"),
    "good.example": texts("v=spf1 ip4:127.0.0.0/8 -all"),
    "broken.example": "SERVFAIL",
    "2.0.0.127.in-addr.arpa": [{ type: "PTR", target: "mail.club.example" }],
    "mail.club.example": address("127.0.0.2"),
    // Whoever has the reverse zone may write there what he likes.
    "3.0.0.127.in-addr.arpa": [{ type: "PTR", target: "mail.club.example" }],
    "4.0.0.127.in-addr.arpa": "SERVFAIL",
    "client.example": address("127.0.0.5"),
  };
}

function scene(t: TestContext, ...entries: readonly string[]): Promise<InProcessScene> {
  return authenticationScene(t, storyZone(), { authentication: { trustedForwarders: trusting(...entries) } });
}

/** Of one client, with one entry: what is said at RCPT, where SPF has failed. */
const clients: [entry: string, client: string, said: RegExp][] = [
  ["127.0.0.2 a host of ours", "127.0.0.2", /^250 /],
  ["127.0.0.2 a host of ours", "127.0.0.3", /^550 5\.7\.23 /],
  ["127.0.0.2/31 two of them", "127.0.0.3", /^250 /],
  ["mail.club.example the club", "127.0.0.2", /^250 /],
  ["*.club.example the club", "127.0.0.2", /^250 /],
  ["club.example the club's web server", "127.0.0.2", /^550 5\.7\.23 /],
  ["mail.club.example its name leads elsewhere", "127.0.0.3", /^550 5\.7\.23 /],
  ["mail.club.example DNS does not say who that is", "127.0.0.4", /^451 4\.4\.3 /],
  ["client.example its HELO name, without PTR", "127.0.0.5", /^250 /],
  ["client.example somebody else's HELO name", "127.0.0.6", /^550 5\.7\.23 /],
  ["127.0.0.2 for=list@forwarder.example for another alias", "127.0.0.2", /^550 5\.7\.23 /],
  ["127.0.0.2 for=alice@forwarder.example for this one", "127.0.0.2", /^250 /],
  ["127.0.0.2 for=forwarder.example for all of the domain", "127.0.0.2", /^250 /],
  ["127.0.0.2 until=2026-12-31 it is 15 January 2027", "127.0.0.2", /^550 5\.7\.23 /],
  ["127.0.0.2 until=2027-01-15 the last day", "127.0.0.2", /^250 /],
];

for (const [entry, client, said] of clients) {
  test(`with "${entry}", mail of ${client} is answered ${said.source.slice(1, 4)}`, async (t) => {
    const { send, authenticated } = await scene(t, entry);
    assert.match(await send({ from: BOB, client }), said);
    if (!said.source.startsWith("^250")) return;
    const words = entry.split(" ");
    const at = words.findIndex((word, place) => place > 0 && !word.includes("="));
    const used = { line: 1, entry: words.slice(0, at).join(" "), reason: words.slice(at).join(" ") };
    assert.deepEqual(authenticated()?.trusted, used);
    assert.deepEqual(authenticated()?.overridden, { fault: "spf-fail", by: "trusted-forwarder" });
  });
}

test("what names its domain's DMARC asks to refuse is let through, too", async (t) => {
  const { send, authenticated } = await scene(t, "127.0.0.2 alumni");
  const sending = { from: "alumni@good.example", message: message("ceo@bank.example") };
  assert.match(await send({ ...sending, client: "127.0.0.3" }), /^550 5\.7\.26 /);
  assert.match(await send({ ...sending, client: "127.0.0.2" }), /^250 /);
  assert.deepEqual(authenticated()?.overridden, { fault: "dmarc-reject", by: "trusted-forwarder" });
});

test("where SPF's DNS does not answer, a trusted forwarder need not come again", async (t) => {
  const { send } = await scene(t, "127.0.0.2 alumni");
  assert.match(await send({ from: "bob@broken.example", client: "127.0.0.3" }), /^451 4\.4\.3 /);
  assert.match(await send({ from: "bob@broken.example", client: "127.0.0.2" }), /^250 /);
});

test("an entry for one alias is nothing to another of the same transaction", async (t) => {
  const { forwarder } = await scene(t, `127.0.0.2 for=${ALICE} alumni`);
  using client = await clientOf(forwarder.port, "127.0.0.2");
  await client.ask("EHLO client.example");
  await client.ask(`MAIL FROM:<${BOB}>`);
  assert.match(await client.ask(`RCPT TO:<${LIST}>`), /^550 5\.7\.23 /);
  assert.match(await client.ask(`RCPT TO:<${ALICE}>`), /^250 /);
  assert.match(await client.ask(`RCPT TO:<${LIST}>`), /^452 4\.5\.3 /);
});

test("recipients for whom another forwarder is trusted come in another transaction: the final dot has one answer", async (t) => {
  const { forwarder, hop } = await authenticationScene(t, storyZone(), {
    authentication: {
      trustedForwarders: trusting(`127.0.0.2 for=${ALICE} alumni`, "192.0.2.7 somebody else"),
    },
    stateFolder: await storyFolder(t),
  });
  for (const [first, second, said] of [
    [ALICE, LIST, /^550 5\.7\.26 /],
    [LIST, ALICE, /^250 /],
  ] as const) {
    using client = await clientOf(forwarder.port, "127.0.0.2");
    await client.ask("EHLO client.example");
    // SPF names him: he may have several recipients. But DMARC does not let him write for the author.
    const from = "MAIL FROM:<alumni@good.example>";
    await client.ask(from);
    assert.match(await client.ask(`RCPT TO:<${first}>`), /^250 /);
    assert.match(await client.ask(`RCPT TO:<${second}>`), /^452 4\.5\.3 /);
    await client.ask("RSET");
    await client.ask(from);
    assert.match(await client.ask(`RCPT TO:<${second}>`), /^250 /);
    assert.match(await sendMessage(client, message("ceo@bank.example")), said, second);
  }
  const recipients = hop.commands.filter((line) => line.startsWith("RCPT"));
  assert.deepEqual(recipients, ["RCPT TO:<private@home.example>"]);
});

test("names of clients are looked up only where mail would not be let through", async (t) => {
  const { send, asked } = await scene(t, "mail.club.example the club");
  assert.match(await send({ from: "bob@good.example", client: "127.0.0.2" }), /^250 /);
  assert.deepEqual(
    asked.filter((one) => one.startsWith("PTR")),
    [],
  );
});

test("a host that sends five rewritten messages in a row needs no entry any more; one that needs it begins anew", async (t) => {
  const { send, told } = await scene(t, "127.0.0.2 the club");
  const rewritten = { from: "SRS0=abcd=XY=forged.example=bob@good.example", client: "127.0.0.2" };
  for (let sent = 0; sent < 4; sent++) assert.match(await send(rewritten), /^250 /);
  assert.match(await send({ from: BOB, client: "127.0.0.2" }), /^250 /);
  for (let sent = 0; sent < 4; sent++) assert.match(await send(rewritten), /^250 /);
  assert.deepEqual(told("trust-not-needed"), []);
  for (let sent = 0; sent < 2; sent++) assert.match(await send(rewritten), /^250 /);
  assert.deepEqual(
    told("trust-not-needed").map((one) => one.event === "trust-not-needed" && [one.entry, one.messages]),
    [["127.0.0.2", 5]],
    "and it is said once",
  );
});

test("a file that is read again counts from the next message on; a wrong one changes nothing", async (t) => {
  const folder = await storyFolder(t, { trusted: "192.0.2.7 somebody else\n" });
  const file = join(folder, "trusted");
  const scene = await servedScene(t, {
    zone: storyZone(),
    config: ["domains: [forwarder.example]", `authentication: { trustedForwardersFile: ${file} }`],
  });
  const { homing } = scene;
  assert.match(await sent(scene), /^550 5\.7\.23 /);

  await writeFile(file, "127.0.0.2 until=2099-12-31 alumni of the university\n");
  process.kill(homing.pid, "SIGHUP");
  await homing.waitForOutput(/"event":"trusted-forwarders-reloaded"/);
  assert.match(await sent(scene), /^250 /);
  await homing.waitForOutput(/"event":"authenticated".*"reason":"alumni of the university"/);

  await writeFile(file, "127.0.0.3\nnot a forwarder at all\n");
  process.kill(homing.pid, "SIGHUP");
  const [line = ""] = await homing.waitForOutput(/^.*"event":"trusted-forwarders-not-reloaded".*$/m);
  assert.match(line, /trusted:1:1 no reason/);
  assert.match(await sent(scene), /^250 /, "the old ones are kept");

  await writeFile(file, "");
  process.kill(homing.pid, "SIGHUP");
  await homing.waitForOutput(/trusted-forwarders-reloaded.*trusted-forwarders-reloaded/s);
  assert.match(await sent(scene), /^550 5\.7\.23 /);
});

function sent(scene: Scene): Promise<string> {
  return scene.send({ from: BOB, client: "127.0.0.2" });
}
