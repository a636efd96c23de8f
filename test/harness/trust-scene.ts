// The scene of the stories about delivery by trust: aliases, a forwarder with a queue, next hops that wait, clients that leave.
// Called by delivery-by-trust.test.ts and client-gone.test.ts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { greeted, hello, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import type { WaitingHop } from "../../packages/forwarder/src/testing/waiting-hop.ts";
import { type InProcessForwarder, type InProcessOptions, inProcessForwarder } from "./in-process.ts";

export const BOB = "bob@source.example";
export const ALICE = "alice@forwarder.example";
export const LIST = "list@forwarder.example";
export const MESSAGE = "Message-ID: <1@source.example>\r\nSubject: x\r\n\r\nHello!\r\n";
export const ALIASES = [
  "alice: private@home.example",
  "carol: hidden@club.example",
  "list: private@home.example, hidden@club.example",
  "owned: private@home.example, hidden@club.example",
  "owner-owned: owner@lists.example",
  "",
].join("\n");
/** Clients that pipeline send DATA before they know. */
export const GREYLISTED: Readonly<Record<string, string>> = {
  RCPT: "450 4.2.1 greylisted",
  DATA: "554 5.5.1 no recipients",
};
export const UNKNOWN: Readonly<Record<string, string>> = { ...GREYLISTED, RCPT: "550 5.1.1 no" };
export const PRIVATE = /private|hidden|home\.example|club\.example/;

/** Time limits that a test ends by hand, by their seconds. */
export function limits() {
  const waiting = new Map<number, AbortController[]>();
  return {
    timeLimit(seconds: number): AbortSignal {
      const limit = new AbortController();
      waiting.set(seconds, [...(waiting.get(seconds) ?? []), limit]);
      return limit.signal;
    },
    /** Ends those that have begun. */
    end(seconds: number): void {
      for (const limit of waiting.get(seconds) ?? []) limit.abort();
    },
  };
}

export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "homing-trust-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** With a queue of its own; all that leaves goes to one next hop. */
export async function forwarderTo(
  t: TestContext,
  hop: { readonly port: number },
  setting: Setting = {},
): Promise<InProcessForwarder> {
  return inProcessForwarder({
    aliases: ALIASES,
    nextHop: hop.port,
    stateFolder: await folder(t),
    ...setting,
  });
}

export function send(
  forwarder: InProcessForwarder,
  to = ALICE,
  from = BOB,
  message = MESSAGE,
): Promise<string> {
  return greeted({ host: "127.0.0.1", port: forwarder.port }).then((client) =>
    transact(client, { from, to, message }).finally(() => client.socket.destroy()),
  );
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (await condition()) return;
    await sleep(5);
  }
  assert.fail(`waited in vain until ${what}`);
}

export async function received(forwarder: InProcessForwarder, count: number): Promise<void> {
  const messages = () => forwarder.events.filter(({ event }) => event === "received").length;
  await until(() => messages() === count, `${count} messages are in`);
}

/** A client that goes away when the next hop has its message, and before it has its answer. */
export async function sendAndLeave(
  forwarder: InProcessForwarder,
  hop: Pick<WaitingHop, "messages">,
  { from = BOB, to = ALICE },
): Promise<void> {
  const before = forwarder.events.filter(({ event }) => event === "received").length;
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
    assert.match(await client.ask(command), /^250 /);
  }
  assert.match(await client.ask("DATA"), /^354 /);
  client.send(`${MESSAGE}.\r\n`);
  await received(forwarder, before + 1);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  client.socket.resetAndDestroy();
  await once(client.socket, "close");
  await sleep(20);
}

export async function queued(forwarder: InProcessForwarder): Promise<number> {
  return (await forwarder.state?.spool.list({ limit: 10 }))?.length ?? 0;
}

export type Setting = Omit<InProcessOptions, "aliases">;
export const TRUSTED: Setting = { trustedNetworks: ["127.0.0.1"] };

/** The same message, sent again after the first one is done with: another message, which must arrive. */
export async function arrivesAgain(
  forwarder: InProcessForwarder,
  hop: WaitingHop,
  to = ALICE,
): Promise<void> {
  assert.equal(forwarder.state?.late.any(), false, "a record would swallow the next equal message");
  const before = hop.messages.length;
  const again = send(forwarder, to);
  await until(() => hop.messages.length === before + 1, "the same message, sent again, is another one");
  hop.answer();
  assert.match(await again, /^250 /);
}
