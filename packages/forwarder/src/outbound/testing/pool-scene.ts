// A pool with a clock of the test's, and a next hop that answers when it is told to. Called by the tests beside this folder.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Envelope, memoryContent } from "@homing/mail";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { startWaitingHop, type WaitingHop, type WaitingHopOptions } from "../../testing/waiting-hop.ts";
import { within } from "../../testing/wire.ts";
import type { Attempt } from "../attempt.ts";
import {
  type Busy,
  createOutbound,
  type Outbound,
  type OutboundSubmission,
  type Patience,
} from "../outbound.ts";
import type { OutboundLimits } from "../outbound-limits.ts";
import { createOutboundThread, type OutboundThreadOptions } from "../thread/outbound-thread.ts";

export const envelope: Envelope = {
  reversePath: { localPart: "a", domain: "b.test" },
  recipient: { localPart: "c", domain: "d.test" },
  eightBit: false,
  smtpUtf8: false,
};
export const PATIENT: Patience = { kind: "waiting-client", freeWithinMs: 1_000_000 };
export const CLIENT: Patience = { kind: "waiting-client" };
export const JOB: Patience = { kind: "queue" };

export interface Scene {
  readonly hop: WaitingHop;
  readonly outbound: Outbound;
  readonly clock: FakeClock;
  /** Submits a message with this text. */
  send(text: string, patience?: Patience, options?: Partial<OutboundSubmission>): Promise<Attempt | Busy>;
}

type StartScene = typeof startScene;

export async function startScene(
  t: TestContext,
  limits: Partial<OutboundLimits> = {},
  answers: WaitingHopOptions = {},
  create: (options: OutboundThreadOptions) => Outbound = createOutbound,
): Promise<Scene> {
  const hop = await startWaitingHop(answers);
  t.after(() => hop[Symbol.asyncDispose]());
  const clock = createFakeClock();
  const failed = assert.ifError;
  const outbound = create({ hostname: "mx.test", clock, random: () => 0, limits, failed });
  t.after(() => within(outbound.close(AbortSignal.abort()), "the end"));
  const { host, port } = hop;
  return {
    hop,
    outbound,
    clock,
    send: (text, patience = PATIENT, options = {}) =>
      within(
        outbound.submit({
          hop: { host, port },
          patience,
          envelope,
          message: memoryContent(Buffer.from(text)),
          ...options,
        }),
        `the attempt of ${text}`,
      ),
  };
}

/** Until the world, which this process is part of, has come so far. */
export async function until(reached: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!reached()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${reached}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What hangs neither on the clock nor on who comes sooner by less than a turn holds for SMTP out in a thread of its own, too. */
export function both(name: string, run: (t: TestContext, startScene: StartScene) => Promise<void>): void {
  test(name, (t) => run(t, startScene));
  test(`${name} (in its thread)`, (t) =>
    run(t, (t, limits, answers) => startScene(t, limits, answers, createOutboundThread)));
}

/** In no order: of connections at the same time, any may be the first to reach its dot. */
export const kinds = (attempts: readonly (Attempt | Busy)[]): string[] =>
  [...new Set(attempts.map(({ kind }) => kind))].toSorted();
