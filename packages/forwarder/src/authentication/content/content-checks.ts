// Checks and seals content in a few threads, which begin with the first message. Made by the composition root; the forwarder
// calls `check` at the end of DATA, and `seal` for what it forwards.
import { availableParallelism } from "node:os";
import type { DnsAnswer, DnsLookup } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../../authenticate.ts";
import { inputOf } from "../../threads/job-thread.ts";
import { ThreadPool } from "../../threads/thread-pool.ts";
import type { CheckContent, ContentResults, SealContent } from "../results.ts";
import { arcPayload } from "./arc-payload.ts";
import { UNREADABLE } from "./check-content.ts";
import { headerOf } from "./header.ts";
import type { ContentTrade, SealedSet, ThreadOptions } from "./messages.ts";

export interface ContentCheckOptions {
  /** One cache for everything. */
  readonly dns: { readonly txt: DnsLookup<string> };
  readonly now: () => UnixSeconds;
  /** Our name in ARC-Authentication-Results (RFC 8601 §2.5). */
  readonly authservId: string;
  /** RSA or Ed25519. Without it, nothing is sealed. */
  readonly sealKey?: DkimKey | undefined;
  /** Each costs some 40 MB of memory. Default: one for each core, four at most. */
  readonly threads?: number;
  /** Messages that wait for a thread; one more is refused. */
  readonly maxWaiting?: number;
  /** Of a thread with work to do, before it is ended and another takes its place. */
  readonly silenceMs?: number;
  /** For tests: another thread. */
  readonly code?: URL;
}

export interface ContentChecks {
  /** Rejects with `WorkRefused` where the machine does not do it. */
  readonly check: CheckContent;
  readonly seal?: SealContent;
  /** What is under way rejects. */
  close(): Promise<void>;
}

const MAX_THREADS = 4;
const MAX_WAITING = 200;
const CODE = new URL("./content-thread.ts", import.meta.url);
/** RFC 8617 §4.2.1. */
const MAX_SETS = 50;

export function createContentChecks(options: ContentCheckOptions): ContentChecks {
  const { now, authservId, sealKey } = options;
  const pool = startPool(options);
  const seal: SealContent = async (content, { arc, results }) => {
    if (headerOf(content).kind === "too-long") return { kind: "not-sealed", cause: "too-long" };
    if (arc.result === "temperror") return { kind: "not-sealed", cause: "unchecked-chain" };
    if (arc.result === "fail") return { kind: "not-sealed", cause: "failed-chain" };
    if (arc.instance >= MAX_SETS) return { kind: "not-sealed", cause: "full-chain" };
    const payload = arcPayload(authservId, results);
    const work = { kind: "seal", results: payload, chain: arc.result, now: now() } as const;
    const sealed = (await pool.run({ work, input: () => inputOf(content) })) as SealedSet;
    return sealed.kind === "sealed" ? sealed : { kind: "not-sealed", cause: sealed.kind };
  };
  return {
    async check(content, spf) {
      const header = headerOf(content);
      if (header.kind === "too-long") return UNREADABLE;
      const work = { kind: "check", spf, header: new Uint8Array(header.octets), now: now() } as const;
      const input = () => (header.wantsBody ? inputOf(content) : { whole: header.octets });
      return (await pool.run({ work, input })) as ContentResults;
    },
    ...(sealKey ? { seal } : {}),
    close: () => pool.close(),
  };
}

function startPool({ dns, sealKey, threads, maxWaiting, silenceMs, code }: ContentCheckOptions) {
  const data: ThreadOptions = { sealKey };
  const answer = async (name: string): Promise<DnsAnswer<string>> => {
    try {
      return await dns.txt(name);
    } catch (error) {
      return { kind: "failed", cause: String(error) };
    }
  };
  return new ThreadPool<ContentTrade>({
    ...{ name: "content", code: code ?? CODE, data, silenceMs, answer },
    threads: threads ?? Math.min(MAX_THREADS, availableParallelism()),
    maxWaiting: maxWaiting ?? MAX_WAITING,
  });
}
