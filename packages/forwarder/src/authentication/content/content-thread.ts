// A thread that checks and seals content: RSA is synchronous, and would hold up everybody else's mail. Started by thread.ts.
import { parentPort, workerData } from "node:worker_threads";
import type { DnsAnswer } from "@homing/spf";
import { loadContentLibrary } from "../../authenticate.ts";
import { checkContent } from "./check-content.ts";
import type { FromThread, JobId, Outcomes, ThreadOptions, ToThread } from "./messages.ts";
import { createPieceQueue, type PieceQueue } from "./piece-queue.ts";
import { sealContent } from "./seal-content.ts";
import { type AskTxt, keyResolver } from "./thread-dns.ts";

if (parentPort === null) throw new Error("this file is a thread of content checks: see thread.ts");
const port = parentPort;
const { sealKey } = workerData as ThreadOptions;
const tell = (message: FromThread): void => port.postMessage(message);

const library = loadContentLibrary();
/** Those whose octets come in pieces. */
const queues = new Map<JobId, PieceQueue>();
const questions = new Map<number, (answer: DnsAnswer<string>) => void>();
let lastQuestion = 0;

port.on("message", (message: ToThread) => {
  switch (message.kind) {
    case "job":
      void start(message);
      break;
    case "piece":
      queues.get(message.id)?.push(message.octets);
      break;
    case "end":
      if (message.isBroken) queues.get(message.id)?.fail(new Error("the content cannot be read"));
      else queues.get(message.id)?.end();
      break;
    case "dns":
      questions.get(message.id)?.(message.answer);
      questions.delete(message.id);
      break;
    case "are-you-there":
      tell({ kind: "here" });
  }
});

type Job = Extract<ToThread, { kind: "job" }>;

async function start(job: Job): Promise<void> {
  const { id, whole } = job;
  const queue = createPieceQueue(whole ? () => {} : () => tell({ kind: "taken", id }));
  if (whole) {
    queue.push(whole);
    queue.end();
  } else queues.set(id, queue);
  try {
    tell({ kind: "done", id, outcome: await outcomeOf(job, queue.pieces) });
  } catch (error) {
    tell({
      kind: "failed",
      id,
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  } finally {
    queues.delete(id);
  }
}

async function outcomeOf(
  { work, now }: Job,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Outcomes[keyof Outcomes]> {
  if (work.kind === "check") {
    const { spf, header } = work;
    return await checkContent(await library, { pieces, header, spf, now }, keyResolver(askTxt));
  }
  if (!sealKey) throw new Error("there is no key to seal with");
  return await sealContent(await library, pieces, {
    key: sealKey,
    results: work.results,
    chain: work.chain,
    now,
  });
}

const askTxt: AskTxt = (name) => {
  const id = ++lastQuestion;
  const { promise, resolve } = Promise.withResolvers<DnsAnswer<string>>();
  questions.set(id, resolve);
  tell({ kind: "dns", id, name });
  return promise;
};
