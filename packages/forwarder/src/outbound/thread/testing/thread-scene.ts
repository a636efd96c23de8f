// A thread of SMTP out for tests: with a hop, or with code that does what it is told. Called by the tests beside its folder.
import type { TestContext } from "node:test";
import { type Content, countedHolds, type Envelope, memoryContent } from "@homing/mail";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { startWaitingHop, type WaitingHopOptions } from "../../../testing/waiting-hop.ts";
import { within } from "../../../testing/wire.ts";
import type { Attempt } from "../../attempt.ts";
import type { Busy, OutboundSubmission } from "../../outbound.ts";
import { createOutboundThread, type OutboundThreadOptions } from "../outbound-thread.ts";

export const TOLD = new URL("./told-thread.ts", import.meta.url);

export function envelopeTo(localPart: string): Envelope {
  const reversePath = { localPart: "a", domain: "b.test" };
  return { reversePath, recipient: { localPart, domain: "d.test" }, eightBit: false, smtpUtf8: false };
}

interface Started {
  readonly submit: (options: Partial<OutboundSubmission>) => Promise<Attempt | Busy>;
  /** To whom, of a thread that is told so. */
  readonly tell: (localPart: string, options?: Partial<OutboundSubmission>) => Promise<Attempt | Busy>;
  readonly close: (leave?: AbortSignal) => Promise<void>;
  readonly advance: (ms: number) => void;
  readonly failures: string[];
}

export function started(t: TestContext, options: Partial<OutboundThreadOptions> = {}): Started {
  const failures: string[] = [];
  const clock = createFakeClock();
  const outbound = createOutboundThread({
    ...{ hostname: "mx.test", clock, random: () => 0 },
    failed: (error) => failures.push(error.message),
    ...options,
  });
  const submit = (options: Partial<OutboundSubmission>) =>
    within(
      outbound.submit({
        ...{ hop: { host: "127.0.0.1", port: 1 }, patience: { kind: "queue" } },
        ...{ envelope: envelopeTo("c"), message: memoryContent(Buffer.from("text\r\n")) },
        ...options,
      }),
      "an attempt",
    );
  t.after(() => outbound.close(AbortSignal.abort()));
  return {
    submit,
    tell: (localPart, options) => submit({ envelope: envelopeTo(localPart), ...options }),
    close: (leave) => within(outbound.close(leave), "the end"),
    advance: clock.advance,
    failures,
  };
}

/** With a hop that takes messages and answers when it is told to. */
export async function startedWithHop(t: TestContext, answers: WaitingHopOptions = {}) {
  const hop = await startWaitingHop(answers);
  t.after(() => hop[Symbol.asyncDispose]());
  const { host, port } = hop;
  const thread = started(t);
  const send = (options: Partial<OutboundSubmission> = {}) =>
    thread.submit({ hop: { host, port }, ...options });
  return { ...thread, hop, send };
}

export async function until(reached: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!reached()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${reached}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Not in memory; `reads` is told of each piece that is read. */
export function contentOf(
  pieces: readonly Buffer[],
  options: { reads?: () => void; letGo?: () => void } = {},
): Content {
  return {
    octets: pieces.reduce((sum, { length }) => sum + length, 0),
    start: pieces[0]?.subarray(0, 10) ?? Buffer.alloc(0),
    async *pieces() {
      for (const piece of pieces) {
        options.reads?.();
        yield piece;
      }
    },
    ...countedHolds(options.letGo),
  };
}

export const LINES = Buffer.from(`${"x".repeat(70)}\r\n`.repeat(900));
