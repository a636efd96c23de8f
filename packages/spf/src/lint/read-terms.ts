// A record read term by term, so that all its faults are told in one run and what is right can still be followed. Called by
// read-record.ts.
import { isSpfRecord, parseRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";
import type { SpfRecord } from "../record.ts";
import { fixWords } from "./fix-term.ts";

export interface Fault {
  readonly term: string;
  /** From 1. */
  readonly column: number;
  readonly problem: string;
  readonly fix: string;
}

export interface ReadTerms {
  /** Of the terms that are right. */
  readonly record: SpfRecord;
  readonly faults: readonly Fault[];
}

const VERSION = "v=spf1";
/** A record that is longer than this is an attack on whoever reads it: the rest is not looked at. */
export const MAX_TERMS = 1_000;

/** @param text that isSpfRecord took */
export function readTerms(text: string): ReadTerms {
  const faults: Fault[] = [];
  const good: string[] = [];
  const once = new Set<string>();
  for (const { term, column } of termsOf(text)) {
    const fault = faultOf(term, once);
    if (fault === undefined) good.push(term);
    else faults.push({ term: printable(term), column, ...fault });
  }
  const parsed = parseRecord([VERSION, ...good].join(" "));
  if (parsed.kind === "wrong")
    throw new Error(`terms that are right alone are wrong together: ${parsed.problem}`);
  return { record: { ...parsed.record, text }, faults };
}

/** Where a term stands in the record, from 1. Asked again for the same term, it gives the next place. */
export function columnFinder(text: string): (term: string) => number | undefined {
  const columns = new Map<string, number[]>();
  for (const { term, column } of termsOf(text).reverse()) {
    columns.set(term, [...(columns.get(term) ?? []), column]);
  }
  return (term) => columns.get(term)?.pop();
}

function termsOf(text: string): { readonly term: string; readonly column: number }[] {
  const terms: { term: string; column: number }[] = [];
  let at = isSpfRecord(text) ? VERSION.length : 0;
  while (at < text.length && terms.length < MAX_TERMS) {
    const space = text.indexOf(" ", at);
    const end = space < 0 ? text.length : space;
    if (end > at) terms.push({ term: text.slice(at, end), column: at + 1 });
    at = end + 1;
  }
  return terms;
}

function faultOf(term: string, once: Set<string>): Pick<Fault, "problem" | "fix"> | undefined {
  const odd = /[^\x20-\x7e]/.exec(term);
  if (odd !== null) {
    const problem = `its character ${odd.index + 1} is not printable ASCII`;
    return { problem, fix: "write it with ASCII characters, a domain in A-labels (xn--)" };
  }
  const parsed = parseRecord(`${VERSION} ${term}`);
  if (parsed.kind === "wrong") return { problem: problemAlone(parsed.problem), fix: fixWords(term) };
  for (const [name, modifier] of [
    ["redirect", parsed.record.redirect],
    ["exp", parsed.record.exp],
  ] as const) {
    if (modifier === undefined) continue;
    if (once.has(name)) return { problem: `this is the second ${name}=`, fix: "keep one" };
    once.add(name);
  }
  return undefined;
}

/** Without the term in front, which is told apart. */
function problemAlone(problem: string): string {
  const behind = problem.indexOf('": ');
  return problem.startsWith('"') && behind > 0 ? problem.slice(behind + 3) : problem;
}
