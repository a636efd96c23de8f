// In place of reading-thread.ts: reads bounces, and ends or hangs over those that say so. Started by tests.
import { readBounce } from "@homing/bounce-handler";
import { serveJobs } from "../../threads/serve-jobs.ts";
import { type ReadingTrade, renderReport } from "../report-text.ts";

serveJobs<ReadingTrade>(async ({ pieces }) => {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  const octets = Buffer.concat(all);
  if (octets.includes("X-Deadly: 1")) process.exit(1);
  if (octets.includes("X-Endless: 1")) for (;;);
  return renderReport(readBounce(octets));
});
