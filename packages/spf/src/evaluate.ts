// A domain's record, found and evaluated (check_host() of RFC 7208 §4), with includes and redirects. Called by
// check-host.ts. It calls itself, but not deeper than the limit of look-ups.
import {
  ask,
  type Check,
  countTerm,
  permerror,
  type TraceStep,
  type Trouble,
  temperror,
  traceStep,
} from "./check.ts";
import { isInNetwork } from "./ip.ts";
import { type AskingMechanism, failed, matches, prefixLength } from "./match.ts";
import { cachedRecords, isSpfRecord } from "./parse-record.ts";
import { printable } from "./printable.ts";
import type { MacroString, Mechanism, Modifier, Qualifier, SpfRecord } from "./record.ts";
import type { SpfStep } from "./spf.ts";
import { isUnmatchable, targetName } from "./target-name.ts";

export type Verdict = (Decided | None | Trouble) & {
  /** Of the domain that was asked for; not there where DNS has none, or several. */
  readonly text?: string;
  readonly record?: SpfRecord;
};

interface Decided {
  readonly kind: "decided";
  readonly result: "pass" | "fail" | "softfail" | "neutral";
  readonly path: readonly SpfStep[];
  /** A pass that everybody gets. */
  readonly everybody: boolean;
  /** The record that decided, behind all redirects: its `exp=` counts (§6.2). */
  readonly by: { readonly domain: string; readonly record: SpfRecord };
}

interface None {
  readonly kind: "none";
  readonly problem: string;
}

type Match = { readonly kind: "match"; readonly path: readonly SpfStep[]; readonly everybody: boolean };

const RESULTS: Readonly<Record<Qualifier, Decided["result"]>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};
const MATCH: Match = { kind: "match", path: [], everybody: false };
const EVERYBODY: Match = { kind: "match", path: [], everybody: true };

/** Characters: some thousand records of the usual length, and 11 MB if strangers fill it with the worst. */
const CACHE_SIZE = 300_000;
const parse = cachedRecords(CACHE_SIZE);

export async function evaluate(check: Check, domain: string, depth: number): Promise<Verdict> {
  const step = traceStep(check, depth, domain, "record");
  const answer = await ask(check, "txt", domain);
  if (answer.kind === "failed") {
    const trouble = failed("txt", domain, answer.cause);
    step.outcome = trouble.problem;
    return trouble;
  }
  const texts = answer.kind === "records" ? answer.records.filter(isSpfRecord) : [];
  const [text] = texts;
  if (text === undefined) {
    step.outcome = answer.kind === "records" ? "no SPF record" : "no such name";
    return { kind: "none", problem: `${printable(domain)}: ${step.outcome}` };
  }
  if (texts.length > 1) {
    step.outcome = `${texts.length} SPF records, where one may be`;
    return permerror(`${printable(domain)}: ${step.outcome}`);
  }
  const parsed = parse(text);
  if (parsed.kind === "wrong") {
    step.outcome = parsed.problem;
    return { ...permerror(`${printable(domain)}: ${parsed.problem}`), text };
  }
  step.outcome = text;
  const { record } = parsed;
  return { ...(await evaluateRecord(check, domain, record, depth)), text, record };
}

async function evaluateRecord(
  check: Check,
  domain: string,
  record: SpfRecord,
  depth: number,
): Promise<Decided | Trouble> {
  for (const mechanism of record.mechanisms) {
    const step = traceStep(check, depth, domain, mechanism.text);
    const matching = match(check, domain, mechanism, step);
    // A turn for each of a hundred networks would cost more than comparing them.
    const outcome = matching instanceof Promise ? await matching : matching;
    if (outcome === false) {
      step.outcome ||= "no match";
      continue;
    }
    const path = [{ domain, mechanism: mechanism.text }, ...outcome.path];
    if (outcome.kind === "trouble") {
      step.outcome = outcome.problem;
      return { ...outcome, path };
    }
    step.outcome ||= "match";
    const result = RESULTS[mechanism.qualifier];
    return { kind: "decided", result, path, everybody: outcome.everybody, by: { domain, record } };
  }
  if (record.redirect !== undefined) return evaluateRedirect(check, domain, record.redirect, depth);
  const path = [{ domain, mechanism: "default" }];
  return { kind: "decided", result: "neutral", path, everybody: false, by: { domain, record } };
}

function match(
  check: Check,
  domain: string,
  mechanism: Mechanism,
  step: TraceStep,
): Match | false | Promise<Match | false | Trouble> {
  switch (mechanism.name) {
    case "all":
      return EVERYBODY;
    case "ip4":
    case "ip6":
      if (!isInNetwork(check.client, mechanism.network)) return false;
      return mechanism.network.length === 0 ? EVERYBODY : MATCH;
    case "include":
      return evaluateInclude(check, domain, mechanism, step);
    case "a":
    case "mx":
    case "ptr":
    case "exists":
      return matchHosts(check, domain, mechanism);
  }
}

async function matchHosts(
  check: Check,
  domain: string,
  mechanism: AskingMechanism,
): Promise<Match | false | Trouble> {
  const outcome = await matches(check, domain, mechanism);
  // `ptr` and `%{p}` say "no" where DNS said nothing; but then the terms behind must not decide.
  if (check.timeIsUp) return temperror("the time for the check is up");
  if (outcome !== true) return outcome;
  const isWide = "length4" in mechanism && prefixLength(check, mechanism) === 0;
  return isWide ? EVERYBODY : MATCH;
}

/** §5.2: only a pass matches, and no record at all is an error. */
async function evaluateInclude(
  check: Check,
  domain: string,
  { target, text }: Extract<Mechanism, { readonly name: "include" }>,
  step: TraceStep,
): Promise<Match | false | Trouble> {
  const excess = countTerm(check);
  if (excess !== undefined) return excess;
  const name = await targetName(check, domain, target);
  if (isUnmatchable(check, target)) return false;
  if (name === undefined) return permerror(`${printable(text)}: not a domain name`);
  const verdict = await evaluate(check, name, step.depth + 1);
  switch (verdict.kind) {
    case "trouble":
      return verdict;
    case "none":
      return permerror(`${printable(text)}: ${verdict.problem}`);
    case "decided":
      step.outcome = verdict.result;
      return verdict.result === "pass" && { kind: "match", path: verdict.path, everybody: verdict.everybody };
  }
}

/** §6.1: the other record takes the place of this one, its `exp=` too. */
async function evaluateRedirect(
  check: Check,
  domain: string,
  { text, value }: Modifier,
  depth: number,
): Promise<Decided | Trouble> {
  const path = [{ domain, mechanism: text }];
  const step = traceStep(check, depth, domain, text);
  const verdict = await redirected(check, domain, value, depth);
  if (verdict.kind === "none") {
    step.outcome = verdict.problem;
    return { ...permerror(`${printable(text)}: ${verdict.problem}`), path };
  }
  step.outcome = verdict.kind === "trouble" ? verdict.problem : verdict.result;
  return { ...verdict, path: [...path, ...verdict.path] };
}

async function redirected(check: Check, domain: string, value: MacroString, depth: number): Promise<Verdict> {
  const excess = countTerm(check);
  if (excess !== undefined) return excess;
  const name = await targetName(check, domain, value);
  if (name === undefined) return { kind: "none", problem: "not a domain name" };
  return evaluate(check, name, depth + 1);
}
