// Malformed sessions from a seed: SMTP that was bitten, cut, repeated and mixed. Nothing crashes, nothing is taken that is
// not exactly valid, memory stays small. HOMING_SESSIONS=10000 for the long form, HOMING_SEED to repeat one.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { stuffed } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { dial, type Wire } from "../packages/forwarder/src/testing/wire.ts";
import { Random } from "./differential/random.ts";
import { waitFor } from "./harness/wait.ts";
import type { State } from "./malformed/server.ts";

const SESSIONS = Number(process.env.HOMING_SESSIONS ?? 500);
const SEED = Number(process.env.HOMING_SEED ?? process.pid);
const SIDE_BY_SIDE = 20;
const MAX_RSS = 256 * 1024 * 1024;

const COMMANDS = [
  "EHLO client.test",
  "HELO client.test",
  "MAIL FROM:<a@b.test>",
  "MAIL FROM:<>",
  'MAIL FROM:<"a b"@b.test> SIZE=100 BODY=8BITMIME',
  "MAIL FROM:<@r.test:a@[192.0.2.1]> SMTPUTF8",
  "RCPT TO:<c@d.test>",
  "RCPT TO:<postmaster>",
  "DATA",
  "NOOP",
  "RSET",
  "VRFY c@d.test",
  "STARTTLS",
  "XCLIENT ADDR=192.0.2.1",
  "BDAT 5 LAST",
  "QUIT",
];
const TRANSACTION = ["EHLO client.test", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"];
const OCTETS = [
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\t",
  " ",
  ":",
  "<",
  ">",
  '"',
  "\\",
  "@",
  "=",
  ".",
  "\x7f",
  "\xff",
  "\xc3\xb6",
];

// What may be answered 2xx or 3xx, written down once more and independently of the parser. RFC 5321 §4.1, and what
// Homing takes beyond: blanks around the colon and at the end, dots anywhere in a local part, `_` in a domain.
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\\x80-\\xff-]";
const LOCAL = `(?:${ATOM}+|"(?:[ !#-[\\]-~\\x80-\\xff]|\\\\[ -~])*")`;
const DOMAIN = "(?:[A-Za-z0-9_\\x80-\\xff.-]+|\\[[A-Za-z0-9:.]+\\])";
const PATH = `<(?:@[^:<>]*:)?${LOCAL}@${DOMAIN}>`;
const BLANK = "[ \\t]*";
const PARAMETERS = "(?: +(?:SIZE=\\d{1,20}|BODY=(?:7BIT|8BITMIME)|SMTPUTF8))*";
const VALID = new RegExp(
  `^(?:(?:EHLO|HELO)[ \\t]+[^\\0-\\x20\\x7f]+${BLANK}|` +
    `MAIL FROM${BLANK}:${BLANK}(?:<>|${PATH})${PARAMETERS}${BLANK}|` +
    `RCPT TO${BLANK}:${BLANK}(?:<postmaster>|${PATH})${BLANK}|` +
    "(?:DATA|RSET|QUIT|NOOP)(?: [^\\0-\\x08\\x0a-\\x1f\\x7f]*)?|VRFY .*\\S.*)$",
  "is",
);

/** Bites, cuts, repeats. */
function mutated(random: Random, text: string): string {
  let result = text;
  for (let times = random.int(0, 3); times > 0; times--) {
    const at = random.int(0, result.length);
    const to = Math.min(result.length, at + random.int(0, 4));
    const middle = random.pick([
      random.pick(OCTETS),
      String.fromCharCode(random.int(0, 255)),
      result.slice(at, to).repeat(random.int(0, 3)),
      result.slice(at, to).toLowerCase(),
      random.chance(2) ? "x".repeat(random.int(1000, 5000)) : "",
    ]);
    result = result.slice(0, at) + middle + result.slice(to);
  }
  return result;
}

function randomMessage(random: Random): string {
  let message = random.chance(80) ? "Subject: x\r\n\r\n" : "";
  for (let lines = random.int(0, 20); lines > 0; lines--) {
    const line = random.pick([
      "",
      ".",
      "..",
      ".x",
      "text",
      "MAIL FROM:<evil@evil.test>",
      "\xc3\xb6",
      "x".repeat(1500),
    ]);
    message += `${line}\r\n`;
  }
  return message;
}

interface Tally {
  replies: number;
  accepted: number;
  messages: number;
}

/** Takes turns with the server, so that each reply belongs to its line. Gives up where the server does. */
async function lockstep(random: Random, client: Wire, tally: Tally): Promise<void> {
  assert.match(await client.reply(), /^220 /);
  const commands = random.chance(60) ? TRANSACTION : Array.from({ length: 12 }, () => random.pick(COMMANDS));
  for (const command of commands) {
    const changed = random.chance(30) ? mutated(random, command) : command;
    for (const line of `${changed}\r\n`.split("\n").slice(0, -1)) {
      client.send(`${line}\n`);
      const reply = await client.reply();
      if (reply === "closed") return;
      tally.replies++;
      assert.match(reply, /^[2345]\d\d[ -]/, JSON.stringify(line));
      if (reply.startsWith("421")) return;
      if (!/^[23]/.test(reply)) continue;
      tally.accepted++;
      assert.match(line.replace(/\r$/, ""), VALID, `${reply} to ${JSON.stringify(line)}`);
      if (reply.startsWith("221")) return;
      if (reply.startsWith("354") && !(await sendContent(random, client, tally))) return;
    }
  }
}

/** @returns false if the server has ended the session */
async function sendContent(random: Random, client: Wire, tally: Tally): Promise<boolean> {
  const original = randomMessage(random);
  const message = `${random.chance(40) ? mutated(random, original) : original}\r\n`;
  const isClean = !/[\r\n\0]/.test(message.replaceAll("\r\n", ""));
  const octets = stuffed(message);
  for (let at = 0; at < octets.length; ) {
    const length = random.pick([1, 3, 100, 5000]);
    await new Promise((resolve) => client.socket.write(octets.slice(at, at + length), "latin1", resolve));
    at += length;
  }
  const reply = await client.reply();
  tally.replies++;
  assert.match(
    reply,
    isClean ? /^(?:250 |552 |closed|421 )/ : /^(?:550 5\.6\.0 |552 |421 |closed)/,
    JSON.stringify(message),
  );
  if (reply.startsWith("250")) {
    tally.messages++;
    const hash = createHash("sha256").update(message, "latin1").digest("hex");
    assert.equal(reply, `250 2.0.0 ${hash}`, "octet for octet");
  }
  return !/^(?:closed|421)/.test(reply);
}

function commandFlood(random: Random): string {
  const lines = Array.from({ length: random.int(1, 60) }, () => mutated(random, random.pick(COMMANDS)));
  return random.chance(50)
    ? lines.join("\r\n")
    : mutated(random, `${lines.join("\r\n")}\r\n${randomMessage(random)}`);
}

/** A message with its final dot, and commands behind it. */
function contentFlood(random: Random): string {
  return mutated(random, `${stuffed(randomMessage(random))}${commandFlood(random)}`);
}

/**
 * Everything at once, in pieces, without a look at the replies; and gone, one way or the other. What is behind DATA before its
 * 354 is never taken: half of them wait for that.
 */
async function flood(random: Random, client: Wire): Promise<void> {
  if (random.chance(70)) await client.reply();
  const isTransaction = random.chance(50);
  if (isTransaction) {
    client.send(`${TRANSACTION.join("\r\n")}\r\n`);
    await client.until("\r\n354 ");
  }
  const octets = isTransaction ? contentFlood(random) : commandFlood(random);
  for (let at = 0; at < octets.length && client.socket.writable; ) {
    const length = random.int(1, 400);
    await new Promise((resolve) => client.socket.write(octets.slice(at, at + length), "latin1", resolve));
    at += length;
  }
  // Of one that ends already, Node's reset never ends: the process would stay, and turn.
  if (random.chance(50) && client.socket.writable) client.socket.resetAndDestroy();
  else {
    client.socket.end();
    await client.rest();
  }
}

async function startServer(t: TestContext) {
  const child = fork(resolve(import.meta.dirname, "malformed/server.ts"));
  t.after(() => child.kill());
  const [ports] = (await once(child, "message")) as [number[]];
  const [polite = 0, flooded = 0] = ports;
  return {
    polite: { port: polite },
    flooded: { port: flooded },
    async state(): Promise<State> {
      assert.equal(child.exitCode, null, "the server has crashed");
      child.send("how are you");
      return ((await once(child, "message")) as [State])[0];
    },
    peakOctets(): number {
      const [, kilobytes] =
        /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      return Number(kilobytes) * 1024;
    },
  };
}

test(`${SESSIONS} malformed sessions: no crash, nothing taken that is not valid, memory below 256 MB`, async (t) => {
  t.diagnostic(`HOMING_SEED=${SEED}`);
  const server = await startServer(t);
  const tally: Tally = { replies: 0, accepted: 0, messages: 0 };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let session = next++; session < SESSIONS; session = next++) {
      const random = new Random(SEED + session * 7919);
      const takesTurns = random.chance(60);
      using client = await dial(takesTurns ? server.polite : server.flooded);
      try {
        if (takesTurns) await lockstep(random, client, tally);
        else await flood(random, client);
      } catch (error) {
        throw new Error(`HOMING_SEED=${SEED}, session ${session}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));

  const { taken, failures, wrong } = await waitFor(
    async () => {
      const state = await server.state();
      return state.clients === 0 && state.bufferedOctets === 0 ? state : undefined;
    },
    { seconds: 15, otherwise: async () => JSON.stringify(await server.state()) },
  );
  assert.deepEqual(failures, []);
  assert.deepEqual(wrong, []);
  assert.equal(
    taken[0],
    tally.messages,
    "a message was taken where its sender was told so, and nowhere else",
  );
  assert.ok((taken[1] ?? 0) > SESSIONS / 50, `${taken[1]} messages of floods: too few to judge`);
  assert.ok(tally.messages > SESSIONS / 20 && tally.accepted > SESSIONS, JSON.stringify(tally));
  const peak = server.peakOctets();
  assert.ok(peak < MAX_RSS, `${peak >> 20} MiB`);
  t.diagnostic(`${JSON.stringify(tally)}, ${taken[1]} messages of floods, at most ${peak >> 20} MiB`);
});
