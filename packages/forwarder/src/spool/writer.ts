// The main thread's side of the writer thread: collects operations into batches, one batch on its way at a time, and starts
// the thread again when it ended. Called by sqlite-spool.ts and notes.ts.
import { Worker } from "node:worker_threads";
import { atEndOfTurn } from "../end-of-turn.ts";
import { inOneMemory, octetsOf } from "../one-memory.ts";
import { youngGeneration } from "../threads/young-generation.ts";
import type {
  Answer,
  Batch,
  FromThread,
  Operation,
  ThreadOptions,
  ToThread,
  Value,
  Values,
} from "./operations.ts";

/** What one transaction takes: more would let the first wait for the last (measured, ADR 0017). */
const MAX_BATCH_OPERATIONS = 2000;
const MAX_BATCH_OCTETS = 8 * 1024 * 1024;
/** An operation's rows and its place in the books, roughly. */
const OPERATION_OCTETS = 1024;
/** The thread is started again after 0.1 s, then 0.2 s … 5 s: a disk that is well again is used within seconds. */
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5000;
/** What a full disk did not take is tried again. */
const NO_ROOM_MS = 1000;
/** Half of V8's young generation: octets of messages lie outside of it. */
const YOUNG_MIB = 1;

export interface WriterOptions {
  readonly file: string;
  readonly minFreeOctets: number;
  readonly maxPendingOctets: number;
  /** Told when the storage went away, and when it is back. */
  readonly trouble?: ((cause: string | undefined) => void) | undefined;
  /** For tests: a thread that dies. */
  readonly thread?: URL;
}

const THREAD = new URL("./writer-thread.ts", import.meta.url);

export interface Asking {
  /** In parts, which are put together. */
  readonly body?: readonly Uint8Array[] | undefined;
  /** It must be done, however long the storage is away. Otherwise the answer is `away`. */
  readonly waits?: boolean;
}

export interface Writer {
  ask<O extends Operation>(operation: O, asking?: Asking): Promise<Answer<Values[O["kind"]]>>;
  /** A number that no message of this spool has, nor had while this process runs. */
  nextNumber(): number;
  /** Does what was asked, if the storage lets it, and ends the thread. */
  close(): Promise<void>;
}

interface Pending {
  /** Another one where it is asked again. */
  operation: Operation;
  readonly body: readonly Uint8Array[] | undefined;
  readonly octets: number;
  readonly waits: boolean;
  readonly resolve: (answer: Answer) => void;
}

/** Rejects where the database cannot be opened at first: that is for whoever starts the service. */
export async function startWriter(options: WriterOptions): Promise<Writer> {
  const writer = new ThreadWriter(options);
  await writer.start();
  return writer;
}

class ThreadWriter implements Writer {
  readonly #options: WriterOptions;
  #lastNumber = 0;
  #thread: Worker | undefined;
  /** The thread has the database open, and may be asked. */
  #isAway = false;
  #isOpen = false;
  /** Why it may not. */
  #cause = "the spool is not open yet";
  #waiting: Pending[] = [];
  #pendingOctets = 0;
  #underWay: Pending[] | undefined;
  /** The disk had no room for them. */
  #held: Pending[] = [];
  /** Their senders were told that they are not stored; the disk may think otherwise. */
  #withdraw: number[] = [];
  /** They may be on the disk, and whoever has their leases was told that they are not. */
  #unleased: number[] = [];
  #restartMs = FIRST_RESTART_MS;
  #restart: NodeJS.Timeout | undefined;
  #retryHeld: NodeJS.Timeout | undefined;
  /** With everything that is asked until then. */
  readonly #flushSoon = atEndOfTurn(() => this.#flush());
  #closing: PromiseWithResolvers<void> | undefined;
  #toldToClose = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    return this.#startThread(true);
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  ask<O extends Operation>(
    operation: O,
    { body, waits = false }: Asking = {},
  ): Promise<Answer<Values[O["kind"]]>> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const octets = OPERATION_OCTETS + octetsOf(body);
    const refusal = this.#refusal(operation, octets, waits);
    if (refusal) resolve(refusal);
    else {
      this.#pendingOctets += octets;
      this.#waiting.push({ operation, body, octets, waits, resolve });
      this.#flushSoon();
    }
    return promise as Promise<Answer<Values[O["kind"]]>>;
  }

  #refusal({ kind }: Operation, octets: number, waits: boolean): Answer | undefined {
    if (this.#closing) return { kind: "away", cause: "the spool is closed" };
    if (!this.#isOpen && !waits) return { kind: "away", cause: this.#cause };
    if (kind !== "put" && kind !== "put-all" && kind !== "chunk") return undefined;
    if (this.#pendingOctets + octets <= this.#options.maxPendingOctets) return undefined;
    return { kind: "no-room", cause: `${this.#pendingOctets} octets wait for the disk already` };
  }

  close(): Promise<void> {
    if (this.#closing) return this.#closing.promise;
    this.#closing = Promise.withResolvers<void>();
    clearTimeout(this.#restart);
    this.#waitAgain();
    if (this.#isOpen) this.#closeWhenDone();
    else {
      this.#settleAll(() => true);
      if (this.#thread) void this.#thread.terminate();
      else this.#closing.resolve();
    }
    return this.#closing.promise;
  }

  #flush(): void {
    if (this.#underWay || !this.#isOpen) return;
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    this.#underWay = batch;
    const { bodies, memory } = packed(batch);
    const message: Batch = { operations: batch.map(({ operation }) => operation), bodies };
    this.#tell(message, memory ? [memory] : []);
  }

  #takeBatch(): Pending[] {
    let octets = 0;
    let count = 0;
    for (const { body } of this.#waiting) {
      octets += octetsOf(body);
      if (count === MAX_BATCH_OPERATIONS || (count > 0 && octets > MAX_BATCH_OCTETS)) break;
      count++;
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #answered(answers: readonly Answer[]): void {
    const batch = this.#underWay ?? [];
    this.#underWay = undefined;
    this.#restartMs = FIRST_RESTART_MS;
    for (const [index, pending] of batch.entries()) {
      const answer = answers[index] ?? NO_ANSWER;
      if (answer.kind === "no-room" && pending.waits && !this.#closing) this.#hold(pending);
      else this.#settle(pending, answer);
    }
    this.#flushSoon();
    this.#closeWhenDone();
  }

  #settle({ octets, resolve }: Pending, answer: Answer): void {
    this.#pendingOctets -= octets;
    resolve(answer);
  }

  #hold(pending: Pending): void {
    this.#held.push(pending);
    this.#retryHeld ??= setTimeout(() => this.#waitAgain(), NO_ROOM_MS);
  }

  #waitAgain(): void {
    clearTimeout(this.#retryHeld);
    this.#retryHeld = undefined;
    this.#waiting = [...this.#held, ...this.#waiting];
    this.#held = [];
    this.#flushSoon();
  }

  #startThread(first: boolean): Promise<void> {
    const { file, minFreeOctets, thread: code = THREAD } = this.#options;
    const withdraw = this.#withdraw;
    const unleased = this.#unleased;
    const workerData: ThreadOptions = { file, minFreeOctets, expireLeases: first, withdraw, unleased };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const thread = new Worker(code, {
      ...{ workerData, name: "spool" },
      resourceLimits: youngGeneration(YOUNG_MIB),
    });
    let cause = "the writer thread of the spool ended";
    this.#thread = thread;
    thread.on("message", (message: FromThread) => {
      if (message.kind === "answers") this.#answered(message.answers);
      else if (message.kind === "broken") cause = message.cause;
      else {
        this.#withdraw = this.#withdraw.slice(withdraw.length);
        this.#unleased = this.#unleased.slice(unleased.length);
        this.#opened(message.lastNumber);
        resolve();
      }
    });
    thread.on("error", (error) => {
      cause = `the writer thread of the spool failed: ${error.message}`;
    });
    thread.on("exit", () => {
      // Who waits for the first opening hears why it failed; a later one is tried again.
      if (first && !this.#isOpen) reject(new Error(cause));
      else this.#lost(cause);
    });
    return promise;
  }

  #opened(lastNumber: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, lastNumber);
    if (this.#isAway) this.#options.trouble?.(undefined);
    this.#isAway = false;
    this.#isOpen = true;
    this.#flushSoon();
  }

  /** Of what was under way, nobody knows whether it was done. */
  #lost(cause: string): void {
    this.#thread = undefined;
    this.#isOpen = false;
    this.#cause = cause;
    if (!this.#closing && !this.#isAway) {
      this.#isAway = true;
      this.#options.trouble?.(cause);
    }
    const underWay = this.#underWay ?? [];
    this.#underWay = undefined;
    for (const { operation, waits } of underWay)
      if (operation.kind === "put" && !waits) this.#withdraw.push(operation.put.message);
    const again = new Set(underWay.filter(isAskedAgain));
    this.#waiting = [...underWay, ...this.#waiting];
    for (const { operation } of this.#waiting)
      if (operation.kind === "put-all" && operation.maybeAgain)
        this.#unleased.push(...operation.puts.map(({ message }) => message));
    for (const pending of again) markAgain(pending);
    this.#settleAll((one) => !(one.waits || again.has(one)) || this.#closing !== undefined);
    if (this.#closing) {
      this.#closing.resolve();
      return;
    }
    this.#restart = setTimeout(() => void this.#startThread(false), this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, MAX_RESTART_MS);
  }

  #settleAll(which: (pending: Pending) => boolean): void {
    const answer: Answer = { kind: "away", cause: this.#cause };
    const all = this.#waiting;
    this.#waiting = all.filter((pending) => !which(pending));
    for (const pending of all) if (which(pending)) this.#settle(pending, answer);
  }

  #closeWhenDone(): void {
    if (!this.#closing || !this.#isOpen || this.#underWay || this.#waiting.length > 0) return;
    if (!this.#toldToClose) this.#tell("close");
    this.#toldToClose = true;
  }

  #tell(message: ToThread, memory: readonly ArrayBuffer[] = []): void {
    this.#thread?.postMessage(message, [...memory]);
  }
}

/**
 * Its notes tell somebody that the messages are there: withdrawing these would make a lie of them. Once, for nobody waits for a
 * disk that stays away.
 */
function isAskedAgain({ operation }: Pending): boolean {
  return operation.kind === "put-all" && !operation.maybeAgain;
}

function markAgain(pending: Pending): void {
  const { operation } = pending;
  if (operation.kind === "put-all") pending.operation = { ...operation, maybeAgain: true };
}

const NO_ANSWER: Answer<Value> = { kind: "away", cause: "the writer thread of the spool gave no answer" };

/** The bodies of a batch as they go to the thread: parts of one piece of memory, undefined for an operation without one. */
function packed(batch: readonly Pending[]): {
  readonly bodies: Batch["bodies"];
  readonly memory?: ArrayBuffer;
} {
  const parts = batch.flatMap(({ body }) => body ?? []);
  if (octetsOf(parts) === 0) return { bodies: batch.map(({ body }) => body && new Uint8Array(0)) };
  const memory = inOneMemory(parts);
  const whole = new Uint8Array(memory);
  let at = 0;
  const bodies = batch.map(({ body }) => {
    const start = at;
    at += octetsOf(body);
    return body && whole.subarray(start, at);
  });
  return { bodies, memory };
}
