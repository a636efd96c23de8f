// In place of smtp-thread.ts: does what the recipient's local part says. Started by tests.
import { parentPort } from "node:worker_threads";
import type { FromThread, Job, Outcome, ToThread } from "../messages.ts";

/** What has come until now; the reply to "count". */
export interface Counts {
  messages: number;
  packed: number;
  whole: number;
  pieces: number;
}

const counts: Counts = { messages: 0, packed: 0, whole: 0, pieces: 0 };

// As the real one does when it has come through its start.
parentPort?.postMessage({ dots: [], outcomes: [], wants: [], isOver: false } satisfies FromThread);
parentPort?.on("message", (message: ToThread) => {
  counts.messages++;
  for (const { content } of message.jobs) counts[content.kind]++;
  const outcomes = message.jobs.flatMap(outcomeOf);
  const isOver = message.end === "close";
  const answer: FromThread = { dots: [], outcomes, wants: [], isOver };
  if (outcomes.length > 0 || isOver || message.isQuestion) parentPort?.postMessage(answer);
});

function outcomeOf({ id, recipient }: Job): Outcome[] {
  switch (recipient.localPart) {
    case "dies":
      throw new Error("it was too much");
    case "hangs":
      for (;;);
    case "bug":
      return [{ id, outcome: { kind: "bug", cause: "Error: a bug\n    at here" } }];
    case "waits":
      return [{ id, outcome: { kind: "busy", cause: "no connection was free", hasWaited: true } }];
    case "count": {
      const reply = { code: 250, enhanced: "2.0.0", text: JSON.stringify(counts) };
      return [{ id, outcome: { kind: "accepted", reply, tls: "none" } }];
    }
    default:
      return [];
  }
}
