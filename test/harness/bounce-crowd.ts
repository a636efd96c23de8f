// Many messages at a time for the stories about bounces: clients that keep their connection, a clock that moves while the queue
// works, and a server that takes whatever is not refused. Called by bounce-floods.test.ts and the stories beside it.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type ForwarderEvent, failuresAfter, type KeptFailure } from "@homing/forwarder";
import { createFakeClock, type FakeClock } from "../../packages/forwarder/src/testing/fake-clock.ts";
import { hello, sendMessage, type Transaction } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { bounceForwarder } from "./bounce-peers.ts";
import type { InProcessForwarder, InProcessOptions } from "./in-process.ts";
import { type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

/** One after the other, in one connection. Gives the last answer to each. */
export async function bringAll(
  forwarder: Pick<InProcessForwarder, "port">,
  transactions: readonly Transaction[],
): Promise<readonly string[]> {
  using client = await hello(forwarder);
  const replies: string[] = [];
  for (const { from, to, message } of transactions) {
    const refused = [await client.ask(`MAIL FROM:<${from}>`), await client.ask(`RCPT TO:<${to}>`)].find(
      (reply) => !reply.startsWith("250"),
    );
    replies.push(refused ?? (await sendMessage(client, message)));
    if (refused !== undefined) await client.ask("RSET");
  }
  return replies;
}

export interface Scene extends AsyncDisposable {
  readonly hop: ScriptedHop;
  readonly forwarder: InProcessForwarder;
  /** Recipients that the hop refuses, and with what: it may be changed. */
  readonly refusals: Map<string, string>;
  /** Moves the clock, and lets everything that is due then be done. */
  pass(seconds: number): Promise<void>;
  /** What the hop took, once there is as much. */
  taken(count: number): Promise<readonly Taken[]>;
  /** Events of one sort. */
  told<Kind extends ForwarderEvent["event"]>(
    event: Kind,
  ): readonly Extract<ForwarderEvent, { event: Kind }>[];
  /** The log of failures. */
  failures(): Promise<readonly KeptFailure[]>;
}

/** A forwarder with a queue, whose mail all goes to one hop. */
export async function startScene(t: TestContext, options: Partial<InProcessOptions>): Promise<Scene> {
  const refusals = new Map<string, string>();
  const clock = createFakeClock();
  const hop = await startScriptedHop((recipient) => refusals.get(recipient));
  const forwarder = await bounceForwarder(t, hop, { clock, ...options });
  return {
    hop,
    forwarder,
    refusals,
    pass: (seconds) => passTime(forwarder, clock, seconds),
    taken: (count) =>
      waitFor(() => (hop.taken.length >= count ? hop.taken : undefined), {
        seconds: 15,
        otherwise: () => `${hop.taken.length} of ${count} messages came`,
      }),
    told: (event) =>
      forwarder.events.filter(
        (one): one is Extract<ForwarderEvent, { event: typeof event }> => one.event === event,
      ),
    failures: () => failuresOf(forwarder),
    async [Symbol.asyncDispose]() {
      await forwarder[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
    },
  };
}

/** A look of the notices, and one of the queue at what they made due. */
const STEP_SECONDS = 60;

/** At most 100 steps, however long it takes. */
async function passTime(forwarder: InProcessForwarder, clock: FakeClock, seconds: number): Promise<void> {
  const step = Math.max(STEP_SECONDS, Math.ceil(seconds / 100));
  for (let left = seconds; left > 0; left -= step) {
    const now = Math.min(left, step);
    // The queue sleeps a second at least: what a look made due is found by the next one.
    for (const part of [now - 2, 1, 1]) {
      clock.advance(part * 1000);
      await settled(forwarder);
    }
  }
}

/** Until no attempt runs. The spool answers in order: what was asked before is done. */
async function settled({ state }: InProcessForwarder): Promise<void> {
  assert.ok(state);
  for (let rounds = 0; rounds < 5; rounds++) {
    const queued = await state.spool.list({ limit: 100 });
    if (queued.some(({ recipients }) => recipients.some(({ leasedUntil }) => leasedUntil !== undefined)))
      rounds = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function failuresOf({ state }: InProcessForwarder): Promise<readonly KeptFailure[]> {
  assert.ok(state);
  const failures: KeptFailure[] = [];
  for await (const failure of failuresAfter(state.failures.notes)) failures.push(failure);
  return failures;
}
