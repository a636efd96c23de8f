// SMTP out in a thread of its own, as the service sees it: an `Outbound` that hands submissions over, tells of final dots and
// outcomes as they come back, and starts the thread again when it is lost. Made by mail-out.ts.
import { Worker } from "node:worker_threads";
import { partsOf } from "@homing/mail";
import { atEndOfTurn } from "../../end-of-turn.ts";
import { Register } from "../../register.ts";
import { AliveWatch, SAID_NOTHING } from "../../threads/alive-watch.ts";
import { youngGeneration } from "../../threads/young-generation.ts";
import { whenAborted } from "../../when-aborted.ts";
import type { Attempt } from "../attempt.ts";
import type { Cancel } from "../clock.ts";
import type { Busy, Outbound, OutboundOptions, OutboundSubmission } from "../outbound.ts";
import {
  type FromThread,
  type JobId,
  type Outcome,
  PIECE_OCTETS,
  type Piece,
  type ThreadOptions,
  type ToThread,
} from "./messages.ts";
import { jobOf, memoryOf, packed, SMALL_OCTETS, type Submitted } from "./packing.ts";

export interface OutboundThreadOptions extends OutboundOptions {
  /** Told of each thread that was lost, and why. */
  readonly failed: (error: Error) => void;
  /** Of a thread with work to do that says nothing, before it is ended. Default: 30,000. */
  readonly silenceMs?: number;
  /** For tests: another thread. */
  readonly code?: URL;
}

const CODE = new URL("./smtp-thread.ts", import.meta.url);
/** A busy one needs a tenth of it; what outgrows this is a fault, and must not take the service along. */
const HEAP_MIB = 256;
/** Half of V8's young generation. With 4 MB, as threads that check content have, large messages stayed in memory for longer. */
const YOUNG_MIB = 1;
/** What is larger goes in pieces, and only when a server is ready for it. */
const WHOLE_OCTETS = 256 * 1024;
/** So does everything but small messages while the thread has so much: what waits for a connection waits here, too. */
const MAX_WHOLE_OCTETS = 32 * 1024 * 1024;
/** Ends of pauses are spread by so many numbers. */
const RANDOMS = 256;
/** The thread is started again after 0.1 s, then 0.2 s … 5 s. */
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5000;

const STOPPING: Busy = { kind: "busy", cause: "the service is stopping" };
const AWAY: Busy = { kind: "busy", cause: "the thread of SMTP out is being started again" };
/** Before `#add` gives it one. */
const NO_ID: JobId = 0;
const NOTHING_MORE: Omit<ToThread, "jobs" | "memory"> = {
  ...{ aborts: [], pieces: [], end: undefined, isQuestion: false },
};
const TIME_IS_UP: Attempt = { kind: "no-answer", cause: "time is up", stage: "greeting" };

export function createOutboundThread(options: OutboundThreadOptions): Outbound {
  return new OutboundThread(options);
}

interface Entry extends Submitted {
  id: JobId;
  readonly resolve: (outcome: Attempt | Busy) => void;
  readonly reject: (error: unknown) => void;
  /** The thread knows of it. */
  isPosted: boolean;
  /** It has all of the message: the final dot may be out. */
  isGiven: boolean;
  dotIsTold: boolean;
  /** Pieces that are asked for; undefined until the first is. */
  wanted: number | undefined;
  /** Called when one more is asked for, or nobody wants any more. */
  wake: (() => void) | undefined;
  /** Ends the wait for the end of its time. */
  leave: (() => void) | undefined;
}

class OutboundThread implements Outbound {
  readonly #options: OutboundThreadOptions;
  readonly #entries = new Register<Entry>();
  /** From the first submission on. */
  #thread: Worker | undefined;
  /** It has said something: it came through its start. */
  #isUp = false;
  /** It was lost, and is not started again yet. */
  #isPaused = false;
  #cause = "";
  #restartMs = FIRST_RESTART_MS;
  #restart: Cancel = () => {};
  #wholeOctets = 0;
  #closing: PromiseWithResolvers<void> | undefined;
  /** What the next message has. */
  #jobs: Entry[] = [];
  #aborts: JobId[] = [];
  #pieces: Piece[] = [];
  /** With everything that comes until then. */
  readonly #flushSoon = atEndOfTurn(() => this.#flush());
  readonly #watch: AliveWatch;

  constructor(options: OutboundThreadOptions) {
    this.#options = options;
    this.#watch = new AliveWatch({
      silenceMs: options.silenceMs,
      hasWork: () => this.#entries.size > 0 || this.#closing !== undefined,
      ask: () => this.#flush(undefined, true),
      giveUp: () => {
        this.#cause = SAID_NOTHING;
        void this.#thread?.terminate();
      },
    });
  }

  submit(submission: OutboundSubmission): Promise<Attempt | Busy> {
    if (this.#closing) return Promise.resolve(STOPPING);
    if (this.#isPaused) return Promise.resolve(AWAY);
    if (!this.#thread) this.#start();
    const { timeIsUp, message } = submission;
    if (timeIsUp?.aborted) return Promise.resolve(TIME_IS_UP);
    const { promise, resolve, reject } = Promise.withResolvers<Attempt | Busy>();
    const parts = this.#hasRoom(message.octets) ? partsOf(message) : undefined;
    const entry: Entry = {
      ...{ id: NO_ID, submission, resolve, reject, parts },
      ...{ isPosted: false, isGiven: parts !== undefined, dotIsTold: false },
      ...{ wanted: undefined, wake: undefined, leave: undefined },
    };
    entry.leave = timeIsUp && whenAborted(timeIsUp, () => this.#abort(entry));
    this.#add(entry);
    return promise;
  }

  close(leave?: AbortSignal): Promise<void> {
    if (!this.#closing) {
      this.#closing = Promise.withResolvers<void>();
      this.#restart();
      if (!this.#thread) this.#closing.resolve();
      this.#thread?.ref();
      this.#flush("close");
    }
    if (leave?.aborted) this.#flush("leave");
    else leave?.addEventListener("abort", () => this.#flush("leave"), { once: true });
    return this.#closing.promise;
  }

  #hasRoom(octets: number): boolean {
    if (octets <= SMALL_OCTETS) return true;
    return octets <= WHOLE_OCTETS && this.#wholeOctets + octets <= MAX_WHOLE_OCTETS;
  }

  #add(entry: Entry): void {
    if (entry.parts) this.#wholeOctets += entry.submission.message.octets;
    if (this.#entries.size === 0) this.#beginWork();
    entry.id = this.#entries.add(entry);
    this.#jobs.push(entry);
    this.#flushSoon();
  }

  /** It is over, whatever its outcome. */
  #take(entry: Entry): void {
    if (!this.#entries.delete(entry.id)) return;
    if (entry.parts) this.#wholeOctets -= entry.submission.message.octets;
    entry.leave?.();
    entry.wake?.();
    if (this.#entries.size === 0) this.#endWork();
  }

  #beginWork(): void {
    this.#thread?.ref();
    this.#watch.begin();
  }

  #endWork(): void {
    if (!this.#closing) this.#thread?.unref();
  }

  #abort(entry: Entry): void {
    if (entry.isPosted) {
      this.#aborts.push(entry.id);
      this.#flushSoon();
      return;
    }
    this.#take(entry);
    entry.resolve(TIME_IS_UP);
  }

  #flush(end?: ToThread["end"], isQuestion = false): void {
    const entries = this.#jobs.filter(({ id }) => this.#entries.has(id));
    const aborts = this.#aborts;
    const pieces = this.#pieces;
    this.#jobs = [];
    this.#aborts = [];
    this.#pieces = [];
    if (!this.#thread) return;
    const isEmpty = entries.length === 0 && aborts.length === 0 && pieces.length === 0;
    if (isEmpty && !end && !isQuestion) return;
    for (const entry of entries) entry.isPosted = true;
    const rest = { aborts, pieces, end, isQuestion };
    try {
      this.#post(entries, rest);
    } catch {
      // Something in one of them cannot be cloned: a bug, and not one that ends the service, or costs others anything.
      for (const entry of entries) this.#postAlone(entry);
      this.#post([], rest);
    }
  }

  #postAlone(entry: Entry): void {
    try {
      this.#post([entry], NOTHING_MORE);
    } catch (error) {
      this.#take(entry);
      entry.reject(error);
    }
  }

  #post(entries: readonly Entry[], rest: Omit<ToThread, "jobs" | "memory">): void {
    const message: ToThread = { jobs: entries.map(jobOf), memory: packed(entries), ...rest };
    this.#thread?.postMessage(message, memoryOf(message));
  }

  #heard({ dots, outcomes, wants, isOver }: FromThread): void {
    this.#watch.heard();
    this.#isUp = true;
    for (const id of dots) this.#tellDot(this.#entries.get(id));
    for (const { id, outcome } of outcomes) this.#settle(id, outcome);
    for (const id of wants) this.#wanted(id);
    if (isOver) void this.#thread?.terminate();
  }

  #tellDot(entry: Entry | undefined): void {
    if (!entry || entry.dotIsTold) return;
    entry.dotIsTold = true;
    entry.submission.onFinalDot?.();
  }

  #settle(id: JobId, outcome: Outcome["outcome"]): void {
    this.#restartMs = FIRST_RESTART_MS;
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#take(entry);
    if (outcome.kind === "bug") entry.reject(new Error(`SMTP out: ${outcome.cause}`));
    else entry.resolve(outcome);
  }

  #wanted(id: JobId): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const isFirst = entry.wanted === undefined;
    entry.wanted = (entry.wanted ?? 0) + 1;
    if (isFirst) void this.#send(entry);
    else entry.wake?.();
  }

  async #send(entry: Entry): Promise<void> {
    const { id, submission } = entry;
    const { message } = submission;
    // The attempt may end, and its message be let go, while a piece is read.
    message.hold();
    try {
      for await (const piece of message.pieces()) {
        for (let at = 0; at < piece.length; at += PIECE_OCTETS) {
          if (!(await this.#isWanted(entry))) return;
          // In memory of its own, which goes to the thread: whoever made the piece may use it again.
          this.#push({ id, octets: new Uint8Array(piece.subarray(at, at + PIECE_OCTETS)), cause: undefined });
        }
      }
      entry.isGiven = true;
      this.#push({ id, octets: undefined, cause: undefined });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.#push({ id, octets: undefined, cause });
    } finally {
      message.release();
    }
  }

  /** False where nobody waits for it any more. */
  async #isWanted(entry: Entry): Promise<boolean> {
    while (this.#entries.has(entry.id)) {
      if (entry.wanted) {
        entry.wanted--;
        return true;
      }
      await new Promise<void>((resolve) => {
        entry.wake = resolve;
      });
    }
    return false;
  }

  #push(piece: Piece): void {
    if (!this.#entries.has(piece.id)) return;
    this.#pieces.push(piece);
    this.#flushSoon();
  }

  #start(): void {
    const { hostname, ca, limits, random, code = CODE } = this.#options;
    const randoms = Array.from({ length: RANDOMS }, random);
    const workerData: ThreadOptions = { hostname, ca, ...(limits ? { limits } : {}), randoms };
    const thread = new Worker(code, {
      workerData,
      name: "smtp-out",
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, ...youngGeneration(YOUNG_MIB) },
    });
    this.#cause = "it ended";
    this.#isUp = false;
    this.#thread = thread;
    thread.unref();
    thread.on("message", (message: FromThread) => this.#heard(message));
    thread.on("error", (error) => {
      this.#cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    thread.on("exit", () => this.#lost());
  }

  /** Of what the thread had, nobody knows how far it came: whatever may be sent counts as sent. */
  #lost(): void {
    this.#thread = undefined;
    this.#watch.stop();
    if (this.#closing && this.#entries.size === 0) {
      this.#closing.resolve();
      return;
    }
    const cause = `the thread of SMTP out is gone: ${this.#cause}`;
    this.#options.failed(new Error(cause));
    for (const entry of this.#entries) {
      this.#take(entry);
      if (!entry.isPosted || !this.#isUp) entry.resolve(AWAY);
      else {
        if (entry.isGiven) this.#tellDot(entry);
        entry.resolve({ kind: "no-answer", cause, stage: isBegun(entry) ? "transaction" : "greeting" });
      }
    }
    if (this.#closing) {
      this.#closing.resolve();
      return;
    }
    this.#isPaused = true;
    this.#restart = this.#options.clock.after(this.#restartMs, () => {
      this.#isPaused = false;
    });
    this.#restartMs = Math.min(2 * this.#restartMs, MAX_RESTART_MS);
  }
}

function isBegun({ isGiven, wanted }: Entry): boolean {
  return isGiven || wanted !== undefined;
}
