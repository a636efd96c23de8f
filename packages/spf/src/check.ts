// One check while it runs: who is asked about, what DNS was asked so far, and what it may still be asked (RFC 7208
// §4.6.4). Made by check-host.ts, used by all parts of the evaluator.
import type { Identity } from "./identity.ts";
import type { DnsAnswer, DnsLookup, SpfResolver } from "./resolver.ts";
import type { SpfLimits, SpfOptions, SpfStep, SpfTraceStep } from "./spf.ts";

export interface Check {
  /** 4 or 16 octets. */
  readonly client: Uint8Array;
  readonly identity: Identity;
  /** What macros see of the HELO name and of the local part. */
  readonly helo: string;
  readonly local: string;
  readonly options: SpfOptions;
  readonly limits: SpfLimits;
  readonly trace: TraceStep[];
  lookups: number;
  voidLookups: number;
  timeIsUp: boolean;
  /** The client's names, asked for once: `undefined` until then. */
  ptr: DnsAnswer<string> | undefined;
  /** Have these names the client's address (§5.5)? */
  readonly validated: Map<string, boolean>;
}

export type TraceStep = { -readonly [Key in keyof SpfTraceStep]: SpfTraceStep[Key] };

/** Why there is no result but an error. */
export interface Trouble {
  readonly kind: "trouble";
  readonly result: "temperror" | "permerror";
  readonly problem: string;
  readonly path: readonly SpfStep[];
}

/** Longer than what any sound record leaves; records of 64 KB have ten thousand terms. */
const MAX_TRACE = 1000;

interface RecordOf {
  readonly txt: string;
  readonly a: string;
  readonly aaaa: string;
  readonly mx: { readonly exchange: string; readonly priority: number };
  readonly ptr: string;
}

/** An answer at once where the resolver has one: a turn of the event loop costs more than all the rest. */
export function ask<Kind extends keyof SpfResolver>(
  check: Check,
  kind: Kind,
  name: string,
): DnsAnswer<RecordOf[Kind]> | Promise<DnsAnswer<RecordOf[Kind]>> {
  const { resolver, signal } = check.options;
  if (signal?.aborted === true) return stop(check);
  const answer = (resolver[kind] as DnsLookup<RecordOf[Kind]>)(name);
  if (signal === undefined || "kind" in answer) return answer;
  return untilAborted(answer, signal, () => stop(check));
}

/** A term that asks DNS (§4.6.4). */
export function countTerm(check: Check): Trouble | undefined {
  check.lookups += 1;
  if (check.lookups <= check.limits.lookups) return undefined;
  return permerror(`more than ${check.limits.lookups} terms that need DNS`);
}

/** A look-up that found nothing (§4.6.4). */
export function countVoid(check: Check, answer: DnsAnswer<unknown>): Trouble | undefined {
  if (answer.kind === "failed" || (answer.kind === "records" && answer.records.length > 0)) return undefined;
  check.voidLookups += 1;
  if (check.voidLookups <= check.limits.voidLookups) return undefined;
  return permerror(`more than ${check.limits.voidLookups} look-ups found nothing`);
}

export function traceStep(check: Check, depth: number, domain: string, term: string): TraceStep {
  const step = { depth, domain, term, outcome: "" };
  if (check.trace.length < MAX_TRACE) check.trace.push(step);
  return step;
}

export function permerror(problem: string): Trouble {
  return { kind: "trouble", result: "permerror", problem, path: [] };
}

export function temperror(problem: string): Trouble {
  return { kind: "trouble", result: "temperror", problem, path: [] };
}

function stop(check: Check): { readonly kind: "failed"; readonly cause: string } {
  check.timeIsUp = true;
  return { kind: "failed", cause: "the time for the check is up" };
}

function untilAborted<T>(answer: Promise<T>, signal: AbortSignal, stopped: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(stopped());
    signal.addEventListener("abort", onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
