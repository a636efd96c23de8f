// All that is found about one message's content, in one reading of it. Called by content-thread.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { ArcResult, ContentResults, SpfForDmarc } from "../results.ts";
import { boundedLines } from "./bounded-lines.ts";
import { dkimResult } from "./dkim-results.ts";
import { dmarcResult } from "./dmarc-result.ts";
import { authorOf } from "./header-from.ts";
import { domainText, reasonText } from "./hostile-text.ts";
import {
  type ContentLibrary,
  type KeyResolver,
  NoAnswer,
  type Verified,
  type VerifiedChain,
} from "./library.ts";

/** Of what another server found: real ones have some hundred characters. */
const MAX_RESULTS = 2_000;

export interface ToCheck {
  /** Of the message; of one that nobody signed, its header is enough. */
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly header: Uint8Array;
  readonly spf: SpfForDmarc;
  readonly now: UnixSeconds;
}

export async function checkContent(
  library: ContentLibrary,
  { pieces, header, spf, now }: ToCheck,
  resolver: KeyResolver,
): Promise<ContentResults> {
  const headerFrom = authorOf(Buffer.from(header.buffer, header.byteOffset, header.byteLength));
  const source = watched(pieces);
  const bounded = boundedLines(source.pieces);
  const verified = await library.verify(bounded.pieces, resolver, now).catch((error: unknown) => {
    // Neither a broken disk nor DNS: the library fell over what somebody wrote.
    if (source.hasFailed() || error instanceof NoAnswer) throw error;
    return FELL_OVER;
  });
  const isAligned = (domain: string): boolean =>
    headerFrom.kind === "domain" && library.isAligned(headerFrom.domain, domain);
  const found = verified.signatures.map((signature) => dkimResult(signature, isAligned));
  // Of what was read no signature can tell: the rest is missing.
  const dkim = bounded.isTooLong() ? found.map((result) => ({ ...result, ...TOO_LONG })) : found;
  const arc = arcResult(verified.chain);
  return {
    dkim,
    headerFrom,
    dmarc: await dmarcResult(library, { author: headerFrom, spf, dkim }, resolver),
    arc: bounded.isTooLong() && arc.result !== "none" ? { ...arc, ...TOO_LONG_CHAIN } : arc,
  };
}

/** The next try would be as this one: it is the message's fault, and is answered as such. */
const FELL_OVER: Verified = {
  signatures: [
    {
      ...{ domain: "", selector: "", algorithm: "", signature: "", isTesting: false, unsigned: 0 },
      result: "permerror",
      reason: "a signature cannot be read",
    },
  ],
  chain: { kind: "broken", reason: "a signature cannot be read" },
};

function watched(pieces: AsyncIterable<Uint8Array>) {
  let failed = false;
  async function* passedOn(): AsyncIterable<Uint8Array> {
    try {
      yield* pieces;
    } catch (error) {
      failed = true;
      throw error;
    }
  }
  return { pieces: passedOn(), hasFailed: () => failed };
}

const WHY_TOO_LONG = "a line of the body is too long";
const TOO_LONG = { result: "policy", reason: WHY_TOO_LONG } as const;
const TOO_LONG_CHAIN = { result: "fail", reason: WHY_TOO_LONG } as const;

/** What nobody looks at: a header that is too long. */
export const UNREADABLE: ContentResults = {
  dkim: [],
  headerFrom: { kind: "too-long" },
  dmarc: { result: "permerror", policy: "none", domain: "", reason: "the header is too long" },
  arc: { result: "fail", seals: [], instance: 0, reason: "the header is too long" },
};

function arcResult(chain: VerifiedChain): ArcResult {
  if (chain.kind === "none") return { result: "none", seals: [], instance: 0 };
  if (chain.kind === "broken")
    return { result: "fail", seals: [], instance: 0, reason: reasonText(chain.reason) };
  const { result, reason } = chain;
  const seals = chain.sets.map(({ sealer, results }) => ({
    domain: domainText(sealer),
    found: result === "pass" ? payloadOf(results) : "",
  }));
  return {
    result,
    seals: seals.some(({ domain }) => domain === "") ? [] : seals,
    instance: seals.length,
    ...(reason === "" ? {} : { reason: reasonText(reason) }),
  };
}

/** `ARC-Authentication-Results: i=1; a.example; spf=pass …` is `a.example; spf=pass …` (RFC 8617 §4.1.1). */
function payloadOf(field: string): string {
  const unfolded = field.replaceAll("\r\n", "").slice(0, MAX_RESULTS);
  return reasonText(unfolded.slice(unfolded.indexOf(";") + 1).trim(), MAX_RESULTS);
}
