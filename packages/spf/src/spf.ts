// The contract of the package: what is asked about a sender, and what is answered. RFC 7208. Called by the forwarder, the
// MTA adapters and `homing spf`.
import type { SpfResolver } from "./resolver.ts";

/** RFC 7208 §2.6. */
export type SpfResult = "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror";

export interface SpfQuestion {
  /** IP address of the client: IPv4, IPv6, or IPv4 in IPv6 clothes (`::ffff:192.0.2.1`), which is IPv4. */
  readonly client: string;
  /** What the client called itself: hostile text. */
  readonly helo: string;
  /** The reverse-path without its brackets; "" is the null sender, checked as postmaster@HELO (§2.4). Hostile text. */
  readonly sender: string;
  /** `helo` checks postmaster@HELO whatever the sender is (§2.3). Default: mailfrom. */
  readonly identity?: SpfIdentity;
}

export type SpfIdentity = "mailfrom" | "helo";

export interface SpfLimits {
  /** Terms that cause DNS queries (§4.6.4): 10. */
  readonly lookups: number;
  /** Look-ups that find nothing (§4.6.4): 2. */
  readonly voidLookups: number;
  /** MX hosts of one `mx` term, beyond which the record is wrong (§4.6.4): 10. */
  readonly mxHosts: number;
  /** PTR names of one `ptr` term or `%{p}`; those beyond are ignored (§4.6.4): 10. */
  readonly ptrNames: number;
}

export interface SpfOptions {
  readonly resolver: SpfResolver;
  /** Unix seconds, for `%{t}`. */
  readonly now: () => number;
  /** Our name, for `%{r}`. Default: `unknown` (§7.3). */
  readonly receiver?: string;
  readonly limits?: Partial<SpfLimits>;
  /** Time is up when it aborts: temperror (§4.6.4 asks for 20 s at least). */
  readonly signal?: AbortSignal;
}

export interface SpfAnswer {
  readonly result: SpfResult;
  readonly identity: SpfIdentity;
  /** The domain whose record was asked for, in A-labels and lower case; "" where there is none that DNS could know. */
  readonly domain: string;
  /** The address that was checked: `postmaster@helo` for the null sender and the HELO identity. */
  readonly sender: string;
  /** The term that decided, as the record of `domain` has it: `-all`, `include:spf.example`; `default` where none did. */
  readonly mechanism?: string;
  /** From that term down through includes and redirects to the innermost one that decided. */
  readonly path: readonly SpfStep[];
  /** The domain's own words for a `fail` (§6.2), expanded: printable ASCII, 250 characters at most. Hostile text. */
  readonly explanation?: string;
  /** Why temperror, permerror or none: for the log and Received-SPF. Printable ASCII; may quote the record. */
  readonly problem?: string;
  /** The record of `domain`, as DNS had it. */
  readonly record?: string;
  /** The record names no sender at all: `v=spf1 -all` and nothing else (modifiers apart). */
  readonly namesNobody: boolean;
  /** A pass that everybody gets: `+all`, or a network of length 0, at any depth. */
  readonly passesEverybody: boolean;
  readonly lookups: number;
  readonly voidLookups: number;
  /** What was looked at, in order: as `homing spf check --trace` prints it. */
  readonly trace: readonly SpfTraceStep[];
}

export interface SpfStep {
  readonly domain: string;
  readonly mechanism: string;
}

export interface SpfTraceStep {
  /** Of includes and redirects; 0 is the record of the sender's domain. */
  readonly depth: number;
  readonly domain: string;
  /** A term as it is written, or `record` for the look-up of the record itself. */
  readonly term: string;
  /** `match`, `no match`, a result of an include, or why it failed; printable ASCII. */
  readonly outcome: string;
}
