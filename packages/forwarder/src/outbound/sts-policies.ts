// The MTA-STS policies of the domains that we send to: discovered, cached, looked after (RFC 8461 §3, §5.1). Called
// through sts-hops.ts, before each delivery that goes by MX.
import { asciiLower } from "@homing/srs-core";
import { parseStsPolicy, parseStsRecord, type StsPolicy } from "./sts-policy.ts";

export type TxtAnswer =
  /** Strings of a record joined; no record, and no such name, are `texts: []`. */
  | { readonly kind: "texts"; readonly texts: readonly string[] }
  | { readonly kind: "failed"; readonly cause: string };

/** The text of a policy file, from `https://HOST/.well-known/mta-sts.txt`. */
export type PolicyAnswer =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "failed"; readonly cause: string };

export interface StsPoliciesOptions {
  readonly txt: (name: string) => Promise<TxtAnswer>;
  readonly fetchPolicy: (host: string) => Promise<PolicyAnswer>;
  /** Unix seconds. */
  readonly now: () => number;
  /** For the log: a record without a policy that can be had. */
  readonly report?: (domain: string, cause: string) => void;
}

export interface StsPolicies {
  /** The policy that holds now; undefined where the domain has none. Never rejects. */
  policyFor(domain: string): Promise<StsPolicy | undefined>;
}

/** What is known of a domain. */
interface Known {
  readonly id?: string;
  readonly policy?: StsPolicy;
  readonly expires: number;
  /** DNS is asked again after that. */
  readonly checkAfter: number;
}

/** §3.1 leaves it to the record's TTL, which nobody tells us; §3.3 has five minutes between fetches that fail. */
const CHECK_SECONDS = 300;
const MAX_DOMAINS = 20_000;

export function createStsPolicies({ txt, fetchPolicy, now, report }: StsPoliciesOptions): StsPolicies {
  /** Those checked longest ago first. */
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<StsPolicy | undefined>>();

  async function check(domain: string): Promise<StsPolicy | undefined> {
    const before = known.get(domain);
    const current = before?.policy && before.expires > now() ? before : undefined;
    const found = await discover(domain, current);
    known.delete(domain);
    known.set(domain, found);
    for (const [oldest] of known) {
      if (known.size <= MAX_DOMAINS) break;
      known.delete(oldest);
    }
    return found.policy;
  }

  /** @param current holds until it expires, whatever DNS and the web server say now (§5.1) */
  async function discover(domain: string, current: Known | undefined): Promise<Known> {
    const checkAfter = now() + CHECK_SECONDS;
    const kept: Known = { ...(current ?? { expires: 0 }), checkAfter };
    const answer = await txt(`_mta-sts.${domain}`);
    const id = answer.kind === "texts" ? parseStsRecord(answer.texts) : undefined;
    if (id === undefined || (id === current?.id && isFresh(current))) return kept;
    const fetched = await fetchPolicy(`mta-sts.${domain}`);
    const policy = fetched.kind === "text" ? parseStsPolicy(fetched.text) : undefined;
    if (!policy) {
      report?.(domain, fetched.kind === "text" ? "the policy file is no policy" : fetched.cause);
      return kept;
    }
    // A policy of no duration would have us fetch it for each message.
    return { id, policy, expires: now() + Math.max(policy.maxAgeSeconds, CHECK_SECONDS), checkAfter };
  }

  /** §5.1: a policy is renewed long before its end, so that who blocks HTTPS on that day does not end it. */
  function isFresh({ policy, expires }: Known): boolean {
    return policy !== undefined && now() < expires - policy.maxAgeSeconds / 2;
  }

  return {
    async policyFor(name) {
      const domain = asciiLower(name);
      const entry = known.get(domain);
      const time = now();
      if (entry && time < entry.checkAfter && (!entry.policy || time < entry.expires)) return entry.policy;
      const asked = underWay.get(domain) ?? check(domain).finally(() => underWay.delete(domain));
      underWay.set(domain, asked);
      return asked;
    },
  };
}
