// Keeps homes that do not answer (a dead file server) apart from those that do. Called by `homing dotforward`, around the
// reader of read-forward.ts.
//
// A system call that hangs cannot be ended, and holds a thread of libuv's pool. So a user's home is read once at a time, for
// all who ask meanwhile, and only so many homes are read at the same time that threads remain.
import { type Unavailable, unavailable } from "./file-error.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";

export interface BoundedReaderOptions {
  readonly reader: ForwardReader;
  /** Homes read at the same time. Each of them needs one thread at a time. */
  readonly maxHomes: number;
  /** For one answer. */
  readonly timeLimitMs?: number;
}

/** An automounter may need a second or two; the forwarder asks for five (forward-client.ts). */
const TIME_LIMIT_MS = 3_000;
/** libuv's own number, where UV_THREADPOOL_SIZE does not say another. */
const DEFAULT_THREADS = 4;

/** Three quarters of the threads: what else a process does needs some, too. */
export function maxHomesOf(environment: Readonly<Record<string, string | undefined>>): number {
  const { UV_THREADPOOL_SIZE: size = "" } = environment;
  const threads = /^[1-9]\d{0,3}$/.test(size) ? Number(size) : DEFAULT_THREADS;
  return Math.max(1, Math.floor((threads * 3) / 4));
}

export interface BoundedReader extends ForwardReader {
  /** Begins no further read. Resolves when those that run have ended: never, while a home hangs. */
  close(): Promise<void>;
}

export function createBoundedReader(options: BoundedReaderOptions): BoundedReader {
  const { reader, maxHomes, timeLimitMs = TIME_LIMIT_MS } = options;
  /** Of users whose home is read, or is to be read. The answer may be there before the read has ended. */
  const answers = new Map<string, Promise<ForwardAnswer>>();
  /** Begin when another read ends. */
  const waiting = new Set<() => void>();
  const running = new Set<Promise<void>>();
  let hanging = 0;
  let closed = false;

  const ask = (user: string): Promise<ForwardAnswer> => {
    const { promise, resolve, reject } = Promise.withResolvers<ForwardAnswer>();
    let hangs = false;
    const begin = (): void => {
      waiting.delete(begin);
      const task = reader.read(user).then(resolve, reject).then(ended);
      running.add(task);

      function ended(): void {
        clearTimeout(timer);
        answers.delete(user);
        running.delete(task);
        if (hangs) hanging--;
        const [next] = waiting;
        if (!closed) next?.();
      }
    };
    const timer = setTimeout(() => {
      if (waiting.delete(begin)) {
        answers.delete(user);
        return resolve(TOO_MANY);
      }
      // Its answer stays in the map: who asks before the read has ended is told at once.
      hangs = true;
      hanging++;
      resolve(unavailable("~", `no answer within ${timeLimitMs / 1000} s`));
    }, timeLimitMs);
    answers.set(user, promise);
    if (running.size < maxHomes) begin();
    else waiting.add(begin);
    return promise;
  };

  return {
    async read(user) {
      const known = answers.get(user);
      if (known) return await known;
      return hanging >= maxHomes ? TOO_MANY : await ask(user);
    },
    async close() {
      closed = true;
      await Promise.all(running);
    },
  };
}

const TOO_MANY: Unavailable = unavailable(
  "~",
  "too many homes do not answer: look after their disks or file servers",
);
