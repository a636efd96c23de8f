// SPF of one sender (RFC 7208): which identity, its verdict, and everything around it that a log, a header field or a
// person wants to know. Called by the forwarder, the MTA adapters and `homing spf`.
import type { Check } from "./check.ts";
import { evaluate, type Verdict } from "./evaluate.ts";
import { explanation } from "./explanation.ts";
import { type Identity, identityOf } from "./identity.ts";
import { parseClient } from "./ip.ts";
import { printable } from "./printable.ts";
import type { SpfRecord } from "./record.ts";
import type { SpfAnswer, SpfLimits, SpfOptions, SpfQuestion } from "./spf.ts";

/** RFC 7208 §4.6.4. */
export const SPF_LIMITS: SpfLimits = { lookups: 10, voidLookups: 2, mxHosts: 10, ptrNames: 10 };
/** Names have 253 octets at most, and are cut from the left: more of hostile text only costs time, once a macro. */
const MAX_MACRO_VALUE = 1000;
/** Room for a long include with its reasons. */
const MAX_PROBLEM = 300;

export async function checkSpf(question: SpfQuestion, options: SpfOptions): Promise<SpfAnswer> {
  const identity = identityOf(question);
  const client = parseClient(question.client);
  if (client === undefined)
    return unasked(question, identity, `${printable(question.client)} is not an IP address`);
  if (identity.domain === "") return unasked(question, identity, "there is no domain name to check");
  const check: Check = {
    client,
    identity,
    helo: question.helo.slice(-MAX_MACRO_VALUE),
    local: identity.local.slice(-MAX_MACRO_VALUE),
    options,
    limits: options.limits === undefined ? SPF_LIMITS : { ...SPF_LIMITS, ...options.limits },
    trace: [],
    lookups: 0,
    voidLookups: 0,
    timeIsUp: false,
    ptr: undefined,
    validated: new Map(),
  };
  const verdict = await evaluate(check, identity.domain, 0);
  return answer(question, check, verdict, await explained(check, verdict));
}

function answer(question: SpfQuestion, check: Check, verdict: Verdict, words: string | undefined): SpfAnswer {
  const path = verdict.kind === "none" ? [] : verdict.path;
  const [decisive] = path;
  return {
    result: verdict.kind === "none" ? "none" : verdict.result,
    identity: question.identity ?? "mailfrom",
    domain: check.identity.domain,
    sender: check.identity.sender,
    path,
    ...(decisive !== undefined && { mechanism: decisive.mechanism }),
    ...(words !== undefined && { explanation: words }),
    ...(verdict.kind !== "decided" && { problem: printable(verdict.problem, MAX_PROBLEM) }),
    ...(verdict.text !== undefined && { record: verdict.text }),
    namesNobody: verdict.record !== undefined && isNobody(verdict.record),
    passesEverybody: verdict.kind === "decided" && verdict.result === "pass" && verdict.everybody,
    lookups: check.lookups,
    voidLookups: check.voidLookups,
    trace: check.trace,
  };
}

async function explained(check: Check, verdict: Verdict): Promise<string | undefined> {
  if (verdict.kind !== "decided" || verdict.result !== "fail") return undefined;
  const { domain, record } = verdict.by;
  return record.exp === undefined ? undefined : explanation(check, domain, record.exp);
}

/** none (§4.3), without a word to DNS. */
function unasked(question: SpfQuestion, { domain, sender }: Identity, problem: string): SpfAnswer {
  return {
    result: "none",
    identity: question.identity ?? "mailfrom",
    domain,
    sender,
    path: [],
    problem,
    namesNobody: false,
    passesEverybody: false,
    lookups: 0,
    voidLookups: 0,
    trace: [],
  };
}

function isNobody({ mechanisms }: SpfRecord): boolean {
  const [only, another] = mechanisms;
  return another === undefined && only?.name === "all" && only.qualifier === "-";
}
