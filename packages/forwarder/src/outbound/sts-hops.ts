// Next hops as the domain's MTA-STS policy allows them (RFC 8461 §5). Put around `createNextHops` by the composition.
import type { FindNextHops, NextHop } from "../next-hops.ts";
import type { StsPolicies } from "./sts-policies.ts";
import { allowsMx, type StsPolicy } from "./sts-policy.ts";

/**
 * Mode enforce leaves only hosts that the policy names, and demands verified TLS of them; mode testing marks all. Hosts
 * without a name are routes and smart hosts, which the operator chose: no policy is asked for.
 */
export function withStsPolicies(find: FindNextHops, policies: StsPolicies): FindNextHops {
  return async (domain) => {
    const found = await find(domain);
    if (found.kind !== "hosts" || !found.hosts.some(({ name }) => name !== undefined)) return found;
    const policy = await policies.policyFor(domain);
    if (!policy || policy.mode === "none") return found;
    const hosts = found.hosts.map((hop) => marked(hop, policy));
    if (policy.mode === "testing") return { kind: "hosts", hosts };
    const allowed = hosts.filter(({ sts }) => sts?.matches);
    if (allowed.length > 0) return { kind: "hosts", hosts: allowed };
    // Temporary, §5: either the policy is old or DNS is forged, and neither should last. RFC 3463: 4.7.0 security status.
    return {
      kind: "unknown",
      enhanced: "4.7.0",
      cause: `no MX host is one that the MTA-STS policy of ${domain} names: ${namesOf(found.hosts)}`,
    };
  };
}

/** Of hosts with several addresses once. */
function namesOf(hosts: readonly NextHop[]): string {
  return [...new Set(hosts.map(({ name }) => name))].join(", ");
}

function marked(hop: NextHop, policy: StsPolicy): NextHop {
  const mode = policy.mode === "enforce" ? "enforce" : "testing";
  const sts = { mode, matches: hop.name !== undefined && allowsMx(policy, hop.name) } as const;
  return mode === "enforce" ? { ...hop, sts, tls: "required-verified" } : { ...hop, sts };
}
