// LMTP (RFC 2033) to a scripted store: what becomes of an attempt, over TCP and over a UNIX socket.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Envelope, memoryContent } from "@homing/mail";
import { type Attempt, type SocketPath, submit } from "./smtp-out.ts";
import { type Answers, FIN, type Hop, RST, SILENCE, startHop, stuffed } from "./testing/smtp-peers.ts";
import { type Place, within } from "./testing/wire.ts";

const envelope: Envelope = {
  reversePath: { localPart: "a", domain: "b.test" },
  recipient: { localPart: "c", domain: "d.test" },
  eightBit: false,
  smtpUtf8: false,
};
const MESSAGE = "Subject: x\r\n\r\n.y\r\n";

function attempt(server: Place | SocketPath, timeIsUp?: AbortSignal): Promise<Attempt> {
  const submission = {
    server: "path" in server ? server : { host: "127.0.0.1", ...server },
    protocol: "lmtp",
    hostname: "mx.test",
    envelope,
    message: memoryContent(Buffer.from(MESSAGE)),
    ...(timeIsUp ? { timeIsUp } : {}),
  } as const;
  return within(submit(submission), "the attempt");
}

const PLAIN = "250-store.example\r\n250 8BITMIME";
const PIPELINED = "250-store.example\r\n250 PIPELINING";

const answered: [at: string, answers: Answers, code: number, enhanced: string, stage: string][] = [
  ["the greeting", { greeting: "421 4.3.2 busy" }, 421, "4.3.2", "greeting"],
  ["LHLO", { LHLO: "500 5.5.1 this is SMTP" }, 500, "5.5.1", "greeting"],
  ["LHLO", { LHLO: "421 4.3.2 closing" }, 421, "4.3.2", "greeting"],
  ["MAIL", { MAIL: "451 4.3.0 no disk" }, 451, "4.3.0", "transaction"],
  ["RCPT", { RCPT: "550 5.1.1 no such user" }, 550, "5.1.1", "transaction"],
  ["RCPT", { RCPT: "451 4.3.0 no user database" }, 451, "4.3.0", "transaction"],
  ["RCPT", { RCPT: "550 no such user" }, 550, "5.0.0", "transaction"],
  ["DATA", { DATA: "554 5.5.1 no" }, 554, "5.5.1", "transaction"],
  ["the final dot", { dot: "552 5.2.2 <c@d.test> full" }, 552, "5.2.2", "transaction"],
  ["the final dot", { dot: "452 4.2.2 <c@d.test> full" }, 452, "4.2.2", "transaction"],
  ["the final dot", { dot: "450-4.2.0 in\r\n450 4.2.0 lines" }, 450, "4.2.0", "transaction"],
  ["the final dot", { dot: "421 4.3.0 going down" }, 421, "4.3.0", "transaction"],
  ["the final dot", { dot: "554" }, 554, "5.0.0", "transaction"],
];
for (const [at, answers, code, enhanced, stage] of answered) {
  for (const [how, LHLO] of [
    ["one by one", PLAIN],
    ["pipelined", PIPELINED],
  ] as const) {
    test(`LMTP: ${code} ${enhanced} at ${at}, commands ${how}, is the store's answer`, async () => {
      // RFC 2033 §4.2: DATA without an accepted recipient is 503.
      const noRecipient = (answers.MAIL ?? answers.RCPT) ? { DATA: "503 5.5.1 no recipient" } : {};
      await using store = await startHop({ LHLO, ...noRecipient, ...answers });
      const outcome = await attempt(store);
      assert.ok(outcome.kind === "answered");
      assert.deepEqual([outcome.reply.code, outcome.reply.enhanced, outcome.stage], [code, enhanced, stage]);
    });
  }
}

const odd: [what: string, answers: Answers][] = [
  ["words at the final dot", { dot: "stored" }],
  ["354 at the final dot", { dot: "354 again" }],
  ["a code of no class at the final dot", { dot: "999 stored" }],
  ["354 at LHLO", { LHLO: "354 go on" }],
  ["HTTP at LHLO", { LHLO: "HTTP/1.1 400 Bad Request" }],
  ["an end instead of the answer to the dot", { dot: FIN }],
  ["a reset instead of the answer to the dot", { dot: RST }],
  ["a line of 2 MiB at the final dot", { dot: `5${"x".repeat(2 << 20)}` }],
];
for (const [what, answers] of odd) {
  test(`LMTP: ${what}: no answer to rely on`, async () => {
    await using store = await startHop(answers);
    assert.equal((await attempt(store)).kind, "no-answer");
  });
}

test("LMTP: a second reply to the dot, as for another recipient, changes nothing", async () => {
  for (const dot of ["250 2.0.0 first\r\n550 5.1.1 second", "550 5.1.1 first\r\n250 2.0.0 second"]) {
    await using store = await startHop({ dot });
    const outcome = await attempt(store);
    assert.equal(outcome.kind, dot.startsWith("250") ? "accepted" : "answered");
    assert.ok("reply" in outcome && outcome.reply.text === "first");
  }
});

test("LMTP says LHLO, and neither EHLO nor HELO, also to a store that refuses it", async () => {
  for (const LHLO of [PLAIN, "502 5.5.2 what?"]) {
    await using store = await startHop({ LHLO });
    await attempt(store);
    await store.connections[0]?.rest();
    assert.equal(store.commands[0], "LHLO mx.test");
    assert.ok(!store.commands.some((line) => /^(?:EHLO|HELO)/.test(line)));
  }
});

test("LMTP: the store gets the message octet for octet, and its words come back", async () => {
  await using store = await startHop({ dot: "250 2.0.0 <c@d.test> 1A Saved" });
  const outcome = await attempt(store);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.reply.text, "<c@d.test> 1A Saved");
  assert.equal(String(store.messages[0]), stuffed(MESSAGE));
});

test("SMTP to a server that knows only LMTP ends without a message", async () => {
  await using store = await startHop({ EHLO: "500 5.5.1 say LHLO", HELO: "500 5.5.1 say LHLO" });
  const outcome = await within(
    submit({ server: store, hostname: "mx.test", envelope, message: memoryContent(Buffer.from(MESSAGE)) }),
    "the attempt",
  );
  assert.ok(outcome.kind === "answered");
  assert.deepEqual([outcome.reply.code, outcome.stage], [500, "greeting"]);
});

/** A folder of its own, for sockets. */
async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A UNIX socket that leads to the hop. */
async function socketTo(t: TestContext, hop: Hop): Promise<SocketPath> {
  const path = join(await temporaryFolder(t), "lmtp");
  const server = createServer((near) => {
    const far = connect(hop.port, hop.host);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {});
  });
  t.after(() => server.close());
  server.listen(path);
  await once(server, "listening");
  return { path };
}

test("LMTP over a UNIX socket: a message arrives, without TLS though it is offered", async (t) => {
  await using store = await startHop({ LHLO: "250-store.example\r\n250 STARTTLS" });
  const outcome = await attempt(await socketTo(t, store));
  assert.equal(outcome.kind, "accepted");
  assert.equal(String(store.messages[0]), stuffed(MESSAGE));
  assert.ok(!store.commands.includes("STARTTLS"));
});

test("LMTP over a UNIX socket: a refusal is carried", async (t) => {
  await using store = await startHop({ dot: "452 4.2.2 full" });
  const outcome = await attempt(await socketTo(t, store));
  assert.ok(outcome.kind === "answered");
  assert.deepEqual([outcome.reply.code, outcome.reply.enhanced], [452, "4.2.2"]);
});

test("a UNIX socket where nobody listens: no answer, and the cause names it", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "file"), "");
  for (const [name, cause] of [
    ["missing", /ENOENT.*missing/],
    ["file", /ECONNREFUSED.*file/],
    ["file/below", /ENOTDIR.*below/],
    ["x".repeat(200), /^connect E(?:INVAL|NAMETOOLONG) .*xxx/],
  ] as const) {
    const outcome = await attempt({ path: join(folder, name) });
    assert.ok(outcome.kind === "no-answer");
    assert.equal(outcome.stage, "greeting");
    assert.match(outcome.cause, cause);
  }
});

test("LMTP over a UNIX socket: who does not wait any longer ends an attempt", async (t) => {
  for (const step of ["greeting", "LHLO", "dot"] as const) {
    const patience = new AbortController();
    await using store = await startHop({ [step]: SILENCE });
    const pending = attempt(await socketTo(t, store), patience.signal);
    while (store.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
    patience.abort();
    assert.equal((await pending).kind, "no-answer", step);
  }
});
