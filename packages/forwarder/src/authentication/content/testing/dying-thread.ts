// In place of content-thread.ts: does what the domain of SPF says. Started by tests.
import { parentPort } from "node:worker_threads";
import type { FromThread, JobId, ToThread } from "../messages.ts";

const tell = (message: FromThread): void => parentPort?.postMessage(message);

let asked = 0;
let patient: JobId | undefined;

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "are-you-there") {
    tell({ kind: "here" });
    if (++asked === 5 && patient !== undefined) done(patient);
  }
  if (message.kind !== "job" || message.work.kind !== "check") return;
  const what = message.work.spf.domain;
  if (what === "dies") throw new Error("it was too much");
  if (what === "hangs") for (;;);
  if (what === "bug") tell({ kind: "failed", id: message.id, cause: "Error: a bug\n    at here" });
  if (what === "works") done(message.id);
  if (what === "works when asked five times") patient = message.id;
});

function done(id: JobId): void {
  const arc = { result: "none", seals: [], instance: 0 } as const;
  const dmarc = { result: "none", policy: "none", domain: "" } as const;
  tell({ kind: "done", id, outcome: { dkim: [], headerFrom: { kind: "none", domains: [] }, dmarc, arc } });
}
