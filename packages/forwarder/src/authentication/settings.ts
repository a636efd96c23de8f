// What becomes of mail by what was found about its sender, as settings of one recipient domain. Made by the composition root;
// read by the files beside this one.
import { SPF_ACTIONS, type SpfAction, type SpfRules } from "@homing/spf/actions";
import type { DmarcResult } from "./results.ts";

/** Those of SPF are those of all. */
export type Action = SpfAction;

export interface AuthenticationPolicy extends SpfRules {
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
  spf: SPF_ACTIONS,
  dmarc: { quarantine: "tag", reject: "refuse", unclear: "refuse" },
  ownDomains: "tag",
  dnsbl: [],
  rhsbl: [],
};
