// A real Dovecot as the mail store of this site: mail reaches its mailboxes by LMTP, its refusals reach the caller, and
// it reads the maildirs that we write.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { memoryContent } from "@homing/mail";
import sampleCertificate from "smtp-server/lib/tls-options.js";
import type { Delivery } from "../packages/forwarder/src/deliver.ts";
import { deliverLocally, type LocalStore } from "../packages/forwarder/src/local-delivery.ts";
import { ownConnections } from "../packages/forwarder/src/testing/own-connections.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type Dovecot, startDovecot } from "./harness/dovecot.ts";

const skip = (await storiesNeed("dovecot-lmtpd")) ?? false;

const HOSTNAME = "mx.home.example";
const NOW = 1_800_000_000;
const HEADER = "From: bob@source.example\r\nSubject: octets\r\n\r\n";

let ids = 0;
async function deliver(
  store: LocalStore,
  user: string,
  message = `${HEADER}x\r\n`,
  smtpUtf8 = false,
): Promise<Delivery> {
  const delivery = await deliverLocally(
    store,
    { hostname: HOSTNAME, ...ownConnections(HOSTNAME), newId: () => `id${++ids}`, now: () => NOW },
    {
      reversePath: { localPart: "bob", domain: "source.example" },
      recipient: { localPart: user, domain: "home.example" },
      eightBit: true,
      smtpUtf8,
    },
    memoryContent(Buffer.from(message, "latin1")),
  );
  assert.ok(delivery.kind !== "busy", "each has a connection of its own");
  return delivery;
}

/** Both ways to reach the same store. */
function waysTo(dovecot: Dovecot): readonly (readonly [how: string, store: LocalStore])[] {
  return [
    ["TCP", { kind: "lmtp", server: { host: "127.0.0.1", port: dovecot.port } }],
    ["a UNIX socket", { kind: "lmtp", server: { path: dovecot.socket } }],
  ];
}

const allOctets = String.fromCharCode(
  ...Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => ![0, 10, 13].includes(octet)),
);
const messages: [what: string, message: string][] = [
  ["every octet but NUL, CR and LF", `${HEADER}${allOctets}\r\n`],
  ["a line of 5,000 octets", `${HEADER}${"x".repeat(5000)}\r\n`],
  ["dots at line starts", `${HEADER}.\r\n..\r\n.x\r\n...\r\n`],
  ["trailing blanks and empty lines", `${HEADER}text  \t\r\n \r\n\r\n\r\n`],
  ["an empty body", HEADER],
  ["a million octets", `${HEADER}${".line\r\n".repeat(142_857)}`],
];

test("messages reach a mailbox of Dovecot byte for byte, by TCP and by UNIX socket", { skip }, async () => {
  await using dovecot = await startDovecot({ users: { "alice@home.example": "" } });
  let count = 0;
  for (const [how, store] of waysTo(dovecot)) {
    for (const [what, message] of messages) {
      const delivery = await deliver(store, "alice", message);
      assert.equal(delivery.kind, "delivered", `${what} by ${how}: ${delivery.detail}`);
      assert.match(delivery.detail, /^<alice@home\.example> \S+ Saved$/);
      const arrived = (await dovecot.mail("alice@home.example", { count: ++count })).at(-1);
      const whole = arrived?.toString("latin1").replaceAll("\n", "\r\n") ?? "";
      assert.ok(whole.endsWith(message), `${what} by ${how}`);
      // The store's trace fields, and nothing else. The sender in them is not rewritten.
      assert.match(
        whole.slice(0, -message.length),
        /^Return-Path: <bob@source\.example>\r\nDelivered-To: alice@home\.example\r\nReceived: [^\r]+\r\n(?:\t[^\r]+\r\n)+$/,
      );
    }
  }
});

test("100 messages at once: Dovecot has all of them", { skip }, async () => {
  await using dovecot = await startDovecot({ users: { "alice@home.example": "" } });
  const [[, store]] = waysTo(dovecot) as [readonly [string, LocalStore]];
  const bodies = Array.from({ length: 100 }, (_, index) => `${HEADER}number ${index}\r\n`);
  const deliveries = await Promise.all(bodies.map((body) => deliver(store, "alice", body)));
  assert.deepEqual(new Set(deliveries.map(({ kind }) => kind)), new Set(["delivered"]));
  const arrived = await dovecot.mail("alice@home.example", { count: 100 });
  const numbers = arrived.map((message) => /^number \d+$/m.exec(String(message))?.[0]);
  assert.equal(new Set(numbers).size, 100);
});

const refusals: [
  what: string,
  user: string,
  settings: Record<string, string>,
  code: number,
  enhanced: string,
][] = [
  ["an unknown user", "nobody", {}, 550, "5.1.1"],
  ["a mailbox over its quota", "carol", {}, 552, "5.2.2"],
  ["a mailbox over its quota for now", "carol", { quota_full_tempfail: "yes" }, 452, "4.2.2"],
  ["a mailbox that cannot be written", "alice", { mail_location: "maildir:/proc/%u" }, 451, "4.2.0"],
];
for (const [what, user, settings, code, enhanced] of refusals) {
  test(`${what} is ${code} ${enhanced}, as Dovecot says, and its words are for the log`, {
    skip,
  }, async () => {
    await using dovecot = await startDovecot({
      users: { "alice@home.example": "", "carol@home.example": "storage=1k" },
      settings,
    });
    // Over the quota already, where it is asked for before the message.
    const message = `${HEADER}${"x".repeat(5000)}\r\n`;
    for (const [how, store] of waysTo(dovecot)) {
      const delivery = await deliver(store, user, message);
      assert.ok(delivery.kind === "failed", how);
      assert.deepEqual([delivery.code, delivery.enhanced], [code, enhanced], `${how}: ${delivery.detail}`);
      assert.ok(delivery.detail.startsWith(`${code} ${enhanced} `));
    }
  });
}

test("a full mailbox is refused at RCPT where Dovecot looks before the message", { skip }, async () => {
  await using dovecot = await startDovecot({
    users: { "carol@home.example": "messages=1" },
    settings: { lmtp_rcpt_check_quota: "yes" },
  });
  const [[, store]] = waysTo(dovecot) as [readonly [string, LocalStore]];
  assert.equal((await deliver(store, "carol")).kind, "delivered");
  const delivery = await deliver(store, "carol");
  assert.ok(delivery.kind === "failed");
  assert.deepEqual([delivery.code, delivery.enhanced], [552, "5.2.2"]);
  assert.doesNotMatch(await dovecot.log(), /save failed/);
});

test("Dovecot with TLS gets its mail over TLS, but for its UNIX socket", { skip }, async () => {
  const { key, cert } = sampleCertificate() as { key: string; cert: string };
  await using dovecot = await startDovecot({
    users: { "alice@home.example": "" },
    settings: { ssl: "yes", ssl_cert: "</etc/dovecot/cert.pem", ssl_key: "</etc/dovecot/key.pem" },
    files: { "/etc/dovecot/cert.pem": cert, "/etc/dovecot/key.pem": key },
  });
  let count = 0;
  for (const [how, store] of waysTo(dovecot)) {
    const delivery = await deliver(store, "alice");
    assert.equal(delivery.kind, "delivered", `${how}: ${delivery.detail}`);
    const arrived = (await dovecot.mail("alice@home.example", { count: ++count })).at(-1);
    assert.match(String(arrived), how === "TCP" ? /using TLSv1\.[\s\S]* with LMTPS\n/ : / with LMTP\n/, how);
  }
});

test("a message with UTF-8 in its header is 550 5.6.7: this Dovecot does not offer SMTPUTF8", {
  skip,
}, async () => {
  await using dovecot = await startDovecot({ users: { "alice@home.example": "" } });
  for (const [how, store] of waysTo(dovecot)) {
    // As octets of UTF-8.
    const delivery = await deliver(store, "alice", `X-Name: J\xc3\xb6rg\r\n${HEADER}`, true);
    assert.ok(delivery.kind === "failed", how);
    assert.deepEqual([delivery.code, delivery.enhanced], [550, "5.6.7"]);
    const plain = await deliver(store, "alice", HEADER, true);
    assert.equal(plain.kind, "delivered", `${how}: a promise of SMTPUTF8 alone is no need`);
  }
});

test("a Dovecot that is down is 451 4.4.1, by TCP and by UNIX socket", { skip }, async () => {
  const dovecot = await startDovecot({ users: { "alice@home.example": "" } });
  const ways = waysTo(dovecot);
  await dovecot.stop();
  for (const [how, store] of ways) {
    const delivery = await deliver(store, "alice");
    assert.ok(delivery.kind === "failed", how);
    assert.deepEqual([delivery.code, delivery.enhanced], [451, "4.4.1"], how);
    assert.match(delivery.detail, how === "TCP" ? /ECONNREFUSED/ : /ENOENT/);
  }
});

test("Dovecot reads what we wrote into a maildir, octet for octet", { skip }, async () => {
  await using dovecot = await startDovecot({ users: { "alice@home.example": "" } });
  const store: LocalStore = { kind: "maildir", pattern: join(dovecot.mailboxes, "{user}@{domain}") };
  for (const [what, message] of messages) {
    assert.equal((await deliver(store, "Alice", message)).kind, "delivered", what);
  }
  const fields = "Return-Path: <bob@source.example>\nDelivered-To: Alice@home.example\n";
  const read = await dovecot.read("alice@home.example");
  // Its JSON is UTF-8, and puts U+FFFD in place of octets that are not.
  const expected = messages.map(([, message]) =>
    Buffer.from(message.replaceAll("\r\n", "\n"), "latin1").toString(),
  );
  assert.deepEqual(read.toSorted(), expected.map((message) => fields + message).toSorted());
});
