// What becomes of mail by what was found about its sender, as settings of one recipient domain. Made by the composition root;
// read by the files beside this one.
import type { DmarcResult } from "./results.ts";

export type Action =
  | "accept"
  /** Taken while the client waits, and marked for the filters behind us. */
  | "tag"
  /** 451. */
  | "defer"
  /** 550. */
  | "refuse";

/** An SPF pass has no action: it is what the others are measured by. */
export type SpfFault = "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror";

export interface AuthenticationPolicy {
  /** `tagOnly`: what would be refused or deferred is tagged. `off`: nothing is looked at. */
  readonly mode: "enforce" | "tagOnly" | "off";
  readonly spf: Readonly<Record<SpfFault, Action>>;
  /** Of a DMARC fail, by what the domain in the header From asks for. */
  readonly dmarc: Readonly<Record<Exclude<DmarcResult["policy"], "none">, Action>> & {
    /** The message has no author whose domain could be asked: no From, several, or one that cannot be read. */
    readonly unclear: Action;
  };
  /** A header From at a domain of ours, from outside, without an aligned pass. */
  readonly ownDomains: Action;
  /** Zones that list clients (RFC 5782 §2.1), asked in this order. */
  readonly dnsbl: readonly string[];
  /** Zones that list domains of envelope senders (RFC 5782 §2.3), asked in this order, after an SPF pass, too. */
  readonly rhsbl: readonly string[];
}

export const AUTHENTICATION_POLICY: AuthenticationPolicy = {
  mode: "enforce",
  spf: {
    fail: "refuse",
    softfail: "accept",
    neutral: "accept",
    none: "accept",
    temperror: "defer",
    permerror: "tag",
  },
  dmarc: { quarantine: "tag", reject: "refuse", unclear: "refuse" },
  ownDomains: "tag",
  dnsbl: [],
  rhsbl: [],
};
