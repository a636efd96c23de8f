// One thread with jobs, as the service sees it: hands it jobs and their octets, answers its questions, and ends it when it says
// nothing any more. Made by thread-pool.ts; serve-jobs.ts is its other side.
import { Worker } from "node:worker_threads";
import { type Content, partsOf } from "@homing/mail";
import { atEndOfTurn } from "../end-of-turn.ts";
import { AliveWatch, SAID_NOTHING } from "./alive-watch.ts";
import {
  type FromThread,
  type JobId,
  PIECE_OCTETS,
  PIECES_AHEAD,
  type ToThread,
  type Trade,
} from "./messages.ts";
import { WorkRefused } from "./work-refused.ts";
import { youngGeneration } from "./young-generation.ts";

export interface ThreadKind<T extends Trade> {
  /** In the list of the process's threads. */
  readonly name: string;
  /** A file that calls `serveJobs`. */
  readonly code: URL;
  /** What the file finds in `workerData`. */
  readonly data?: unknown;
  /** Silent for so long with work to do, a thread is ended. Default 30,000. */
  readonly silenceMs?: number | undefined;
  /** Without work for so long, a thread is ended: the next job begins another. Default: it stays. */
  readonly idleMs?: number | undefined;
  /** Must not reject. */
  readonly answer?: (question: T["question"]) => Promise<T["answer"]>;
}

export interface Task<T extends Trade> {
  readonly work: T["work"];
  /** What the thread has to read. Asked when the job begins: it may be a copy. */
  readonly input: () => Input;
}

export type Input = { readonly whole: Buffer } | { readonly content: Content };

interface Job<T extends Trade> {
  resolve(outcome: T["outcome"]): void;
  reject(error: unknown): void;
  /** Pieces that may be sent before one is taken. */
  ahead: number;
  /** Called when one is taken, or nobody wants any more. */
  wake: (() => void) | undefined;
}

/** Its jobs together need a tenth of it; what outgrows this is a fault, and must not take the service along. */
const HEAP_MIB = 256;
/**
 * Half of V8's young generation. The service keeps its own from growing, and that holds for its threads: at the 1 MB that they
 * begin with, they clear it for each message, which was a tenth of the CPU time of everything. Heaps that are there already
 * stay as they are.
 */
const YOUNG_MIB = 4;
/** What the front keeps in memory (MEMORY_OCTETS), and fields on top. */
const WHOLE_OCTETS = 512 * 1024;

export class JobThread<T extends Trade> {
  readonly #kind: ThreadKind<T>;
  readonly #changed: (thread: JobThread<T>) => void;
  readonly #worker: Worker;
  readonly #jobs = new Map<JobId, Job<T>>();
  /** Leaves at the end of this turn of the event loop. */
  #outgoing: ToThread<T>[] = [];
  readonly #flushSoon = atEndOfTurn(() => this.#flush());
  #lastJob = 0;
  readonly #watch: AliveWatch;
  readonly #idle: NodeJS.Timeout | undefined;
  #reason: WorkRefused["reason"] = "lost";
  #cause = "it ended";
  /** It will be gone: what it is given now is lost. */
  isLeaving = false;
  isGone = false;
  /** It had nothing to do: nothing is wrong with it. */
  isDismissed = false;

  /** @param changed told when it has room for another job, or is gone */
  constructor(kind: ThreadKind<T>, changed: (thread: JobThread<T>) => void) {
    this.#kind = kind;
    this.#changed = changed;
    this.#watch = new AliveWatch({
      silenceMs: kind.silenceMs,
      hasWork: () => this.#jobs.size > 0,
      ask: () => this.#tell({ kind: "are-you-there" }),
      giveUp: () => this.#giveUp(SAID_NOTHING),
    });
    const { idleMs } = kind;
    this.#idle = idleMs === undefined ? undefined : setTimeout(() => this.#dismiss(), idleMs).unref();
    this.#worker = new Worker(kind.code, {
      workerData: kind.data,
      name: kind.name,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, ...youngGeneration(YOUNG_MIB) },
    });
    this.#worker.unref();
    this.#worker.on("message", (messages: readonly FromThread<T>[]) => {
      this.#watch.heard();
      for (const message of messages) this.#heard(message);
    });
    this.#worker.on("error", (error) => {
      this.#cause = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on("exit", () => this.#lost());
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  /** Why it is gone. */
  get cause(): string {
    return this.#cause;
  }

  /** Rejects with `WorkRefused` where the thread is lost, and with the content's own error where it cannot be read. */
  run({ work, input: inputOfTask }: Task<T>): Promise<T["outcome"]> {
    const id = ++this.#lastJob;
    const input = inputOfTask();
    const { promise, resolve, reject } = Promise.withResolvers<T["outcome"]>();
    if (this.#jobs.size === 0) {
      this.#worker.ref();
      this.#watch.begin();
    }
    this.#jobs.set(id, { resolve, reject, ahead: PIECES_AHEAD, wake: undefined });
    if ("whole" in input) {
      this.#tell({ kind: "job", id, work, whole: copyOf(input.whole) });
    } else {
      this.#tell({ kind: "job", id, work });
      void this.#send(id, input.content);
    }
    return promise;
  }

  async end(): Promise<void> {
    this.#reason = "closed";
    this.#cause = "the service ends";
    await this.#worker.terminate();
  }

  async #send(id: JobId, content: Content): Promise<void> {
    try {
      for await (const piece of content.pieces()) {
        for (let at = 0; at < piece.length; at += PIECE_OCTETS) {
          const job = await this.#room(id);
          if (!job) return;
          job.ahead--;
          this.#tell({ kind: "piece", id, octets: copyOf(piece.subarray(at, at + PIECE_OCTETS)) });
        }
      }
      this.#tell({ kind: "end", id, isBroken: false });
    } catch (error) {
      this.#tell({ kind: "end", id, isBroken: true });
      this.#take(id)?.reject(error);
    }
  }

  /** The job, when another piece may be sent; undefined where nobody waits for it any more. */
  async #room(id: JobId): Promise<Job<T> | undefined> {
    for (;;) {
      const job = this.#jobs.get(id);
      if (!job || job.ahead > 0) return job;
      await new Promise<void>((resolve) => {
        job.wake = resolve;
      });
    }
  }

  #heard(message: FromThread<T>): void {
    switch (message.kind) {
      case "done":
        this.#take(message.id)?.resolve(message.outcome);
        break;
      case "failed":
        this.#take(message.id)?.reject(new WorkRefused("failed", message.cause));
        break;
      case "taken": {
        const job = this.#jobs.get(message.id);
        if (job) job.ahead++;
        job?.wake?.();
        break;
      }
      case "question":
        void this.#answer(message.id, message.question);
        break;
      case "here":
        break;
    }
  }

  async #answer(id: number, question: T["question"]): Promise<void> {
    this.#tell({ kind: "answer", id, answer: await this.#kind.answer?.(question) });
  }

  /** The one that is over. */
  #take(id: JobId): Job<T> | undefined {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    job?.wake?.();
    if (this.#jobs.size === 0) {
      this.#worker.unref();
      this.#idle?.refresh();
    }
    if (job && !this.isGone) this.#changed(this);
    return job;
  }

  #dismiss(): void {
    // The last of its jobs begins the time anew.
    if (this.isLeaving || this.#jobs.size > 0) return;
    this.isDismissed = true;
    this.#giveUp("it had nothing to do");
  }

  #giveUp(cause: string): void {
    this.#cause = cause;
    this.isLeaving = true;
    void this.#worker.terminate();
  }

  #lost(): void {
    this.isGone = true;
    this.#watch.stop();
    const refused = new WorkRefused(this.#reason, `the thread that had it is gone: ${this.#cause}`);
    for (const id of [...this.#jobs.keys()]) this.#take(id)?.reject(refused);
    clearTimeout(this.#idle);
    this.#changed(this);
  }

  #tell(message: ToThread<T>): void {
    if (this.isGone) return;
    this.#outgoing.push(message);
    this.#flushSoon();
  }

  #flush(): void {
    const messages = this.#outgoing;
    this.#outgoing = [];
    if (this.isGone) return;
    try {
      this.#post(messages);
    } catch {
      // Something in one of them cannot be cloned: a bug, and not one that ends the service, or costs others anything.
      for (const message of messages) this.#postAlone(message);
    }
  }

  #postAlone(message: ToThread<T>): void {
    try {
      this.#post([message]);
    } catch (error) {
      const cause = (error as Error).message;
      if (message.kind === "job") this.#take(message.id)?.reject(new WorkRefused("failed", cause));
      else this.#giveUp(`it could not be told: ${cause}`);
    }
  }

  #post(messages: readonly ToThread<T>[]): void {
    this.#worker.postMessage(messages, messages.flatMap(memoryOf));
  }
}

/** What changes hands with a message. */
function memoryOf<T extends Trade>(message: ToThread<T>): ArrayBuffer[] {
  const octets = message.kind === "piece" ? message.octets : message.kind === "job" && message.whole;
  return octets ? [octets.buffer] : [];
}

/** In memory of its own, which goes to the thread: what a piece is in may be used again by whoever reads it. */
function copyOf(octets: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(octets);
}

/** What a thread reads of it: one buffer of a small one. */
export function inputOf(content: Content): Input {
  const parts = content.octets <= WHOLE_OCTETS ? partsOf(content) : undefined;
  if (!parts) return { content };
  return { whole: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) };
}
