// Who may send what to whom: nobody relays through Homing, nobody from outside uses our domains as sender, and an SRS
// address takes good bounces alone.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRewriter, type ForwardContext, type Mailbox, renderMailbox } from "@homing/srs-core";
import {
  greeted,
  type Hop,
  sendMessage,
  startHop,
  stuffed,
  transact,
} from "../packages/forwarder/src/testing/smtp-peers.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { inProcessForwarder, NOW } from "./harness/in-process.ts";

const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";
const BOB: Mailbox = { localPart: "bob", domain: "source.example" };
const ALIASES = "alice: a@home.example\npostmaster: alice\n";
const DAY = 86_400;
const FORWARDER = createRewriter({ secrets: ["a secret of the stories"], domain: "forwarder.example" });
const ANOTHER = createRewriter({ secrets: ["a secret of somebody else"], domain: "first.example" });

function forged(sender: Mailbox, by = FORWARDER, now = NOW, context: ForwardContext = {}): Mailbox {
  const outcome = by.forward(sender, now, context);
  assert.ok(outcome.ok && outcome.rewritten);
  return outcome.sender;
}
const text = (sender: Mailbox, by = FORWARDER, now = NOW): string => renderMailbox(forged(sender, by, now));

const GOOD = text(BOB);
const SAME_TEXT =
  "550 5.7.1 this address takes only bounces (MAIL FROM:<>) to mail that was sent through here lately";

const table: [what: string, from: string, to: string, answer: RegExp | string][] = [
  ["an alias takes mail", "bob@source.example", "alice@forwarder.example", /^250 /],
  ["an alias in another case takes mail", "bob@source.example", "ALICE@Forwarder.EXAMPLE", /^250 /],
  ["postmaster without a domain is an alias", "bob@source.example", "postmaster", /^250 /],
  ["postmaster of our host name is an alias", "", "PostMaster@mx.forwarder.example", /^250 /],
  ["nobody else is at our host name", "", "alice@mx.forwarder.example", /^550 5\.7\.1 /],
  ["an alias takes bounces", "", "alice@forwarder.example", /^250 /],
  ["an unknown alias is 550 5.1.1", "bob@source.example", "nobody@forwarder.example", /^550 5\.1\.1 /],
  ["another domain is 550 5.7.1", "bob@source.example", "carol@elsewhere.example", /^550 5\.7\.1 /],
  ["another domain is 550 5.7.1 for bounces too", "", "carol@elsewhere.example", /^550 5\.7\.1 /],
  [
    "a percent hack is no relay",
    "bob@source.example",
    "carol%elsewhere.example@forwarder.example",
    /^550 5\.1\.1 /,
  ],
  [
    "a quoted address is no relay",
    "bob@source.example",
    '"carol@elsewhere.example"@forwarder.example',
    /^550 5\.1\.1 /,
  ],
  [
    "a source route is no relay",
    "bob@source.example",
    "@forwarder.example:carol@elsewhere.example",
    /^550 5\.7\.1 /,
  ],
  ["an address literal is no relay", "bob@source.example", "carol@[127.0.0.1]", /^550 5\.7\.1 /],
  ["an SRS address of another forwarder is no relay", "", text(BOB, ANOTHER), /^550 5\.7\.1 /],
  [
    "our local domain does not come from outside",
    "alice@forwarder.example",
    "alice@forwarder.example",
    /^550 5\.7\.1 /,
  ],
  [
    "a forged SRS sender does not come from outside",
    GOOD.replace("bob@", "eve@"),
    "alice@forwarder.example",
    /^550 5\.7\.1 /,
  ],
  [
    "an expired SRS sender does not come from outside",
    text(BOB, FORWARDER, NOW - 22 * DAY),
    "alice@forwarder.example",
    /^550 5\.7\.1 /,
  ],
  ["our own good SRS sender may come back", GOOD, "alice@forwarder.example", /^250 /],
  ["a good bounce is taken", "", GOOD, /^250 /],
  ["a good bounce is taken though a hop changed the case", "", GOOD.toLowerCase(), /^250 /],
  ["a forged SRS recipient", "", GOOD.replace("bob@", "eve@"), SAME_TEXT],
  ["an expired SRS recipient", "", text(BOB, FORWARDER, NOW - 22 * DAY), SAME_TEXT],
  ["an SRS recipient of the future", "", text(BOB, FORWARDER, NOW + 2 * DAY), SAME_TEXT],
  ["a malformed SRS recipient", "", "SRS0=x@forwarder.example", SAME_TEXT],
  ["a good SRS recipient from a real sender", "bob@source.example", GOOD, SAME_TEXT],
  ["a good SRS recipient from itself, as some servers send bounces", GOOD, GOOD, /^250 /],
  ["a good SRS recipient from a forged one of ours", GOOD.replace("bob@", "eve@"), GOOD, /^550 5\.7\.1 /],
];

for (const [what, from, to, answer] of table) {
  test(what, async () => {
    await using hop = await startHop();
    await using forwarder = await inProcessForwarder({ aliases: ALIASES, nextHop: hop.port });
    using client = await greeted(forwarder);
    const reply = await transact(client, { from, to, message: remoteBounce({ target: "a@home.example" }) });
    if (typeof answer === "string") assert.equal(reply, answer);
    else assert.match(reply, answer);
    assert.equal(hop.messages.length, reply.startsWith("250") ? 1 : 0, "accepted and sent on are the same");
  });
}

test("mail leaves with an SRS sender, a DSN with the null sender to the original one", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: hop.port });
  using client = await greeted(forwarder);
  const alias = { localPart: "alice", domain: "forwarder.example" };
  const srs = renderMailbox(forged(BOB, FORWARDER, NOW, { alias }));
  await transact(client, { from: "bob@source.example", to: "alice@forwarder.example", message: MESSAGE });
  const bounce = remoteBounce({ target: "a@home.example" });
  await transact(client, { from: "", to: srs, message: bounce });
  await transact(client, { from: srs, to: srs, message: bounce });
  assert.deepEqual(envelopes(hop), [
    [`MAIL FROM:<${srs}>`, "RCPT TO:<a@home.example>"],
    ["MAIL FROM:<>", "RCPT TO:<bob@source.example>"],
    ["MAIL FROM:<>", "RCPT TO:<bob@source.example>"],
  ]);
  const [forwarded] = hop.messages;
  assert.ok(String(forwarded).endsWith(`\r\n${stuffed(MESSAGE)}`), "what is forwarded is unchanged");
});

test("a bounce to an SRS1 address goes to the first forwarder", async () => {
  const first = forged(BOB, ANOTHER);
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: "", nextHop: hop.port });
  using client = await greeted(forwarder);
  assert.match(await transact(client, { from: "", to: text(first), message: MESSAGE }), /^250 /);
  assert.deepEqual(envelopes(hop), [["MAIL FROM:<>", `RCPT TO:<${renderMailbox(first)}>`]]);
});

test("a bounce to an SRS1 address is never owed a DSN, though a trusted client brings it from an SRS address of ours", async (t) => {
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-relay-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  await using hop = await startHop({ RCPT: "450 4.2.1 later" });
  const trustedNetworks = ["127.0.0.0/8"];
  await using forwarder = await inProcessForwarder({
    ...{ aliases: "alice: a@home.example", nextHop: hop.port, trustedNetworks, stateFolder },
  });
  using client = await greeted(forwarder);
  const to = text(forged(BOB, ANOTHER));
  assert.match(await transact(client, { from: GOOD, to, message: MESSAGE }), /^450 /);
  const [mail] = envelopes(hop);
  assert.deepEqual(mail, ["MAIL FROM:<>", `RCPT TO:<${renderMailbox(forged(BOB, ANOTHER))}>`]);
  assert.deepEqual(await forwarder.state?.spool.list({ limit: 10 }), []);
  // The same client may be owed one for its mail.
  assert.match(
    await transact(client, { from: GOOD, to: "alice@forwarder.example", message: MESSAGE }),
    /^250 /,
  );
  assert.equal((await forwarder.state?.spool.list({ limit: 10 }))?.length, 1);
});

test("an SRS0 sender of another forwarder becomes SRS1, and an SRS1 sender stays one", async () => {
  const first = forged(BOB, ANOTHER);
  const second = forged(
    first,
    createRewriter({ secrets: ["a third secret of theirs"], domain: "second.example" }),
  );
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: hop.port });
  for (const sender of [first, second]) {
    using client = await greeted(forwarder);
    await transact(client, { from: renderMailbox(sender), to: "alice@forwarder.example", message: MESSAGE });
  }
  const senders = envelopes(hop).map(([mail]) => mail);
  const expected = `MAIL FROM:<${text(first)}>`;
  assert.deepEqual(senders, [expected, expected], "the first forwarder is kept, and nothing grows");
});

test("clients of trusted networks may use our domains, unrewritten", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: "alice: a@home.example",
    nextHop: hop.port,
    trustedNetworks: ["127.0.0.0/8"],
  });
  using client = await greeted(forwarder);
  const from = "alice@forwarder.example";
  assert.match(await transact(client, { from, to: "alice@forwarder.example", message: MESSAGE }), /^250 /);
  assert.deepEqual(envelopes(hop), [[`MAIL FROM:<${from}>`, "RCPT TO:<a@home.example>"]]);
});

test("a further recipient of a transaction is 452 4.5.3, and the first one gets the message", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: "alice: a@home.example\ncarol: c@home.example",
    nextHop: hop.port,
  });
  using client = await greeted(forwarder);
  for (const line of [
    "EHLO client.example",
    "MAIL FROM:<bob@source.example>",
    "RCPT TO:<alice@forwarder.example>",
  ]) {
    assert.match(await client.ask(line), /^250/);
  }
  assert.match(await client.ask("RCPT TO:<carol@forwarder.example>"), /^452 4\.5\.3 /);
  assert.match(await sendMessage(client, MESSAGE), /^250 /);
  assert.deepEqual(
    envelopes(hop).map(([, rcpt]) => rcpt),
    ["RCPT TO:<a@home.example>"],
  );
});

test("a sender that does not fit is refused at RCPT, never forwarded unrewritten", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: hop.port });
  using client = await greeted(forwarder);
  const from = `${"l".repeat(50)}@source.example`;
  assert.match(
    await transact(client, { from, to: "alice@forwarder.example", message: MESSAGE }),
    /^550 5\.1\.7 /,
  );
  assert.deepEqual(hop.commands, []);
});

function envelopes(hop: Hop): string[][] {
  const commands = hop.commands
    .filter((line) => /^(?:MAIL|RCPT)/.test(line))
    .map((line) => line.replace(/ (?:SIZE|BODY).*/, ""));
  return Array.from({ length: commands.length / 2 }, (_, index) => commands.slice(2 * index, 2 * index + 2));
}
