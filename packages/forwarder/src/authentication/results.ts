// What was found about who sent a message, as values: SPF is the package's own; DKIM (RFC 6376), DMARC (RFC 7489) and ARC
// (RFC 8617) come from the checking of its content. Read by the policy, the header fields and the log.
import type { Content } from "@homing/mail";
import type { SpfAnswer } from "@homing/spf";

export interface AuthenticationResults {
  readonly spf: SpfAnswer;
  readonly content: ContentResults;
}

export interface ContentResults {
  /** One for each DKIM-Signature that was looked at, topmost first. None: the message is not signed. */
  readonly dkim: readonly DkimResult[];
  readonly headerFrom: HeaderFrom;
  readonly dmarc: DmarcResult;
  readonly arc: ArcResult;
}

/** RFC 8601 §2.7.1. `policy`: good, and not enough for us, as a key of 512 bits. */
export interface DkimResult {
  readonly result: "pass" | "fail" | "neutral" | "policy" | "temperror" | "permerror";
  /** d=, in lower case; "" where it cannot be read. Hostile text, as all that follows. */
  readonly domain: string;
  /** s= */
  readonly selector: string;
  /** a= */
  readonly algorithm: string;
  /** The first octets of b= (RFC 6008), for telling signatures apart. */
  readonly signature: string;
  /** d= and the domain of the header From have one organizational domain (RFC 7489 §3.1.1, relaxed). */
  readonly isAligned: boolean;
  /** For people. */
  readonly reason?: string;
}

/** DMARC knows only messages with one From field with addresses at one domain (RFC 7489 §6.6.1). */
export type HeaderFrom =
  | { readonly kind: "domain"; readonly domain: string }
  /** No From field; several, or addresses at several domains; one that cannot be read. */
  | {
      readonly kind: "none" | "several" | "unreadable";
      /** Those that could be read, each once. */
      readonly domains: readonly string[];
    }
  /** A header that nobody takes apart. */
  | { readonly kind: "too-long" };

export interface DmarcResult {
  readonly result: "pass" | "fail" | "none" | "temperror" | "permerror";
  /** What the domain asks receivers to do with a fail, `sp` and `pct` taken into account. `none` without a record. */
  readonly policy: "none" | "quarantine" | "reject";
  /** Whose record it was, `""` without one. */
  readonly domain: string;
  readonly reason?: string;
}

export interface ArcResult {
  readonly result: "none" | "pass" | "fail" | "temperror";
  /** i=1 first; empty unless all could be read. */
  readonly seals: readonly ArcSeal[];
  /** i= of the newest set; 0 without one. */
  readonly instance: number;
  readonly reason?: string;
}

export interface ArcSeal {
  /** d= */
  readonly domain: string;
  /** What this sealer had found: his ARC-Authentication-Results; "" unless the chain passes. */
  readonly found: string;
}

/**
 * Checks one message's content, which the caller holds until it is over. Never rejects for what a message says; rejects
 * where the machine does not do it, and then the message is put off.
 * @param spf what DMARC needs to know of it
 */
export type CheckContent = (content: Content, spf: SpfForDmarc) => Promise<ContentResults>;

/**
 * Makes an ARC set (RFC 8617 §5.1) for a message. Rejects where it cannot be made.
 * @param results as in Authentication-Results, behind its authserv-id: `spf=pass smtp.mailfrom=…; dkim=…`
 */
export type SealContent = (content: Content, seal: ToSeal) => Promise<Sealing>;

export type Sealing =
  /** The three fields, to be put on top, each with its CRLF: ARC-Seal first. */
  | { readonly kind: "sealed"; readonly fields: string }
  /**
   * The chain has failed, and nobody makes it good again (§5.1.2); it has its 50 sets; it could not be checked; or the
   * header or a line is too long to be worked on.
   */
  | {
      readonly kind: "not-sealed";
      readonly cause: "failed-chain" | "full-chain" | "unchecked-chain" | "too-long";
    };

export interface ToSeal {
  readonly arc: ArcResult;
  readonly results: string;
}

export interface SpfForDmarc {
  readonly result: SpfAnswer["result"];
  /** Of the MAIL FROM identity; of HELO where the sender is null. */
  readonly domain: string;
}
