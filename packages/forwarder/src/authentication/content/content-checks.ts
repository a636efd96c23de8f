// Checks and seals content in a few threads, which begin with the first message. Made by the composition root; the forwarder
// calls `check` at the end of DATA, and `seal` for what it forwards.
import { availableParallelism } from "node:os";
import type { DnsLookup } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../../authenticate.ts";
import type { CheckContent, ContentResults, SealContent } from "../results.ts";
import { arcPayload } from "./arc-payload.ts";
import { UNREADABLE } from "./check-content.ts";
import { CheckRefused } from "./check-refused.ts";
import { headerOf } from "./header.ts";
import type { Outcomes, SealedSet } from "./messages.ts";
import { ContentThread, inputOf, type Task } from "./thread.ts";

export interface ContentCheckOptions {
  /** One cache for everything. */
  readonly dns: { readonly txt: DnsLookup<string> };
  readonly now: () => UnixSeconds;
  /** Our name in ARC-Authentication-Results (RFC 8601 §2.5). */
  readonly authservId: string;
  /** RSA or Ed25519. Without it, nothing is sealed. */
  readonly sealKey?: DkimKey | undefined;
  /** Each costs some 40 MB of memory. Default: one for each core, four at most. */
  readonly threads?: number;
  /** Messages that wait for a thread; one more is refused. */
  readonly maxWaiting?: number;
  /** Of a thread with work to do, before it is ended and another takes its place. */
  readonly silenceMs?: number;
  /** For tests: another thread. */
  readonly code?: URL;
}

export interface ContentChecks {
  /** Rejects with `CheckRefused` where the machine does not do it. */
  readonly check: CheckContent;
  readonly seal?: SealContent;
  /** What is under way rejects. */
  close(): Promise<void>;
}

const MAX_THREADS = 4;
/** At the same time in one thread: most of them wait for DNS. */
const JOBS_PER_THREAD = 64;
const MAX_WAITING = 200;
const SILENCE_MS = 30_000;
/** RFC 8617 §4.2.1. */
const MAX_SETS = 50;

export function createContentChecks(options: ContentCheckOptions): ContentChecks {
  const { now, authservId, sealKey } = options;
  const pool = new ThreadPool(options);
  const seal: SealContent = async (content, { arc, results }) => {
    if (headerOf(content).kind === "too-long") return { kind: "not-sealed", cause: "too-long" };
    if (arc.result === "temperror") return { kind: "not-sealed", cause: "unchecked-chain" };
    if (arc.result === "fail") return { kind: "not-sealed", cause: "failed-chain" };
    if (arc.instance >= MAX_SETS) return { kind: "not-sealed", cause: "full-chain" };
    const work = { kind: "seal", results: arcPayload(authservId, results), chain: arc.result } as const;
    const sealed = (await pool.run({ work, now: now(), input: inputOf(content) })) as SealedSet;
    return sealed.kind === "sealed" ? sealed : { kind: "not-sealed", cause: sealed.kind };
  };
  return {
    async check(content, spf) {
      const header = headerOf(content);
      if (header.kind === "too-long") return UNREADABLE;
      const work = { kind: "check", spf, header: new Uint8Array(header.octets) } as const;
      const input = header.wantsBody ? inputOf(content) : { whole: header.octets };
      return (await pool.run({ work, now: now(), input })) as ContentResults;
    },
    ...(sealKey ? { seal } : {}),
    close: () => pool.close(),
  };
}

interface Waiting {
  readonly task: Task;
  resolve(outcome: Promise<Outcomes[keyof Outcomes]>): void;
  reject(error: CheckRefused): void;
}

class ThreadPool {
  readonly #options: ContentCheckOptions;
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #threads = new Set<ContentThread>();
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(options: ContentCheckOptions) {
    this.#options = options;
    this.#size = options.threads ?? Math.min(MAX_THREADS, availableParallelism());
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
  }

  async run(task: Task): Promise<Outcomes[keyof Outcomes]> {
    if (this.#isClosed) throw new CheckRefused("closed", "content is not checked any more: the service ends");
    const thread = this.#freeThread();
    if (thread) return await thread.run(task);
    if (this.#waiting.length >= this.#maxWaiting)
      throw new CheckRefused("busy", `${this.#waiting.length} messages wait to be checked already`);
    const { promise, resolve, reject } = Promise.withResolvers<Outcomes[keyof Outcomes]>();
    this.#waiting.push({ task, resolve, reject });
    return await promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0))
      reject(new CheckRefused("closed", "the service ended before it was checked"));
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  /** The least busy one; another, where all have something to do. */
  #freeThread(): ContentThread | undefined {
    const [best] = [...this.#threads].sort((one, other) => one.jobs - other.jobs);
    if (best && (best.jobs === 0 || this.#threads.size >= this.#size))
      return best.jobs < JOBS_PER_THREAD ? best : undefined;
    return this.#newThread();
  }

  #newThread(): ContentThread {
    const { dns, sealKey, silenceMs = SILENCE_MS, code } = this.#options;
    const changed = (thread: ContentThread): void => {
      if (thread.isGone) this.#threads.delete(thread);
      this.#next();
    };
    const thread = new ContentThread({ txt: dns.txt, sealKey, silenceMs, code, changed });
    this.#threads.add(thread);
    return thread;
  }

  #next(): void {
    while (!this.#isClosed && this.#waiting.length > 0) {
      const thread = this.#freeThread();
      const next = thread && this.#waiting.shift();
      if (!next) return;
      next.resolve(thread.run(next.task));
    }
  }
}
