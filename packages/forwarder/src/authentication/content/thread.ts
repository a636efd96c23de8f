// One thread that checks content, as the service sees it: hands it jobs and their octets, answers its questions to DNS, and
// ends it when it says nothing any more. Made by content-checks.ts.
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { type Content, partsOf } from "@homing/mail";
import type { DnsLookup } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import { CheckRefused } from "./check-refused.ts";
import {
  type FromThread,
  type JobId,
  type Outcomes,
  PIECE_OCTETS,
  PIECES_AHEAD,
  type ThreadOptions,
  type ToThread,
  type Work,
} from "./messages.ts";

export interface ThreadEnvironment extends ThreadOptions {
  readonly txt: DnsLookup<string>;
  /** Silent for so long with work to do, it is ended. */
  readonly silenceMs: number;
  readonly code?: URL | undefined;
  /** It has room for another job, or is gone. */
  readonly changed: (thread: ContentThread) => void;
}

export interface Task {
  readonly work: Work;
  readonly now: UnixSeconds;
  /** What the thread has to read. */
  readonly input: { readonly whole: Buffer } | { readonly content: Content };
}

interface Job {
  resolve(outcome: Outcomes[keyof Outcomes]): void;
  reject(error: unknown): void;
  /** Pieces that may be sent before one is taken. */
  ahead: number;
  /** Called when one is taken, or nobody wants any more. */
  wake: (() => void) | undefined;
}

const CODE = new URL("./content-thread.ts", import.meta.url);
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
/** It is asked so often before it is ended. */
const ASKED = 3;

export class ContentThread {
  readonly #environment: ThreadEnvironment;
  readonly #worker: Worker;
  readonly #jobs = new Map<JobId, Job>();
  #lastJob = 0;
  #unanswered = 0;
  #watch: NodeJS.Timeout | undefined;
  #reason: CheckRefused["reason"] = "lost";
  #cause = "it ended";
  isGone = false;

  constructor(environment: ThreadEnvironment) {
    this.#environment = environment;
    const workerData: ThreadOptions = { sealKey: environment.sealKey };
    setFlagsFromString(`--min-semi-space-size=${YOUNG_MIB}`);
    this.#worker = new Worker(environment.code ?? CODE, {
      workerData,
      name: "content",
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    this.#worker.unref();
    this.#worker.on("message", (message: FromThread) => this.#heard(message));
    this.#worker.on("error", (error) => {
      this.#cause = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on("exit", () => this.#lost());
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  /** Rejects with `CheckRefused` where the thread is lost, and with the content's own error where it cannot be read. */
  run(task: Task): Promise<Outcomes[keyof Outcomes]> {
    const id = ++this.#lastJob;
    const { promise, resolve, reject } = Promise.withResolvers<Outcomes[keyof Outcomes]>();
    this.#jobs.set(id, { resolve, reject, ahead: PIECES_AHEAD, wake: undefined });
    this.#worker.ref();
    this.#watch ??= setInterval(() => this.#ask(), this.#environment.silenceMs / ASKED).unref();
    const { work, now, input } = task;
    if ("whole" in input) {
      const whole = copyOf(input.whole);
      this.#tell({ kind: "job", id, work, now, whole }, [whole.buffer]);
    } else {
      this.#tell({ kind: "job", id, work, now });
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
          const octets = copyOf(piece.subarray(at, at + PIECE_OCTETS));
          this.#tell({ kind: "piece", id, octets }, [octets.buffer]);
        }
      }
      this.#tell({ kind: "end", id, isBroken: false });
    } catch (error) {
      this.#tell({ kind: "end", id, isBroken: true });
      this.#take(id)?.reject(error);
    }
  }

  /** The job, when another piece may be sent; undefined where nobody waits for it any more. */
  async #room(id: JobId): Promise<Job | undefined> {
    for (;;) {
      const job = this.#jobs.get(id);
      if (!job || job.ahead > 0) return job;
      await new Promise<void>((resolve) => {
        job.wake = resolve;
      });
    }
  }

  #heard(message: FromThread): void {
    this.#unanswered = 0;
    switch (message.kind) {
      case "done":
        this.#take(message.id)?.resolve(message.outcome);
        break;
      case "failed":
        this.#take(message.id)?.reject(new CheckRefused("failed", message.cause));
        break;
      case "taken": {
        const job = this.#jobs.get(message.id);
        if (job) job.ahead++;
        job?.wake?.();
        break;
      }
      case "dns":
        void this.#answer(message.id, message.name);
        break;
      case "here":
        break;
    }
  }

  async #answer(id: number, name: string): Promise<void> {
    try {
      this.#tell({ kind: "dns", id, answer: await this.#environment.txt(name) });
    } catch (error) {
      this.#tell({ kind: "dns", id, answer: { kind: "failed", cause: String(error) } });
    }
  }

  /** The one that is over. */
  #take(id: JobId): Job | undefined {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    job?.wake?.();
    if (this.#jobs.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      this.#worker.unref();
    }
    if (job && !this.isGone) this.#environment.changed(this);
    return job;
  }

  #ask(): void {
    if (this.#unanswered === ASKED) {
      this.#cause = "it said nothing any more";
      void this.#worker.terminate();
      return;
    }
    this.#unanswered++;
    this.#tell({ kind: "are-you-there" });
  }

  #lost(): void {
    this.isGone = true;
    const refused = new CheckRefused(this.#reason, `the thread that checked it is gone: ${this.#cause}`);
    for (const id of [...this.#jobs.keys()]) this.#take(id)?.reject(refused);
    this.#environment.changed(this);
  }

  #tell(message: ToThread, memory: readonly ArrayBuffer[] = []): void {
    if (!this.isGone) this.#worker.postMessage(message, memory);
  }
}

/** In memory of its own, which goes to the thread. */
function copyOf(octets: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(octets);
}

/** What a thread reads of it: one buffer of a small one. */
export function inputOf(content: Content): Task["input"] {
  const parts = content.octets <= WHOLE_OCTETS ? partsOf(content) : undefined;
  if (!parts) return { content };
  return { whole: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) };
}
