// What comes in goes out: every octet from the header down, behind trace fields of ours. And what would be dangerous
// to pass on is refused before anything is sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listenSmtp } from "@homing/forwarder";
import { type Content, type Reply, wholeContent } from "@homing/mail";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./harness/availability.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";
import { inProcessForwarder } from "./harness/in-process.ts";

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };
const HEADER = "From: bob@source.example\r\nSubject: octets\r\n\r\n";
const ALIAS = { from: "bob@source.example", to: "alice@forwarder.example" };

/** A Homing inbox: the receiving side of Homing with nothing behind it. */
async function inbox() {
  const messages: Buffer[] = [];
  const data = async (message: Content): Promise<Reply> => {
    messages.push(await wholeContent(message));
    return OK;
  };
  const listener = await listenSmtp(
    { host: "127.0.0.1", port: 0, hostname: "home.example", maxMessageOctets: 10_000_000, maxClients: 10 },
    {
      mail: () => ({ kind: "open", transaction: { rcpt: () => OK, data } }),
      failed: (error) => assert.fail(String(error)),
    },
  );
  return { messages, port: listener.port, [Symbol.asyncDispose]: () => listener.close() };
}

const allOctets = Buffer.from(
  Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => ![0, 10, 13].includes(octet)),
);
const messages: [what: string, message: Buffer][] = [
  ["every octet but NUL, CR and LF", Buffer.concat([Buffer.from(HEADER), allOctets, Buffer.from("\r\n")])],
  ["a line of 5,000 octets", Buffer.from(`${HEADER}${"x".repeat(5000)}\r\n`)],
  ["dots at line starts", Buffer.from(`${HEADER}.\r\n..\r\n.x\r\n...\r\n`)],
  ["trailing blanks and empty lines", Buffer.from(`${HEADER}text  \t\r\n \r\n\r\n\r\n`)],
  ["an empty body", Buffer.from(HEADER)],
  ["a header and no empty line", Buffer.from("From: bob@source.example\r\n")],
  ["no header at all", Buffer.from("\r\nbody\r\n")],
  ["nothing at all", Buffer.alloc(0)],
  ["20,000 lines that begin with dots", Buffer.from(HEADER + ".dots\r\n".repeat(20_000))],
];

for (const [what, message] of messages) {
  test(`${what} arrives byte for byte`, async () => {
    await using home = await inbox();
    await using forwarder = await inProcessForwarder({
      aliases: "alice: a@home.example",
      nextHop: home.port,
    });
    using client = await greeted(forwarder);
    assert.match(await transact(client, { ...ALIAS, message }), /^250 /);
    const [arrived = Buffer.alloc(0)] = home.messages;
    const added = arrived.subarray(0, arrived.length - message.length).toString("latin1");
    assert.ok(arrived.subarray(added.length).equals(message));
    assert.match(added, /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n(?:\t[^\r\n]+\r\n)+$/);
  });
}

for (const [what, octets] of [
  ["a bare CR", "a\rb\r\n"],
  ["a bare LF", "a\nb\r\n"],
  ["a NUL", "a\0b\r\n"],
  ["a smuggled end of data", "a\n.\r\nMAIL FROM:<x@y.example>\r\n"],
] as const) {
  test(`${what} in DATA is 550 5.6.0, and nothing is sent on`, async () => {
    await using hop = await startHop();
    await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: hop.port });
    using client = await greeted(forwarder);
    assert.match(await transact(client, { ...ALIAS, message: HEADER + octets }), /^550 5\.6\.0 /);
    assert.deepEqual(hop.commands, [], "the next hop was not even asked");
    assert.match(await transact(client, { ...ALIAS, message: HEADER }), /^250 /, "the session goes on");
  });
}

const skip = (await storiesNeed("python3-dkim")) ?? false;
test("a DKIM signature over 8-bit text, dots and long lines verifies at the far end", { skip }, async () => {
  await using peer = await dkim();
  const { signer, dns } = createDkimKey("source.example", "s1");
  const body = Buffer.concat([Buffer.from(`.${"y".repeat(5000)}  \r\n`), allOctets, Buffer.from("\r\n\r\n")]);
  const message = await peer.sign(Buffer.concat([Buffer.from(HEADER), body]), signer);
  await using home = await inbox();
  await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: home.port });
  using client = await greeted(forwarder);
  assert.match(await transact(client, { ...ALIAS, message }), /^250 /);
  const [arrived = Buffer.alloc(0)] = home.messages;
  assert.equal(await peer.verify(arrived, { dns }), true);
  const changed = Buffer.from(
    arrived.toString("latin1").replace("Subject: octets", "Subject: 0ctets"),
    "latin1",
  );
  assert.equal(await peer.verify(changed, { dns }), false);
});

test("mail that passed fifty servers is refused as a loop", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: "alice: a@home.example", nextHop: hop.port });
  using client = await greeted(forwarder);
  const passed = (hops: number): string => "Received: by x.example; date\r\n".repeat(hops) + HEADER;
  assert.match(await transact(client, { ...ALIAS, message: passed(50) }), /^554 5\.4\.6 /);
  assert.match(await transact(client, { ...ALIAS, message: passed(49) }), /^250 /);
});
