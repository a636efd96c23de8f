// A thread that checks and seals content: RSA is synchronous, and would hold up everybody else's mail. Started by
// content-checks.ts.
import { workerData } from "node:worker_threads";
import { loadContentLibrary } from "../../authenticate.ts";
import { serveJobs } from "../../threads/serve-jobs.ts";
import { checkContent } from "./check-content.ts";
import type { ContentTrade, ThreadOptions } from "./messages.ts";
import { sealContent } from "./seal-content.ts";
import { keyResolver } from "./thread-dns.ts";

const { sealKey } = workerData as ThreadOptions;
const library = loadContentLibrary();

serveJobs<ContentTrade>(async ({ work, pieces }, ask) => {
  const { now } = work;
  if (work.kind === "check") {
    const { spf, header } = work;
    return await checkContent(await library, { pieces, header, spf, now }, keyResolver(ask));
  }
  if (!sealKey) throw new Error("there is no key to seal with");
  const { results, chain } = work;
  return await sealContent(await library, pieces, { key: sealKey, results, chain, now });
});
