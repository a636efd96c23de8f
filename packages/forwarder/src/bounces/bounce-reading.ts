// Where bounces are read: in a thread of their own, or here. Made by bounces.ts.
import { inputOf } from "../threads/job-thread.ts";
import { ThreadPool } from "../threads/thread-pool.ts";
import { type ReadBounce, readContent } from "./read-content.ts";
import { parseReport, type ReadingTrade } from "./report-text.ts";

export interface BounceReading {
  /** Of a thread: rejects with `WorkRefused` where it is lost. */
  readonly read: ReadBounce;
  /** What is under way rejects. */
  close(): Promise<void>;
}

export interface BounceReadingOptions {
  /** Told once of each thread that is lost, with all that it was reading. */
  readonly lost: (message: string) => void;
  /** Of a thread with work to do, before it is ended and another takes its place. */
  readonly silenceMs?: number;
  /** For tests: another thread. */
  readonly code?: URL;
}

const CODE = new URL("./reading-thread.ts", import.meta.url);
/** They are read one after the other, and told together: a quick one waits for no more than these. */
const JOBS_AT_ONCE = 4;
/** Its memory, some 20 MB, is for others then. A bounce can wait for the tenth of a second that another thread takes to begin. */
const IDLE_MS = 60_000;
/** Clients who left wait here, too, with what they sent. One more comes again. */
const MAX_WAITING = 500;

/** In the caller's own thread. */
export const readHere: BounceReading = { read: readContent, close: async () => {} };

/**
 * One thread reads several times what the service can answer. It begins with a bounce: many services never see one. It is
 * not that of checks and seals: a bounce that is made to take long, or ends its thread, holds up bounces alone.
 */
export function startBounceReading({ lost, silenceMs, code = CODE }: BounceReadingOptions): BounceReading {
  const pool = new ThreadPool<ReadingTrade>({
    ...{ name: "bounces", code, silenceMs, idleMs: IDLE_MS },
    ...{ threads: 1, jobsPerThread: JOBS_AT_ONCE, maxWaiting: MAX_WAITING },
    lost: (cause) => lost(`the thread that reads bounces is gone: ${cause}`),
  });
  return {
    read: async (content) => parseReport(await pool.run({ work: undefined, input: () => inputOf(content) })),
    close: () => pool.close(),
  };
}
