// The thread of SMTP out: connections to next hops, on a core of their own. Started by outbound-thread.ts.
import { parentPort, workerData } from "node:worker_threads";
import { type Content, type Envelope, memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import { atEndOfTurn } from "../../end-of-turn.ts";
import { createThreadLook } from "../../threads/spent-memory.ts";
import { goBehindClients } from "../../threads/thread-priority.ts";
import { systemClock } from "../clock.ts";
import { createOutbound } from "../outbound.ts";
import type { FromThread, InPieces, Job, JobId, Outcome, ThreadOptions, ToThread } from "./messages.ts";
import { createPieceContent, type PieceContent } from "./piece-content.ts";

if (parentPort === null) throw new Error("this file is the thread of SMTP out: see outbound-thread.ts");
const port = parentPort;
const { randoms, ...options } = workerData as ThreadOptions;
goBehindClients();
const lookForSpentMemory = createThreadLook();
let drawn = 0;
const random = (): number => randoms[drawn++ % randoms.length] ?? 0;
const outbound = createOutbound({ ...options, clock: systemClock, random });

const limits = new Map<JobId, AbortController>();
const contents = new Map<JobId, PieceContent>();
const leave = new AbortController();

let dots: JobId[] = [];
let outcomes: Outcome[] = [];
let wants: JobId[] = [];
/** With everything that is known until then. */
const tellSoon = atEndOfTurn(() => tell(false));

function tell(isOver: boolean): void {
  const message: FromThread = { dots, outcomes, wants, isOver };
  dots = [];
  outcomes = [];
  wants = [];
  port.postMessage(message);
}

port.on("message", (message: ToThread) => {
  lookForSpentMemory();
  takeJobs(message);
  for (const id of message.aborts) limits.get(id)?.abort();
  // Where the dot is out nothing else follows for long, and the service has to know.
  if (message.aborts.length > 0 || message.isQuestion) tellSoon();
  for (const { id, octets, cause } of message.pieces) {
    if (octets) contents.get(id)?.push(octets);
    else if (cause === undefined) contents.get(id)?.end();
    else contents.get(id)?.fail(cause);
  }
  if (message.end === "leave") leave.abort();
  if (message.end === "close") void outbound.close(leave.signal).then(() => setImmediate(tell, true));
});

function takeJobs({ jobs, memory }: ToThread): void {
  let at = 0;
  for (const job of jobs) {
    let message: Content;
    if (job.content.kind === "whole") message = memoryContent(Buffer.from(job.content.memory));
    else if (job.content.kind === "packed") {
      const { octets } = job.content;
      // A copy: one that waits for long must not keep the memory of all others.
      message = memoryContent(Buffer.from(memory ? Buffer.from(memory, at, octets) : []));
      at += octets;
    } else message = contentInPieces(job.id, job.content);
    void run(job, message);
  }
}

function contentInPieces(id: JobId, content: InPieces): Content {
  const made = createPieceContent(content, () => {
    wants.push(id);
    tellSoon();
  });
  contents.set(id, made);
  return made;
}

async function run(job: Job, message: Content): Promise<void> {
  const { id, hop, protocol, patience, sender, recipient, eightBit, smtpUtf8, alsoTo, dsn } = job;
  const envelope: Envelope = { reversePath: sender ?? NULL_PATH, recipient, eightBit, smtpUtf8 };
  const limit = job.isLimited ? new AbortController() : undefined;
  if (limit) limits.set(id, limit);
  let outcome: Outcome["outcome"];
  try {
    outcome = await outbound.submit({
      ...{ hop, patience, envelope, message },
      ...(protocol ? { protocol } : {}),
      ...(alsoTo ? { alsoTo } : {}),
      ...(dsn ? { dsn } : {}),
      ...(limit ? { timeIsUp: limit.signal } : {}),
      onFinalDot: () => {
        dots.push(id);
      },
    });
  } catch (error) {
    outcome = {
      kind: "bug",
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  limits.delete(id);
  contents.delete(id);
  outcomes.push({ id, outcome });
  tellSoon();
}

// It runs: what it is told from here on it has.
tell(false);
