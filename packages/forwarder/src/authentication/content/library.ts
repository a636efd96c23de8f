// What DKIM, DMARC and ARC are asked, and what they answer, whoever knows how. Implemented by authenticate.ts; called by the
// files beside this one.
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../../authenticate.ts";

/** What the library says of a message's content; words of its own, and of the message's. */
export interface Verified {
  /** Topmost first. */
  readonly signatures: readonly VerifiedSignature[];
  readonly chain: VerifiedChain;
}

export interface VerifiedSignature {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly signature: string;
  readonly result: string;
  /** "" without one. */
  readonly reason: string;
  /** t=y of the key (RFC 6376 §3.6.1). */
  readonly isTesting: boolean;
  /** Octets of the body that l= leaves out. */
  readonly unsigned: number;
}

export type VerifiedChain =
  | { readonly kind: "none" }
  /** Its fields do not make a chain. */
  | { readonly kind: "broken"; readonly reason: string }
  | {
      readonly kind: "read";
      readonly result: "pass" | "fail" | "temperror";
      readonly reason: string;
      /** The oldest first. */
      readonly sets: readonly {
        /** d= of its seal. */
        readonly sealer: string;
        /** The field ARC-Authentication-Results. */
        readonly results: string;
      }[];
    };

export interface DmarcQuestion {
  /** Of the header From. */
  readonly domain: string;
  /** That SPF passed for. */
  readonly spfDomains: readonly string[];
  /** Of signatures that pass. */
  readonly dkimDomains: readonly string[];
}

/** RFC 9989, with the tree walk: what RFC 7489 has a list of public suffixes for. */
export interface DmarcAnswer {
  readonly result: string;
  readonly policy: "none" | "quarantine" | "reject";
  /** Whose record it was, "" without one. */
  readonly domain: string;
  readonly record: string;
  readonly reason: string;
}

export interface SealOrder {
  readonly key: DkimKey;
  /** Behind the instance: `authserv-id; …` */
  readonly results: string;
  readonly chain: "none" | "pass";
  readonly now: UnixSeconds;
}

/** DNS did not answer: it says nothing about the name. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * As Node's `resolve`: a name without such records rejects with the code ENOTFOUND or ENODATA. Where DNS does not answer, it
 * rejects with `NoAnswer`.
 */
export type KeyResolver = (name: string, type: string) => Promise<string[][]>;

export interface ContentLibrary {
  /** In one reading, in pieces. */
  verify(message: AsyncIterable<Uint8Array>, resolver: KeyResolver, now: UnixSeconds): Promise<Verified>;
  dmarc(question: DmarcQuestion, resolver: KeyResolver): Promise<DmarcAnswer>;
  /** The three fields, each with its CRLF. */
  seal(message: AsyncIterable<Uint8Array>, order: SealOrder): Promise<string>;
  /** Have they one organizational domain, by the list of public suffixes? */
  isAligned(domain: string, other: string): boolean;
}
