// What the service and a thread that checks content say to each other. Read by content-thread.ts and thread.ts.
import type { DnsAnswer } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../../authenticate.ts";
import type { ContentResults, SpfForDmarc } from "../results.ts";

/** Chosen by the service. */
export type JobId = number;

export type Work =
  | { readonly kind: "check"; readonly spf: SpfForDmarc; readonly header: Uint8Array }
  /** @param results of ARC-Authentication-Results, behind the instance */
  | { readonly kind: "seal"; readonly results: string; readonly chain: "none" | "pass" };

export interface Outcomes {
  readonly check: ContentResults;
  readonly seal: SealedSet;
}

export type SealedSet = { readonly kind: "sealed"; readonly fields: string } | { readonly kind: "too-long" };

export type ToThread =
  | {
      readonly kind: "job";
      readonly id: JobId;
      readonly work: Work;
      readonly now: UnixSeconds;
      /** Without it, the octets come in pieces: no more than `PIECES_AHEAD` before one is taken. */
      readonly whole?: Uint8Array;
    }
  | { readonly kind: "piece"; readonly id: JobId; readonly octets: Uint8Array }
  /** `isBroken`: the rest cannot be had, and nobody waits any more. */
  | { readonly kind: "end"; readonly id: JobId; readonly isBroken: boolean }
  | { readonly kind: "dns"; readonly id: number; readonly answer: DnsAnswer<string> }
  | { readonly kind: "are-you-there" };

export type FromThread =
  | { readonly kind: "done"; readonly id: JobId; readonly outcome: Outcomes[keyof Outcomes] }
  | { readonly kind: "failed"; readonly id: JobId; readonly cause: string }
  /** A piece is taken. */
  | { readonly kind: "taken"; readonly id: JobId }
  /** TXT records of a name. */
  | { readonly kind: "dns"; readonly id: number; readonly name: string }
  | { readonly kind: "here" };

/** Pieces on their way to a job, from a content that is not in memory. */
export const PIECES_AHEAD = 4;
export const PIECE_OCTETS = 64 * 1024;

export interface ThreadOptions {
  readonly sealKey?: DkimKey | undefined;
}
