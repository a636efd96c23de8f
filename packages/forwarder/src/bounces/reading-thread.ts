// A thread that reads bounces: that is a fifth of the work for one, and whoever writes one chooses how long it takes. Started
// by bounce-reading.ts.
import { createBounceReader } from "@homing/bounce-handler";
import { serveJobs } from "../threads/serve-jobs.ts";
import { type ReadingTrade, renderReport } from "./report-text.ts";

serveJobs<ReadingTrade>(async ({ whole, pieces }) => {
  const reader = createBounceReader();
  if (whole) reader.take(whole);
  else for await (const piece of pieces) reader.take(piece);
  return renderReport(reader.end());
});
