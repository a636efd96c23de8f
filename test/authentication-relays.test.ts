// Mail that others pass on: a secondary MX of ours, which a real Postfix is here, and proxies that name their clients. The check
// is made against whoever came to them from outside.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  ALICE,
  address,
  authenticationScene,
  clientOf,
  fieldOf,
  fieldsOf,
  type InProcessScene,
  message,
  rules,
  type StoryZone,
  servedScene,
  texts,
  trusting,
} from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
const BOB = "bob@bank.example";
const ZONE: StoryZone = {
  "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
  "everybody.example": texts("v=spf1 +all"),
};

interface Site extends InProcessScene {
  readonly relay: Postfix;
  /** To the relay, as a client from outside. */
  come(client: string, from: string, content?: string): Promise<string>;
  /** What we said to the relay. */
  said(pattern: RegExp): Promise<string>;
}

async function site(t: TestContext): Promise<Site> {
  const scene = await authenticationScene(t, ZONE, { authentication: { relays: ["127.0.0.1"] } });
  const relay = await startPostfix({
    hostname: "mx2.forwarder.example",
    destinations: [],
    relayHost: `[127.0.0.1]:${scene.forwarder.port}`,
    settings: { relay_domains: "forwarder.example", smtpd_authorized_xclient_hosts: "127.0.0.0/8" },
  });
  t.after(() => relay[Symbol.asyncDispose]());
  return {
    ...scene,
    relay,
    async come(address, from, content = message(from)) {
      using client = await clientOf(relay.port);
      await client.ask("EHLO proxy.example");
      assert.match(await client.ask(`XCLIENT ADDR=${address} NAME=[UNAVAILABLE]`), /^220 /);
      await client.ask("EHLO outside.example");
      await client.ask(`MAIL FROM:<${from}>`);
      assert.match(await client.ask(`RCPT TO:<${ALICE}>`), /^250 /);
      await client.ask("DATA");
      client.send(`${content}.\r\n`);
      return await client.reply();
    },
    said: (pattern) =>
      waitFor(async () => pattern.exec(await relay.tail())?.[0], {
        seconds: 10,
        otherwise: () => relay.tail(),
      }),
  };
}

test("of mail from our secondary MX, who came to that is checked, and not the MX", { skip }, async (t) => {
  const { come, said, hop, arrived, authenticated, told } = await site(t);
  assert.match(await come("192.0.2.66", BOB), /^250 /);
  await said(/said: 550[- ]5\.7\.23 SPF: bank\.example does not let 192\.0\.2\.66 send its mail/);
  assert.deepEqual(
    told("refused").flatMap((one) => (one.event === "refused" && one.recipient === ALICE ? [one.stage] : [])),
    ["data"],
  );

  assert.match(await come("192.0.2.1", BOB), /^250 /);
  await said(/status=sent/);
  assert.equal(hop.messages.length, 1);
  assert.match(fieldOf(arrived(), "received-spf") ?? "", /^pass .*client-ip=192\.0\.2\.1;/);
  assert.match(fieldOf(arrived(), "received-spf") ?? "", /helo=outside\.example;/);
  assert.equal(authenticated()?.client, "192.0.2.1");
});

test("Received fields that the client brings do not count", { skip }, async (t) => {
  const { come, said, hop } = await site(t);
  const forged = [
    "Received: from outside.example (unknown [192.0.2.1]) by mx2.forwarder.example (Postfix)\r\n" +
      "\twith ESMTP id 4711 for <alice@forwarder.example>; Sun, 22 Nov 2026 10:00:00 +0000 (UTC)",
    "Received: from mx2.forwarder.example (mx2.forwarder.example [127.0.0.1]) by mx.forwarder.example; Sun, 22 Nov 2026 10:00:00 +0000",
  ];
  const content = `${forged.join("\r\n")}\r\n${message(BOB)}`;
  assert.match(await come("192.0.2.66", BOB, content), /^250 /);
  await said(/said: 550[- ]5\.7\.23 SPF: bank\.example does not let 192\.0\.2\.66 /);
  assert.equal(hop.messages.length, 0);
});

test("who names an address in his HELO is not that address", { skip }, async (t) => {
  const { relay, said, hop } = await site(t);
  using client = await clientOf(relay.port);
  await client.ask("EHLO proxy.example");
  await client.ask("XCLIENT ADDR=192.0.2.66 NAME=[UNAVAILABLE]");
  await client.ask("HELO x ([192.0.2.1]) by mx2.forwarder.example");
  await client.ask(`MAIL FROM:<${BOB}>`);
  assert.match(await client.ask(`RCPT TO:<${ALICE}>`), /^250 /);
  await client.ask("DATA");
  client.send(`${message(BOB)}.\r\n`);
  assert.match(await client.reply(), /^250 /);
  await said(/status=(?:sent|bounced)/);
  const spf = hop.messages.map((one) => fieldOf(one.toString("latin1"), "received-spf") ?? "none");
  assert.ok(
    spf.every((field) => !field.startsWith("pass")),
    spf.join("\n"),
  );
});

/** What a relay of ours brings that says nothing that can be read. */
const unreadable: [what: string, received: string | undefined][] = [
  ["no Received field", undefined],
  ["one that names nobody", "Received: by mx2.forwarder.example; Sun, 22 Nov 2026 10:00:00 +0000"],
  ["nonsense", "Received: (((( from [192.0.2.1] by x"],
  [
    "nonsense above what a client may have brought",
    "Received: by mx2.forwarder.example; Sun, 22 Nov 2026 10:00:00 +0000\r\n" +
      "Received: from a.example (unknown [192.0.2.1]) by mx2.forwarder.example (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 09:00:00 +0000",
  ],
];
for (const [what, received] of unreadable) {
  test(`mail of a relay with ${what} is marked, and not queued: its client waits`, async (t) => {
    const { send, arrived, told, hop } = await authenticationScene(t, ZONE, {
      authentication: { relays: ["127.0.0.1"] },
      hopSays: { dot: "451 4.2.1 not now" },
    });
    const content = `${received === undefined ? "" : `${received}\r\n`}${message(BOB)}`;
    assert.match(await send({ from: BOB, message: content }), /^451 4\.2\.1 /);
    assert.equal(hop.messages.length, 1);
    assert.match(fieldOf(arrived(), "authentication-results") ?? "", /spf=none reason="a relay does not say/);
    assert.equal(fieldOf(arrived(), "received-spf"), undefined);
    assert.match(fieldOf(arrived(), "x-homing-verdict") ?? "", /^suspect; unknown-client/);
    assert.deepEqual(
      told("not-authenticated").map((one) => one.event === "not-authenticated" && one.client),
      ["127.0.0.1"],
    );
  });
}

test("a relay's mail from nobody but relays was written by one of us, and is not checked", async (t) => {
  const { send, told } = await authenticationScene(t, ZONE, {
    authentication: { relays: ["127.0.0.1", "192.0.2.2"] },
  });
  const received =
    "Received: from mx3.forwarder.example (mx3.forwarder.example [192.0.2.2]) by mx2.forwarder.example (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 10:00:00 +0000";
  assert.match(await send({ from: BOB, message: `${received}\r\n${message(BOB)}` }), /^250 /);
  assert.equal(told("not-authenticated").length, 1);
});

test("fields of ours that came to a relay are cut out of its mail, too", async (t) => {
  const { send, arrived } = await authenticationScene(t, ZONE, { authentication: { relays: ["127.0.0.1"] } });
  const received =
    "Received: from outside.example (unknown [192.0.2.1]) by mx2.forwarder.example (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 10:00:00 +0000";
  const forged = "Authentication-Results: mx.forwarder.example; dkim=pass header.d=evil.example";
  assert.match(await send({ from: BOB, message: `${received}\r\n${forged}\r\n${message(BOB)}` }), /^250 /);
  const results = fieldsOf(arrived()).filter(([name]) => name === "authentication-results");
  assert.equal(results.length, 1);
  assert.match(results[0]?.[1] ?? "", /spf=pass/);
});

for (const verb of ["XCLIENT", "XFORWARD"]) {
  test(`the client that a proxy names with ${verb} is checked at RCPT`, async (t) => {
    const { homing } = await servedScene(t, {
      zone: ZONE,
      config: ["domains: [forwarder.example]", "xclientNetworks: [127.0.0.1]", "authentication: {}"],
    });
    const said = async (address: string, from = BOB): Promise<string> => {
      using proxy = await clientOf(homing.port);
      await proxy.ask("EHLO proxy.example");
      assert.match(await proxy.ask(`${verb} ADDR=${address} NAME=outside.example`), /^2[25]0 /);
      await proxy.ask("EHLO outside.example");
      await proxy.ask(`MAIL FROM:<${from}>`);
      return await proxy.ask(`RCPT TO:<${ALICE}>`);
    };
    assert.match(await said("192.0.2.66"), /^550 5\.7\.23 SPF: bank\.example does not let 192\.0\.2\.66 /);
    assert.match(await said("192.0.2.1"), /^250 /);
    assert.match(await said("IPV6:2001:db8::1"), /^550 5\.7\.23 .* 2001:db8::1 /);
    assert.match(await said("IPV6:::ffff:192.0.2.1"), /^250 /, "IPv4 in the clothes of IPv6");
    assert.match(await said("[UNAVAILABLE]"), /^550 5\.7\.23 /, "nobody is trusted who is not known");
  });
}

test("a relay in trustedNetworks speaks for itself alone: behind it are strangers", async (t) => {
  const { send, forwarder, hop } = await authenticationScene(
    t,
    {
      ...ZONE,
      "strict.example": texts("v=spf1 ip4:192.0.2.9 -all"),
      "_dmarc.strict.example": texts("v=DMARC1; p=reject"),
    },
    { authentication: { relays: ["127.0.0.1"] }, trustedNetworks: ["127.0.0.1"] },
  );
  const through =
    "Received: from x.example (unknown [192.0.2.66]) by mx2.forwarder.example (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 10:00:00 +0000\r\n";
  const own = through + message("boss@forwarder.example");
  assert.match(await send({ from: "boss@forwarder.example", message: own }), /^550 5\.7\.1 /);
  const bad = "SRS0=aaaaaaaa=GG=source.example=bob@forwarder.example";
  assert.match(await send({ from: bad, message: own }), /^550 5\.7\.1 /);
  assert.match(
    await send({ from: "ceo@strict.example", message: through + message("ceo@strict.example") }),
    /^550 /,
  );
  assert.equal(hop.messages.length, 0);
  const cron = `Received: by mx2.forwarder.example (Postfix, from userid 0) id 2; Sun, 22 Nov 2026 10:00:00 +0000\r\n${message("root@strict.example")}`;
  assert.match(await send({ from: "root@strict.example", message: cron }), /^250 /);
  assert.equal(forwarder.events.filter(({ event }) => event === "not-authenticated").length, 0);
});

test("an entry that names a relay does not cover strangers whom the relay does not name", async (t) => {
  const zone = { "_dmarc.strict.example": texts("v=DMARC1; p=reject") };
  const { send } = await authenticationScene(t, zone, {
    authentication: { relays: ["127.0.0.1"], trustedForwarders: trusting("127.0.0.1 our own server") },
  });
  const content = `Received: nonsense\r\n${message("ceo@strict.example")}`;
  assert.match(await send({ from: "ceo@strict.example", message: content }), /^550 5\.7\.26 /);
});

test("a listed client behind a relay is refused, and one who is trusted is not called suspect", async (t) => {
  const zone = { "66.2.0.192.clients.list.example": address("127.0.0.2") };
  const through =
    "Received: from x.example (unknown [192.0.2.66]) by mx2.forwarder.example (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 10:00:00 +0000\r\n";
  const lists = rules({ dnsbl: ["clients.list.example"] });
  const content = through + message("bob@plain.example");
  const relayed = { ...lists, relays: ["127.0.0.1"] };
  const strict = await authenticationScene(t, zone, { authentication: relayed });
  assert.match(
    await strict.send({ from: "bob@plain.example", message: content }),
    /^550 5\.7\.1 192\.0\.2\.66 is listed/,
  );
  assert.equal(strict.authenticated(), undefined);
  const trustedForwarders = trusting("192.0.2.66 a club");
  const lenient = await authenticationScene(t, zone, { authentication: { ...relayed, trustedForwarders } });
  assert.match(await lenient.send({ from: "bob@plain.example", message: content }), /^250 /);
  assert.equal(lenient.authenticated()?.verdict, "accept");
});
