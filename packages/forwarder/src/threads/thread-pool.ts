// A few threads of one kind, which begin with the first job, and the jobs that wait for one. A thread that is lost is not
// replaced before there is something to do, and what it had to do is not done again: it may be what ended it. Made by
// authentication/content/content-checks.ts and bounces/bounce-reading.ts.
import { JobThread, type Task, type ThreadKind } from "./job-thread.ts";
import type { Trade } from "./messages.ts";
import { WorkRefused } from "./work-refused.ts";

export interface PoolOptions<T extends Trade> extends ThreadKind<T> {
  readonly threads: number;
  /** At the same time in one thread. Default 64: what they wait for are DNS, and octets from the disk. */
  readonly jobsPerThread?: number;
  /** That wait for a thread; one more is refused. */
  readonly maxWaiting: number;
  /** Told once of each thread that ended by itself, or said nothing any more. */
  readonly lost?: (cause: string) => void;
}

const JOBS_PER_THREAD = 64;

interface Waiting<T extends Trade> {
  readonly task: Task<T>;
  resolve(outcome: Promise<T["outcome"]>): void;
  reject(error: WorkRefused): void;
}

export class ThreadPool<T extends Trade> {
  readonly #options: PoolOptions<T>;
  readonly #threads = new Set<JobThread<T>>();
  readonly #waiting: Waiting<T>[] = [];
  #isClosed = false;

  constructor(options: PoolOptions<T>) {
    this.#options = options;
  }

  /** Rejects with `WorkRefused` where the machine does not do it, and with the content's own error where it cannot be read. */
  async run(task: Task<T>): Promise<T["outcome"]> {
    if (this.#isClosed) throw new WorkRefused("closed", "nothing is begun any more: the service ends");
    const thread = this.#freeThreadOrNone();
    if (thread === "none") throw new WorkRefused("lost", "no thread could be started");
    if (thread) return await thread.run(task);
    if (this.#waiting.length >= this.#options.maxWaiting)
      throw new WorkRefused("busy", `${this.#waiting.length} messages wait for a thread already`);
    const { promise, resolve, reject } = Promise.withResolvers<T["outcome"]>();
    this.#waiting.push({ task, resolve, reject });
    return await promise;
  }

  /** What is under way rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0))
      reject(new WorkRefused("closed", "the service ended before its turn came"));
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  /** The least busy one; another, where all have something to do. */
  #freeThread(): JobThread<T> | undefined {
    let best: JobThread<T> | undefined;
    for (const thread of this.#threads)
      if (!thread.isLeaving && (!best || thread.jobs < best.jobs)) best = thread;
    if (best?.jobs === 0) return best;
    if (this.#threads.size < this.#options.threads) return this.#newThread();
    return best && best.jobs < (this.#options.jobsPerThread ?? JOBS_PER_THREAD) ? best : undefined;
  }

  #newThread(): JobThread<T> {
    const thread = new JobThread(this.#options, (changed) => {
      if (changed.isGone) {
        this.#threads.delete(changed);
        if (!this.#isClosed && !changed.isDismissed) this.#options.lost?.(changed.cause);
      }
      this.#next();
    });
    this.#threads.add(thread);
    return thread;
  }

  #next(): void {
    while (!this.#isClosed && this.#waiting.length > 0) {
      const thread = this.#freeThreadOrNone();
      if (thread === "none") {
        this.#refuseWaiting();
        return;
      }
      const next = thread && this.#waiting.shift();
      if (!next) return;
      next.resolve(thread.run(next.task));
    }
  }

  /** The system may have no thread for us: whoever waits is not to wait for ever, nor the service to end. */
  #freeThreadOrNone(): JobThread<T> | undefined | "none" {
    try {
      return this.#freeThread();
    } catch (error) {
      this.#options.lost?.(
        `none could be started: ${error instanceof Error ? error.message : String(error)}`,
      );
      return "none";
    }
  }

  #refuseWaiting(): void {
    for (const { reject } of this.#waiting.splice(0))
      reject(new WorkRefused("lost", "no thread could be started"));
  }
}
