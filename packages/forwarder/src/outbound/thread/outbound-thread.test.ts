// SMTP out in its thread: what goes to and fro. Its life: thread-life.test.ts. The pool itself: ../outbound.test.ts.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Content, memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import { SILENCE, startHop } from "../../testing/smtp-peers.ts";
import { serve, type Wire, within } from "../../testing/wire.ts";
import {
  contentOf,
  envelopeTo,
  LINES,
  started,
  startedWithHop,
  TOLD,
  until,
} from "./testing/thread-scene.ts";
import type { Counts } from "./testing/told-thread.ts";

const UNCLONED = { host: "127.0.0.1", port: 1, name: (() => "") as unknown as string };

test("the final dot is told once, and before the outcome", async (t) => {
  const { send } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
  const told: string[] = [];
  for (let sent = 0; sent < 3; sent++) told.push((await send({ onFinalDot: () => told.push("dot") })).kind);
  assert.deepEqual(told, ["dot", "accepted", "dot", "accepted", "dot", "accepted"]);
});

test("time that is up behind the final dot changes nothing, and tells of the dot at once", async (t) => {
  const { hop, send } = await startedWithHop(t);
  const limit = new AbortController();
  const dot = Promise.withResolvers<void>();
  const attempt = send({ timeIsUp: limit.signal, onFinalDot: dot.resolve });
  await until(() => hop.now().owed === 1);
  limit.abort();
  await within(dot.promise, "the final dot");
  hop.answer();
  assert.equal((await attempt).kind, "accepted");
});

test("time that is up before the final dot ends the attempt, and no dot is told", async (t) => {
  const says = (verb: string) => (verb === "MAIL" ? SILENCE : undefined);
  const { hop, send } = await startedWithHop(t, { says });
  const limit = new AbortController();
  const attempt = send({ timeIsUp: limit.signal, onFinalDot: () => assert.fail("no dot") });
  await until(() => hop.commands.some((line) => line.startsWith("MAIL")));
  limit.abort();
  assert.deepEqual(await attempt, { kind: "no-answer", cause: "time is up", stage: "transaction" });
});

test("time that is up before the thread heard of it: nothing is begun", async (t) => {
  const { hop, send, close } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
  const limit = new AbortController();
  const attempt = send({ timeIsUp: limit.signal });
  limit.abort();
  const expected = { kind: "no-answer", cause: "time is up", stage: "greeting" };
  assert.deepEqual(await attempt, expected);
  assert.deepEqual(await send({ timeIsUp: limit.signal }), expected);
  assert.equal((await send()).kind, "accepted");
  await close();
  assert.equal(hop.messages.length, 1);
});

test("each message has its own octets, whatever else goes in its turn", async (t) => {
  const hop = await startHop();
  t.after(() => hop[Symbol.asyncDispose]());
  const { submit } = started(t);
  const { host, port } = hop;
  const texts = ["", "b\r\n", `${"c".repeat(5000)}\r\n`, "", `${"d".repeat(70)}\r\n`.repeat(500)];
  const parts = (text: string) => [Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))];
  const attempts = texts.map((text) => submit({ hop: { host, port }, message: memoryContent(parts(text)) }));
  for (const attempt of await Promise.all(attempts)) assert.equal(attempt.kind, "accepted");
  assert.deepEqual(hop.messages.map(String).sort(), texts.map((text) => `${text}.\r\n`).sort());
});

test("what is submitted in one turn is one message to the thread, and what waits whole there is bounded", async (t) => {
  const { tell } = started(t, { code: TOLD });
  const large = memoryContent(Buffer.alloc(256 * 1024));
  const all = Array.from({ length: 200 }, () => tell("nothing", { message: large }));
  for (const one of all) one.catch(() => {});
  const attempt = await tell("count");
  assert.ok(attempt.kind === "accepted");
  const counts = JSON.parse(attempt.reply.text) as Counts;
  // 32 MiB of large ones, and the small one.
  assert.deepEqual(counts, { messages: 1, packed: 1, whole: 128, pieces: 72 });
});

test("the null sender, several recipients and wishes for notifications arrive as they were meant", async (t) => {
  const says = (verb: string) => (verb === "EHLO" ? "250-hop.example\r\n250-DSN\r\n250 8BITMIME" : undefined);
  const { hop, send } = await startedWithHop(t, { dot: "250 2.0.0 ok", says });
  const attempt = await send({
    envelope: { ...envelopeTo("c"), reversePath: NULL_PATH, eightBit: true },
    alsoTo: [{ localPart: "e f", domain: "d.test" }],
    dsn: { notify: ["NEVER"] },
  });
  assert.deepEqual(attempt, {
    kind: "accepted",
    reply: { code: 250, enhanced: "2.0.0", text: "ok" },
    tls: "none",
    refused: [],
  });
  assert.deepEqual(hop.commands.slice(1), [
    "MAIL FROM:<> BODY=8BITMIME",
    "RCPT TO:<c@d.test> NOTIFY=NEVER",
    'RCPT TO:<"e f"@d.test> NOTIFY=NEVER',
    "DATA",
  ]);
});

test("what cannot be cloned is a bug of its submission, and not the end of the service", async (t) => {
  const { tell, failures } = started(t, { code: TOLD });
  await assert.rejects(tell("count", { hop: UNCLONED }), /could not be cloned/);
  assert.equal((await tell("count")).kind, "accepted");
  assert.deepEqual(failures, []);
});

test("what cannot be cloned takes nothing of others along", async (t) => {
  const says = (verb: string) => (verb === "MAIL" ? SILENCE : undefined);
  const { hop, send } = await startedWithHop(t, { says });
  const limit = new AbortController();
  const other = send({ timeIsUp: limit.signal });
  await until(() => hop.commands.some((line) => line.startsWith("MAIL")));
  // In one turn, and so in one message to the thread.
  limit.abort();
  await assert.rejects(send({ hop: UNCLONED }), /could not be cloned/);
  assert.equal((await other).kind, "no-answer");
});

test("what cannot be cloned is alone with it: the others of its turn are sent, and the end is the end", async (t) => {
  const { submit, send, close } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
  const [refused, sent] = [submit({ hop: UNCLONED }), send()];
  const closed = close();
  await assert.rejects(refused, /could not be cloned/);
  assert.equal((await sent).kind, "accepted");
  await closed;
});

test("a large message goes in pieces, at the pace of its server", async (t) => {
  const pieces = Array.from({ length: 600 }, () => LINES);
  const expected = createHash("sha256");
  for (const piece of pieces) expected.update(piece);
  expected.update(".\r\n");
  const resume = Promise.withResolvers<void>();
  const slow = await startSlowHop(resume.promise);
  t.after(() => slow[Symbol.asyncDispose]());
  const { submit } = started(t);
  let read = 0;
  let isLetGo = false;
  const message = contentOf(pieces, { reads: () => read++, letGo: () => (isLetGo = true) });
  const { host, port } = slow;
  const attempt = submit({ hop: { host, port }, message });
  await until(() => read > 4);
  // Others go on meanwhile, and it does not.
  for (let others = 0; others < 50; others++) await submit({ patience: { kind: "waiting-client" } });
  assert.ok(read < 400, `${read} pieces of 600 are read`);
  resume.resolve();
  assert.equal((await attempt).kind, "accepted");
  assert.equal(read, 600);
  assert.equal(slow.digest(), expected.digest("hex"));
  message.release();
  await until(() => isLetGo);
});

/** Reads nothing of a message until it may. */
async function startSlowHop(mayRead: Promise<void>) {
  const hash = createHash("sha256");
  const place = await serve(async (wire: Wire) => {
    wire.send("220 hop.example\r\n");
    for (const reply of ["250 hop.example", "250 ok", "250 ok"]) {
      await wire.line();
      wire.send(`${reply}\r\n`);
    }
    await wire.line();
    const { socket } = wire;
    socket.removeAllListeners("data");
    socket.pause();
    wire.send("354 go on\r\n");
    await mayRead;
    let end = "";
    socket.on("data", (text: string) => {
      hash.update(text, "latin1");
      end = (end + text).slice(-5);
      if (end === "\r\n.\r\n") wire.send("250 2.0.0 ok\r\n");
    });
    socket.resume();
  });
  return { ...place, digest: () => hash.digest("hex") };
}

test("a content that cannot be read ends its attempt with its own words, and without a dot", async (t) => {
  const { send } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
  const message: Content = {
    ...contentOf([LINES]),
    async *pieces() {
      yield LINES;
      throw new Error("the disk is gone");
    },
  };
  const attempt = await send({ message, onFinalDot: () => assert.fail("no dot") });
  assert.deepEqual(attempt, { kind: "no-answer", cause: "the disk is gone", stage: "transaction" });
  assert.equal((await send()).kind, "accepted");
});

test("octets of 8 bits are found out of memory and in it, and do not go to a server of 7 bits", async (t) => {
  const says = (verb: string) => (verb === "EHLO" ? "250 hop.example" : undefined);
  const { hop, send } = await startedWithHop(t, { says });
  const octets = Buffer.from("caf\xe9\r\n", "latin1");
  for (const message of [memoryContent(octets), contentOf([octets]), contentOf([LINES, octets])]) {
    const attempt = await send({ message });
    assert.ok(attempt.kind === "answered");
    assert.equal(attempt.reply.enhanced, "5.6.3");
  }
  assert.deepEqual(hop.messages, []);
});

test("what goes in pieces is announced as 8 bits: nobody has looked at the rest yet", async (t) => {
  const { hop, send } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
  await send({ message: contentOf([LINES, Buffer.from("caf\xe9\r\n", "latin1")]) });
  await send({ message: memoryContent(LINES) });
  const mail = hop.commands.filter((line) => line.startsWith("MAIL"));
  assert.deepEqual(mail, ["MAIL FROM:<a@b.test> BODY=8BITMIME", "MAIL FROM:<a@b.test>"]);
});

const SUBJECT = "Subject: x\r\n\r\n";
const promised: [what: string, start: string, enhanced: string][] = [
  ["a header in ASCII", SUBJECT, "2.0.0"],
  ["a header in ASCII and 8 bits behind it", `${SUBJECT}caf\xe9\r\n`, "2.0.0"],
  ["8 bits in the header", `X: caf\xe9\r\n${SUBJECT}`, "5.6.7"],
  ["a header whose end is not in memory", "Subject: x\r\n", "5.6.7"],
  ["a header of a text", `Content-Type: text/html\r\n${SUBJECT}caf\xe9\r\n`, "2.0.0"],
  ["a header of parts", `Content-Type: multipart/mixed; boundary=b\r\n${SUBJECT}`, "5.6.7"],
];
for (const [what, start, enhanced] of promised) {
  test(`SMTPUTF8 promised, in pieces, to a server without it: ${what}: ${enhanced}`, async (t) => {
    const { send } = await startedWithHop(t, { dot: "250 2.0.0 ok" });
    const octets = Buffer.from(start, "latin1");
    const message = { ...contentOf([octets, LINES]), start: octets };
    const attempt = await send({ message, envelope: { ...envelopeTo("c"), smtpUtf8: true } });
    assert.ok(attempt.kind !== "no-answer" && attempt.kind !== "busy");
    assert.equal(attempt.reply.enhanced, enhanced);
  });
}

test("whether somebody has waited is told", async (t) => {
  const { tell } = started(t, { code: TOLD });
  assert.deepEqual(await tell("waits"), { kind: "busy", cause: "no connection was free", hasWaited: true });
});

test("a bug in the thread is told with its stack, and the thread goes on", async (t) => {
  const { tell, failures } = started(t, { code: TOLD });
  await assert.rejects(tell("bug"), /a bug\n {4}at here/);
  assert.equal((await tell("count")).kind, "accepted");
  assert.deepEqual(failures, []);
});
