// DNS in a thread that checks content: it asks the service, which has one cache for everything. Called by
// content-thread.ts; content-checks.ts answers.
import type { DnsAnswer } from "@homing/spf";
import { type KeyResolver, NoAnswer } from "./library.ts";

/**
 * Of one message. More than any honest one has: 10 signatures, 51 keys of a chain of 50, and 8 names for each of the domains
 * that DMARC compares.
 */
const MAX_QUESTIONS = 120;
/** From the first question of a message: domains that answer slowly must not hold up the messages of others. */
const TIME_MS = 20_000;
/** Node's word, and the library's, for a name without such records. */
const NO_RECORD = "ENOTFOUND";
const EMPTY = "ENODATA";

export type AskTxt = (name: string) => Promise<DnsAnswer<string>>;

export interface ResolverLimits {
  readonly questions?: number;
  readonly timeMs?: number;
}

/** For one message. */
export function keyResolver(
  ask: AskTxt,
  { questions: max = MAX_QUESTIONS, timeMs = TIME_MS }: ResolverLimits = {},
): KeyResolver {
  let questions = 0;
  let endsAt: number | undefined;
  return async (name, type) => {
    // A name that does not exist has no alias either. The library asks whether a domain exists (np=): by its A record.
    if (type === "CNAME") throw dnsError(NO_RECORD, name);
    if (!isName(name)) throw dnsError(NO_RECORD, name);
    if (++questions > max) throw new NoAnswer(`DNS: ${name} is not asked for: the message wants too much`);
    endsAt ??= performance.now() + timeMs;
    const answer = await inTime(ask(name.toLowerCase()), endsAt - performance.now());
    if (answer.kind === "failed") throw new NoAnswer(`DNS: TXT of ${name}: ${answer.cause}`);
    if (answer.kind === "no-such-name") throw dnsError(NO_RECORD, name);
    if (answer.records.length === 0 || type !== "TXT") throw dnsError(EMPTY, name);
    return answer.records.map((text) => [text]);
  };
}

/** Its timer goes with the question: one that stays for its 20 s keeps 2 KB of each message of that time. */
async function inTime(answer: Promise<DnsAnswer<string>>, timeMs: number): Promise<DnsAnswer<string>> {
  const { promise: late, resolve } = Promise.withResolvers<DnsAnswer<string>>();
  const timer = setTimeout(resolve, Math.max(timeMs, 0), TOO_LATE).unref();
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const TOO_LATE: DnsAnswer<string> = { kind: "failed", cause: "the message's time for DNS is over" };

/** RFC 1035 §2.3.4: what else would make a failure of DNS out of a message's nonsense. */
function isName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => label.length > 0 && label.length <= 63);
}

function dnsError(code: string, name: string): Error {
  return Object.assign(new Error(`DNS: there is no TXT of ${name}`), { code });
}
