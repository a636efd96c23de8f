// A thread's side: takes jobs and their octets, and tells what came of them. Called by the files that are threads
// (authentication/content/content-thread.ts, bounces/reading-thread.ts); job-thread.ts is the other side.
import { parentPort } from "node:worker_threads";
import { atEndOfTurn } from "../end-of-turn.ts";
import type { FromThread, JobId, ToThread, Trade } from "./messages.ts";
import { createPieceQueue, type PieceQueue } from "./piece-queue.ts";
import { createThreadLook } from "./spent-memory.ts";

/** The octets of a job. */
export interface JobInput {
  /** Of one that came in one piece. */
  readonly whole: Buffer | undefined;
  /** Of any. Read once. */
  readonly pieces: AsyncIterable<Buffer>;
}

export interface ThisJob<T extends Trade> extends JobInput {
  readonly work: T["work"];
}

export type Ask<T extends Trade> = (question: T["question"]) => Promise<T["answer"]>;

/** @param doJob what it throws is told with its stack, and the thread goes on */
export function serveJobs<T extends Trade>(
  doJob: (job: ThisJob<T>, ask: Ask<T>) => T["outcome"] | Promise<T["outcome"]>,
): void {
  if (parentPort === null) throw new Error("this file is a thread: see threads/job-thread.ts");
  const port = parentPort;
  const lookForSpentMemory = createThreadLook();
  /** Those whose octets come in pieces. */
  const queues = new Map<JobId, PieceQueue>();
  const questions = new Map<number, (answer: T["answer"]) => void>();
  let lastQuestion = 0;
  let outgoing: FromThread<T>[] = [];

  const flushSoon = atEndOfTurn(() => {
    const messages = outgoing;
    outgoing = [];
    port.postMessage(messages);
  });
  const tell = (message: FromThread<T>): void => {
    outgoing.push(message);
    flushSoon();
  };
  const ask: Ask<T> = (question) => {
    const id = ++lastQuestion;
    const { promise, resolve } = Promise.withResolvers<T["answer"]>();
    questions.set(id, resolve);
    tell({ kind: "question", id, question });
    return promise;
  };
  const start = async (id: JobId, job: ThisJob<T>): Promise<void> => {
    try {
      tell({ kind: "done", id, outcome: await doJob(job, ask) });
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      tell({ kind: "failed", id, cause });
    } finally {
      queues.delete(id);
    }
  };
  const queueOf = (id: JobId): PieceQueue => {
    const queue = createPieceQueue(() => tell({ kind: "taken", id }));
    queues.set(id, queue);
    return queue;
  };
  const hear = (message: ToThread<T>): void => {
    switch (message.kind) {
      case "job": {
        const { id, work } = message;
        const input = message.whole
          ? wholeInput(message.whole)
          : { whole: undefined, pieces: queueOf(id).pieces };
        void start(id, { work, ...input });
        break;
      }
      case "piece":
        queues.get(message.id)?.push(bufferOf(message.octets));
        break;
      case "end":
        if (message.isBroken) queues.get(message.id)?.fail(new Error("the content cannot be read"));
        else queues.get(message.id)?.end();
        break;
      case "answer":
        questions.get(message.id)?.(message.answer);
        questions.delete(message.id);
        break;
      case "are-you-there":
        tell({ kind: "here" });
    }
  };
  port.on("message", (messages: readonly ToThread<T>[]) => {
    lookForSpentMemory();
    for (const message of messages) hear(message);
  });
}

function wholeInput(octets: Uint8Array): JobInput {
  const whole = bufferOf(octets);
  async function* once(): AsyncIterable<Buffer> {
    yield whole;
  }
  return { whole, pieces: once() };
}

/** The same memory. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
