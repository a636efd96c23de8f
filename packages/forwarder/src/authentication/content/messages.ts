// What threads that check and seal content are told, and what they answer. Read by content-checks.ts and content-thread.ts.
import type { DnsAnswer } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../../authenticate.ts";
import type { ContentResults, SpfForDmarc } from "../results.ts";

export interface ContentTrade {
  readonly work: Work;
  readonly outcome: Outcomes[keyof Outcomes];
  /** A name, whose TXT records are wanted. */
  readonly question: string;
  readonly answer: DnsAnswer<string>;
}

export type Work = { readonly now: UnixSeconds } & (
  | { readonly kind: "check"; readonly spf: SpfForDmarc; readonly header: Uint8Array }
  /** @param results of ARC-Authentication-Results, behind the instance */
  | { readonly kind: "seal"; readonly results: string; readonly chain: "none" | "pass" }
);

export interface Outcomes {
  readonly check: ContentResults;
  readonly seal: SealedSet;
}

export type SealedSet = { readonly kind: "sealed"; readonly fields: string } | { readonly kind: "too-long" };

export interface ThreadOptions {
  readonly sealKey?: DkimKey | undefined;
}
