// The addresses with which relay testers, and those who look for open relays, ask a server to pass mail on to somebody
// else: each is refused before DATA, from outside and from a trusted client, and nobody is connected to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, renderMailbox } from "@homing/srs-core";
import {
  greeted,
  type Hop,
  sendMessage,
  startHop,
  stuffed,
} from "../packages/forwarder/src/testing/smtp-peers.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { type InProcessOptions, inProcessForwarder, NOW } from "./harness/in-process.ts";

const ALIASES = "alice: a@home.example\npostmaster: alice\n";
const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";
const BOB = "<bob@source.example>";

/** Not our domain. */
const FOREIGN = "550 5.7.1";
/** Our domain, and no such alias. */
const UNKNOWN = "550 5.1.1";
/** An SRS address without a good tag. */
const NO_BOUNCE = "550 5.7.1 this address takes only bounces";
const NO_ADDRESS = "553 5.1.3";
const NO_PATH = "501 5.1.3";
const NEEDS_SMTPUTF8 = "553 5.6.7";
const PARAMETER = "555 5.5.4";

const GOOD_SRS = (() => {
  const rewriter = createRewriter({ secrets: ["a secret of the stories"], domain: "forwarder.example" });
  const outcome = rewriter.forward({ localPart: "bob", domain: "source.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  return renderMailbox(outcome.sender).replace("@forwarder.example", "");
})();

/** By kind: what stands behind `RCPT TO:`, octet for octet, and how the reply begins. */
const recipients: Readonly<Record<string, readonly (readonly [path: string, reply: string])[]>> = {
  "a plain address": [
    ["<carol@elsewhere.example>", FOREIGN],
    ["<carol@ELSEWHERE.EXAMPLE>", FOREIGN],
    ["<carol@example>", FOREIGN],
    ["<carol@localhost>", FOREIGN],
  ],
  "a percent hack": [
    ["<carol%elsewhere.example@forwarder.example>", UNKNOWN],
    ["<carol%elsewhere.example@mx.forwarder.example>", FOREIGN],
    ["<carol%elsewhere.example@[127.0.0.1]>", FOREIGN],
    ["<carol%elsewhere.example@localhost>", FOREIGN],
    ["<carol%elsewhere.example>", NO_ADDRESS],
    ["<alice%forwarder.example@elsewhere.example>", FOREIGN],
    ["<alice%forwarder.example%elsewhere.example@forwarder.example>", UNKNOWN],
    ["<@elsewhere.example:carol%third.example@forwarder.example>", UNKNOWN],
  ],
  "a bang path": [
    ["<elsewhere.example!carol>", NO_ADDRESS],
    ["<elsewhere.example!carol@forwarder.example>", UNKNOWN],
    ["<elsewhere.example!carol@mx.forwarder.example>", FOREIGN],
    ["<elsewhere.example!carol@[127.0.0.1]>", FOREIGN],
    ["<forwarder.example!elsewhere.example!carol>", NO_ADDRESS],
    ["<forwarder.example!alice@elsewhere.example>", FOREIGN],
    ["<carol@elsewhere.example!forwarder.example>", NO_ADDRESS],
    ["<elsewhere.example!carol%third.example@forwarder.example>", UNKNOWN],
  ],
  "a source route": [
    ["<@forwarder.example:carol@elsewhere.example>", FOREIGN],
    ["<@mx.forwarder.example,@forwarder.example:carol@elsewhere.example>", FOREIGN],
    ["<@[127.0.0.1]:carol@elsewhere.example>", FOREIGN],
    ["<@:carol@elsewhere.example>", FOREIGN],
    ["<@forwarder.example:@elsewhere.example:carol@third.example>", NO_ADDRESS],
    ["<@forwarder.example:>", NO_PATH],
    ["<@forwarder.example>", NO_ADDRESS],
  ],
  "a quoted form": [
    ['<"carol@elsewhere.example">', NO_ADDRESS],
    ['<"carol@elsewhere.example"@forwarder.example>', UNKNOWN],
    ['<"carol@elsewhere.example"@mx.forwarder.example>', FOREIGN],
    ['<"carol@elsewhere.example"@[127.0.0.1]>', FOREIGN],
    ['<"carol%elsewhere.example"@forwarder.example>', UNKNOWN],
    ['<"elsewhere.example!carol"@forwarder.example>', UNKNOWN],
    ['<"@elsewhere.example:carol"@forwarder.example>', UNKNOWN],
    ['<"carol"@elsewhere.example>', FOREIGN],
    ['<"alice@forwarder.example"@elsewhere.example>', FOREIGN],
    ['<"alice@forwarder.example>\\" <carol"@elsewhere.example>', FOREIGN],
    ['<"alice"@forwarder.example@elsewhere.example>', NO_ADDRESS],
    ['<"carol@elsewhere.example>@forwarder.example">', NO_ADDRESS],
    ['<"carol@elsewhere.example\\"@forwarder.example>', NO_PATH],
    ['<"|/bin/sh"@forwarder.example>', UNKNOWN],
  ],
  "two addresses in one": [
    ["<carol@elsewhere.example@forwarder.example>", NO_ADDRESS],
    ["<alice@forwarder.example@elsewhere.example>", NO_ADDRESS],
    ["<carol@@elsewhere.example>", NO_ADDRESS],
    ["<carol@elsewhere.example@>", NO_ADDRESS],
    ["<alice@forwarder.example,carol@elsewhere.example>", NO_ADDRESS],
    ["<alice@forwarder.example;carol@elsewhere.example>", NO_ADDRESS],
    ["<alice@forwarder.example carol@elsewhere.example>", NO_ADDRESS],
    ["<alice@forwarder.example>,<carol@elsewhere.example>", NO_PATH],
    ["<alice@forwarder.example> <carol@elsewhere.example>", NO_PATH],
    ["<alice@forwarder.example>carol@elsewhere.example", NO_PATH],
  ],
  "dots in the domain": [
    ["<carol@elsewhere.example.>", NO_ADDRESS],
    ["<carol@elsewhere.example..>", NO_ADDRESS],
    ["<carol@elsewhere..example>", NO_ADDRESS],
    ["<carol@.elsewhere.example>", NO_ADDRESS],
    ["<alice@forwarder.example.>", NO_ADDRESS],
    ["<carol@elsewhere.example.forwarder.example>", FOREIGN],
    ["<alice@forwarder.example.elsewhere.example>", FOREIGN],
    ["<alice@not-forwarder.example>", FOREIGN],
    ["<alice@sub.forwarder.example>", FOREIGN],
  ],
  "an address literal": [
    ["<carol@[127.0.0.1]>", FOREIGN],
    ["<carol@[192.0.2.7]>", FOREIGN],
    ["<carol@[IPv6:::1]>", FOREIGN],
    ["<carol@[IPv6:::ffff:127.0.0.1]>", FOREIGN],
    ["<alice@[127.0.0.1]>", FOREIGN],
    ["<carol@127.0.0.1>", FOREIGN],
    ["<carol@2130706433>", FOREIGN],
    ["<carol@#2130706433>", NO_ADDRESS],
    ["<carol@[127.0.0.1>", NO_ADDRESS],
    ["<carol@[]>", NO_ADDRESS],
    ["<carol@[elsewhere.example]>", NO_ADDRESS],
    ["<alice@[forwarder.example]>", NO_ADDRESS],
  ],
  "an address with a part missing": [
    ["<carol>", NO_ADDRESS],
    ["<alice>", NO_ADDRESS],
    ["<carol@>", NO_ADDRESS],
    ["<alice@>", NO_ADDRESS],
    ["<@elsewhere.example>", NO_ADDRESS],
    ["<@>", NO_ADDRESS],
    ["< >", NO_ADDRESS],
    ["<>", NO_PATH],
  ],
  "a form of postmaster": [
    ["<postmaster@elsewhere.example>", FOREIGN],
    ["<POSTMASTER@ELSEWHERE.EXAMPLE>", FOREIGN],
    ['<"postmaster"@elsewhere.example>', FOREIGN],
    ["<postmaster@[127.0.0.1]>", FOREIGN],
    ["<postmaster%elsewhere.example@forwarder.example>", UNKNOWN],
    ["<postmaster%elsewhere.example>", NO_ADDRESS],
    ["<elsewhere.example!postmaster>", NO_ADDRESS],
    ["<postmaster@>", NO_ADDRESS],
  ],
  "controls and octets that are no text": [
    ["<carol\0@elsewhere.example>", NO_ADDRESS],
    ["<alice@forwarder.example\0carol@elsewhere.example>", NO_ADDRESS],
    ["<carol@elsewhere.example\0.forwarder.example>", NO_ADDRESS],
    ["<carol\t@elsewhere.example>", NO_ADDRESS],
    ["<carol@elsewhere.example\x7f>", NO_ADDRESS],
    ["<alice\r@forwarder.example>", NO_ADDRESS],
    ["<alice@forwarder.example\x1b>", NO_ADDRESS],
    ["<carol\xff@elsewhere.example>", NO_ADDRESS],
    // An overlong form of "@".
    ["<carol\xc1\x80elsewhere.example>", NO_ADDRESS],
    ["<j\xc3\xb6rg@elsewhere.example>", NEEDS_SMTPUTF8],
  ],
  "no path": [
    ["carol@elsewhere.example", NO_PATH],
    [" carol@elsewhere.example", NO_PATH],
    ["<carol@elsewhere.example", NO_PATH],
    ["carol@elsewhere.example>", NO_PATH],
    ["<<carol@elsewhere.example>>", NO_PATH],
    ["Carol <carol@elsewhere.example>", NO_PATH],
    ["<smtp:carol@elsewhere.example>", NO_ADDRESS],
    ["</var/mail/carol>", NO_ADDRESS],
    ["<:include:/etc/passwd@forwarder.example>", NO_ADDRESS],
  ],
  "a parameter": [
    ["<carol@elsewhere.example> NOTIFY=NEVER", FOREIGN],
    ["<carol@elsewhere.example> ORCPT=rfc822;alice@forwarder.example", FOREIGN],
    ["<nobody@forwarder.example> ORCPT=rfc822;carol@elsewhere.example", UNKNOWN],
    ["<carol@elsewhere.example> RELAY", PARAMETER],
    ["<carol@elsewhere.example> SMTPUTF8", PARAMETER],
  ],
  "an SRS address": [
    ["<SRS0=aaaaaaaa=G3=elsewhere.example=carol@forwarder.example>", NO_BOUNCE],
    ["<srs0+aaaa=G3=elsewhere.example=carol@Forwarder.Example>", NO_BOUNCE],
    ['<"SRS0=aaaaaaaa=G3=elsewhere.example=carol"@forwarder.example>', NO_BOUNCE],
    ["<SRS1=aaaaaaaa=elsewhere.example==aaaa=G3=third.example=carol@forwarder.example>", NO_BOUNCE],
    ["<SRS0=@forwarder.example>", NO_BOUNCE],
    ["<SRS0=aaaaaaaa=G3=elsewhere.example=carol@elsewhere.example>", FOREIGN],
    [`<${GOOD_SRS}@mx.forwarder.example>`, FOREIGN],
    [`<${GOOD_SRS}@elsewhere.example>`, FOREIGN],
    [`<${GOOD_SRS}%elsewhere.example@forwarder.example>`, NO_BOUNCE],
    [`<${GOOD_SRS.replace("=bob", "=carol")}@forwarder.example>`, NO_BOUNCE],
    ["<carol=elsewhere.example@forwarder.example>", UNKNOWN],
    ["<prvs=0123456789=carol@elsewhere.example>", FOREIGN],
  ],
};

test("there are well over 50 patterns", () => {
  assert.ok(Object.values(recipients).flat().length > 100);
});

for (const [kind, rows] of Object.entries(recipients)) {
  for (const [path, reply] of rows) {
    test(`${kind} is no relay: RCPT TO:${JSON.stringify(path).slice(1, -1)} is ${reply.slice(0, 9)}`, async () => {
      await using hop = await startHop();
      await using outside = await startForwarder(hop);
      await using inside = await startForwarder(hop, { trustedNetworks: ["127.0.0.0/8"] });
      const sessions = [
        [outside, BOB],
        [outside, "<>"],
        [outside, "<carol@elsewhere.example>"],
        [inside, "<alice@forwarder.example>"],
      ] as const;
      for (const [forwarder, sender] of sessions) {
        using client = await hello(forwarder);
        assert.match(await client.ask(`MAIL FROM:${sender}`), /^250 /);
        const said = await client.ask(`RCPT TO:${path}`);
        assert.ok(said.startsWith(`${reply} `), `${sender}: ${said}`);
        assert.match(await client.ask("DATA"), /^503 5\.5\.1 /);
      }
      assertUntouched(hop);
    });
  }
}

/** A sender that is ours, or looks like it, opens nothing: either it is refused, or the recipient is. */
const senders: readonly [mail: string, reply: string, rcpt: string, reply: string][] = [
  ["<alice@forwarder.example>", "550 5.7.1", "<carol@elsewhere.example>", "503 5.5.1"],
  ["<ALICE@Forwarder.Example>", "550 5.7.1", "<carol@elsewhere.example>", "503 5.5.1"],
  ["<@elsewhere.example:alice@forwarder.example>", "550 5.7.1", "<carol@elsewhere.example>", "503 5.5.1"],
  ["<carol%elsewhere.example@forwarder.example>", "550 5.7.1", "<carol@elsewhere.example>", "503 5.5.1"],
  ["<postmaster@forwarder.example>", "550 5.7.1", "<alice@forwarder.example>", "503 5.5.1"],
  ["<SRS0=aaaaaaaa=G3=e.example=c@forwarder.example>", "550 5.7.1", "<alice@forwarder.example>", "503 5.5.1"],
  ["<postmaster>", "553 5.1.7", "<carol@elsewhere.example>", "503 5.5.1"],
  ["<alice@forwarder.example@source.example>", "553 5.1.7", "<carol@elsewhere.example>", "503 5.5.1"],
  ["< >", "553 5.1.7", "<carol@elsewhere.example>", "503 5.5.1"],
  ["bob@source.example", "501 5.1.7", "<carol@elsewhere.example>", "503 5.5.1"],
  [`${BOB} AUTH=alice@forwarder.example`, "555 5.5.4", "<carol@elsewhere.example>", "503 5.5.1"],
  [`<${GOOD_SRS}@forwarder.example>`, "250 2.1.0", "<carol@elsewhere.example>", FOREIGN],
  ["<alice@mx.forwarder.example>", "250 2.1.0", "<carol@elsewhere.example>", FOREIGN],
  ["<alice@[127.0.0.1]>", "250 2.1.0", "<carol@elsewhere.example>", FOREIGN],
  ['<"alice@forwarder.example"@source.example>', "250 2.1.0", "<carol@elsewhere.example>", FOREIGN],
  [`${BOB} SMTPUTF8`, "250 2.1.0", "<carol\xc3\xb6@elsewhere.example>", FOREIGN],
  // U+FF20 FULLWIDTH COMMERCIAL AT, and U+3002 IDEOGRAPHIC FULL STOP, which is a dot in domains.
  [`${BOB} SMTPUTF8`, "250 2.1.0", "<carol\xef\xbc\xa0elsewhere.example>", NO_ADDRESS],
  [`${BOB} SMTPUTF8`, "250 2.1.0", "<carol\xef\xbc\xa0elsewhere.example@forwarder.example>", UNKNOWN],
  [`${BOB} SMTPUTF8`, "250 2.1.0", "<carol@elsewhere\xe3\x80\x82example>", FOREIGN],
  [`${BOB} SMTPUTF8`, "250 2.1.0", "<carol@elsewhere.example\xe3\x80\x82forwarder.example>", FOREIGN],
];
for (const [mail, mailReply, rcpt, rcptReply] of senders) {
  const name = JSON.stringify(`MAIL FROM:${mail} and RCPT TO:${rcpt}`).slice(1, -1);
  test(`no relay from outside: ${name}`, async () => {
    await using hop = await startHop();
    await using forwarder = await startForwarder(hop);
    using client = await hello(forwarder);
    const replies = [await client.ask(`MAIL FROM:${mail}`), await client.ask(`RCPT TO:${rcpt}`)];
    assert.ok(replies[0]?.startsWith(`${mailReply} `), replies[0]);
    assert.ok(replies[1]?.startsWith(`${rcptReply} `), replies[1]);
    assert.match(await client.ask("DATA"), /^503 5\.5\.1 /);
    assertUntouched(hop);
  });
}

test("a bare LF inside RCPT smuggles no second recipient in", async () => {
  await using hop = await startHop();
  await using forwarder = await startForwarder(hop);
  using client = await hello(forwarder);
  await client.ask(`MAIL FROM:${BOB}`);
  assert.match(
    await client.ask("RCPT TO:<carol@elsewhere.example>\nRCPT TO:<dave@elsewhere.example>"),
    /^550 5\.7\.1 /,
  );
  assert.match(await client.reply(), /^550 5\.7\.1 /);
  assert.match(await client.ask("DATA"), /^503 5\.5\.1 /);
  assertUntouched(hop);
});

test("a client that listens to no reply gets nothing through", async () => {
  await using hop = await startHop();
  await using forwarder = await startForwarder(hop);
  using client = await hello(forwarder);
  const commands = [`MAIL FROM:${BOB}`, "RCPT TO:<carol@elsewhere.example>", "DATA", ""].join("\r\n");
  client.send(`${commands}${stuffed(MESSAGE)}QUIT\r\n`);
  const codes = [...(await client.rest()).matchAll(/^\d{3}/gm)].map(String);
  assert.deepEqual(
    codes.filter((code) => code < "400"),
    ["250"],
    "MAIL alone: content before its 354 ends the session",
  );
  assertUntouched(hop);
});

test("beside a recipient of ours, a foreign one is refused, and only ours gets the message", async () => {
  await using hop = await startHop();
  await using forwarder = await startForwarder(hop);
  using client = await hello(forwarder);
  await client.ask(`MAIL FROM:${BOB}`);
  assert.match(await client.ask("RCPT TO:<alice@forwarder.example>"), /^250 /);
  assert.match(await client.ask("RCPT TO:<carol@elsewhere.example>"), /^550 5\.7\.1 /);
  assert.match(await sendMessage(client, MESSAGE), /^250 /);
  const recipientsTold = hop.commands.filter((line) => line.startsWith("RCPT"));
  assert.deepEqual(recipientsTold, ["RCPT TO:<a@home.example>"]);
  assert.equal(hop.messages.length, 1);
});

function startForwarder(hop: Hop, options: Partial<InProcessOptions> = {}) {
  return inProcessForwarder({ aliases: ALIASES, nextHop: hop.port, ...options });
}

async function hello(forwarder: { readonly port: number }): Promise<Wire> {
  const client = await greeted(forwarder);
  await client.ask("EHLO client.example");
  return client;
}

function assertUntouched(hop: Hop): void {
  assert.deepEqual([hop.connections.length, hop.commands, hop.messages], [0, [], []]);
}
