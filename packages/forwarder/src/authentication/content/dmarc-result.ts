// DMARC for one message, whoever is in its header From. Called by check-content.ts. RFC 7489 §6.6, RFC 9989.
import type { DkimResult, DmarcResult, SpfForDmarc } from "../results.ts";
import type { Author } from "./header-from.ts";
import { domainText, reasonText } from "./hostile-text.ts";
import type { ContentLibrary, DmarcAnswer, KeyResolver } from "./library.ts";

/** RFC 7489 §6.6.1 lets the domains of several authors be looked at each; each costs up to eight look-ups. */
const MAX_DOMAINS = 4;
const POLICIES = ["none", "quarantine", "reject"] as const;
const LESS = { reject: "quarantine", quarantine: "none", none: "none" } as const;

export interface DmarcEvidence {
  readonly author: Author;
  readonly spf: SpfForDmarc;
  readonly dkim: readonly DkimResult[];
}

/**
 * With several domains, or one beside what cannot be read, nothing passes: a fail of any of them counts, the strictest
 * first, and without one it is permerror.
 */
export async function dmarcResult(
  library: Pick<ContentLibrary, "dmarc">,
  { author, spf, dkim }: DmarcEvidence,
  resolver: KeyResolver,
): Promise<DmarcResult> {
  const spfDomains = spf.result === "pass" && spf.domain !== "" ? [spf.domain] : [];
  const dkimDomains = dkim.filter(({ result }) => result === "pass").map(({ domain }) => domain);
  const ask = async (domain: string): Promise<DmarcResult> =>
    resultOf(await library.dmarc({ domain, spfDomains, dkimDomains }, resolver));
  if (author.kind === "domain") return await ask(author.domain);
  const { domains } = author;
  // Whoever names more of them hides one.
  if (domains.length > MAX_DOMAINS)
    return { result: "fail", policy: "reject", domain: "", reason: "the From field names too many domains" };
  const found: DmarcResult[] = [];
  for (const domain of domains) found.push(await ask(domain));
  const strictest = found
    .filter(({ result }) => result === "fail")
    .sort((one, other) => POLICIES.indexOf(other.policy) - POLICIES.indexOf(one.policy))[0];
  const temporary = found.find(({ result }) => result === "temperror");
  const reason = REASONS[author.kind];
  return {
    ...(strictest ?? temporary ?? { result: "permerror", policy: "none", domain: "" }),
    reason,
  };
}

const REASONS = {
  none: "there is no From field",
  several: "there are several From fields, or domains in it",
  unreadable: "the From field cannot be read",
} as const;

function resultOf({ result, policy, domain, record, reason }: DmarcAnswer): DmarcResult {
  return {
    result: result === "pass" || result === "fail" || result === "temperror" ? result : "none",
    policy: isPartial(record) ? LESS[policy] : policy,
    domain: domainText(domain),
    ...(reason === "" ? {} : { reason: reasonText(reason) }),
  };
}

/**
 * RFC 7489 §6.6.4: pct= below 100 wants the rest treated one step milder. Here it is all of them: the same message is
 * answered the same again, and RFC 9989 knows only `t=y`, which means that.
 */
function isPartial(record: string): boolean {
  for (const tag of record.split(";")) {
    const [name = "", value = ""] = tag.split("=", 2);
    if (name.trim().toLowerCase() !== "pct") continue;
    const share = value.trim();
    return /^[0-9]{1,2}$/.test(share);
  }
  return false;
}
