// Authentication of senders: what it needs, and which transactions it looks at. A forwarder that rewrites gives everything
// that it forwards an SPF pass: so it checks first. Made by forwarder.ts, called by receive.ts. ADR 0026.

import type { SpfResolver } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { Report } from "../events.ts";
import type { MailCommand } from "../smtp-session.ts";
import type { TrustedForwarders } from "../trust/trusted-forwarders.ts";
import type { WhyLinks } from "../why-link.ts";
import type { CheckContent, SealContent } from "./results.ts";
import { createSenderCheck, type SenderCheck } from "./sender-check.ts";
import type { AuthenticationPolicy } from "./settings.ts";

export interface AuthenticationOptions {
  /** Our name in Received-SPF and to `%{r}`. */
  readonly hostname: string;
  /** Our name in Authentication-Results (RFC 8601 §2.5). */
  readonly authservId: string;
  /** Of the recipients at a domain of ours: the same value for all that have the same rules. */
  readonly policyFor: (domain: string) => AuthenticationPolicy;
  readonly isOurDomain: (domain: string) => boolean;
  readonly isSrsDomain: (domain: string) => boolean;
  /** The main name of a domain of ours. */
  readonly mainDomain: (domain: string) => string;
  /** Never checked. */
  readonly isTrusted: (address: string) => boolean;
  /** Secondary MXs and others whose Received fields are believed: who came to them is checked. */
  readonly isRelay: (address: string) => boolean;
  readonly resolver: SpfResolver;
  readonly check: CheckContent;
  /** Without a key, nothing is sealed. */
  readonly seal?: SealContent | undefined;
  /** Forwarders that do not rewrite, and are let through: what trusted-forwarder.org was. A reload replaces them. */
  readonly trust: () => Pick<TrustedForwarders, "hasSealers" | "lookUp" | "areAlike" | "known" | "saw">;
  readonly lists: SenderLists;
  /** Of the page that says why. */
  readonly whyLinks?: Pick<WhyLinks, "mint"> | undefined;
  readonly now: () => UnixSeconds;
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly report: Report;
}

/** DNS lists (RFC 5782). Undefined: not listed, or nobody can say. */
export interface SenderLists {
  client(zone: string, address: string): Promise<Listed | undefined>;
  domain(zone: string, domain: string): Promise<Listed | undefined>;
}

export interface Listed {
  /** The list's own words; hostile text, "" without any. */
  readonly reason: string;
}

export interface Authentication {
  /** Undefined for clients that are never checked: our own networks. */
  open(command: MailCommand): SenderCheck | undefined;
  /** Mail of strangers comes from there, whatever network it is in. */
  readonly isRelay: (address: string) => boolean;
  readonly seal?: SealContent | undefined;
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  return {
    open(command) {
      const { address } = command.client;
      const isOurs = options.isTrusted(address) && !options.isRelay(address);
      return isOurs ? undefined : createSenderCheck(options, command);
    },
    isRelay: options.isRelay,
    seal: options.seal,
  };
}
