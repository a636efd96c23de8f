// The look-ups that a record causes, as a tree with the cost of each. Made by walk-record.ts, read by the rules of the linter
// and printed by `homing spf lint`.
import type { Mechanism, SpfRecord } from "../record.ts";
import type { Fault } from "./read-terms.ts";

/** What is behind one domain. */
export interface RecordNode {
  readonly domain: string;
  /** Of includes and redirects; 0 is the domain that is linted. */
  readonly depth: number;
  /** An include asks only whether it passes; `own` are the linted record and what it redirects to. */
  readonly role: "own" | "included";
  readonly outcome: RecordOutcome;
}

export type RecordOutcome =
  | {
      readonly kind: "record";
      readonly text: string;
      readonly record: SpfRecord;
      readonly faults: readonly Fault[];
      readonly terms: readonly TermNode[];
    }
  | { readonly kind: "no-such-name" }
  /** `almost`: TXT records that look as if they were meant for SPF. */
  | { readonly kind: "none"; readonly almost: readonly string[] }
  | { readonly kind: "several"; readonly texts: readonly string[] }
  | { readonly kind: "failed"; readonly cause: string }
  | { readonly kind: "loop" }
  /** Too many records, or no DNS was given. */
  | { readonly kind: "not-followed"; readonly why: string };

export interface TermNode {
  readonly term: string;
  readonly column: number | undefined;
  /** Undefined for `redirect`. */
  readonly mechanism?: Mechanism;
  /** Terms that cause look-ups (RFC 7208 §4.6.4): its own and those below it. */
  readonly lookups: number;
  /** Look-ups that find nothing, its own and those below it. An `a` may find nothing for one family alone. */
  readonly voids: Voids;
  readonly found: TermFound;
}

export interface Voids {
  /** For clients with an IPv4 address. */
  readonly ip4: number;
  readonly ip6: number;
}

export const NO_VOIDS: Voids = { ip4: 0, ip6: 0 };

export type TermFound =
  | { readonly kind: "nothing-to-ask" }
  | { readonly kind: "record"; readonly node: RecordNode }
  | { readonly kind: "hosts"; readonly hosts: readonly Host[] }
  | { readonly kind: "varies"; readonly macro: string }
  | { readonly kind: "failed"; readonly cause: string }
  /** No domain or no DNS was given, or too much was asked. */
  | { readonly kind: "not-asked"; readonly why: string }
  /** Behind `all`, or a redirect beside it: nobody looks at it (§5.1, §6.1). */
  | { readonly kind: "never-reached" };

export interface Host {
  readonly name: string;
  readonly addresses: readonly string[];
  /** DNS did not answer for one family. */
  readonly failed?: string;
}

export function addVoids(a: Voids, b: Voids): Voids {
  return { ip4: a.ip4 + b.ip4, ip6: a.ip6 + b.ip6 };
}

export function totals(node: RecordNode): { readonly lookups: number; readonly voids: Voids } {
  const terms = node.outcome.kind === "record" ? node.outcome.terms : [];
  return {
    lookups: terms.reduce((sum, { lookups }) => sum + lookups, 0),
    voids: terms.reduce((sum, { voids }) => addVoids(sum, voids), NO_VOIDS),
  };
}

export interface AtLeast {
  readonly lookups: boolean;
  readonly voidLookups: boolean;
}

/** Which of the totals may be higher, because DNS was not asked, did not answer, or has an answer for each message. */
export function atLeast(root: RecordNode): AtLeast {
  const nodes = [...everyRecord(root)];
  const terms = nodes.flatMap(({ outcome }) => (outcome.kind === "record" ? outcome.terms : []));
  const lookups =
    nodes.some(({ outcome }) => outcome.kind === "failed" || outcome.kind === "not-followed") ||
    terms.some((term) => isUnknown(term) && leadsToRecord(term));
  return { lookups, voidLookups: lookups || terms.some(isUnknown) };
}

function isUnknown({ found }: TermNode): boolean {
  if (found.kind === "hosts") return found.hosts.some(({ failed }) => failed !== undefined);
  return found.kind === "varies" || found.kind === "failed" || found.kind === "not-asked";
}

/** Undefined is a redirect. */
function leadsToRecord({ mechanism }: TermNode): boolean {
  return mechanism === undefined || mechanism.name === "include";
}

/** This node and all below it, in the order in which they are asked. */
export function* everyRecord(root: RecordNode): Generator<RecordNode> {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    if (node.outcome.kind !== "record") continue;
    const below = node.outcome.terms.flatMap(({ found }) => (found.kind === "record" ? [found.node] : []));
    waiting.push(...below.reverse());
  }
}
