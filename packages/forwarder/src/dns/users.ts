// DNS as the users before SPF want it: next hops ask an MxResolver, MTA-STS and checks of the configuration for texts.
// Called by the composition root, with one Dns for all, so that one cache serves them.
import type { MxResolver } from "../next-hops.ts";
import type { TxtAnswer } from "../outbound/sts-policies.ts";
import type { Dns } from "./dns.ts";

export function mxResolver(dns: Pick<Dns, "mx" | "a" | "aaaa">): MxResolver {
  return {
    async mx(domain) {
      const answer = await dns.mx(domain);
      return answer.kind === "no-such-name" ? { kind: "no-such-domain" } : answer;
    },

    async addresses(host) {
      const answers = await Promise.all([dns.a(host), dns.aaaa(host)]);
      const addresses = answers.flatMap((answer) => (answer.kind === "records" ? answer.records : []));
      const failure = answers.find((answer) => answer.kind === "failed");
      // Half an answer is enough to deliver, and not enough to say that there is no such host.
      return addresses.length > 0 || failure === undefined ? { kind: "addresses", addresses } : failure;
    },
  };
}

export function txtLookup(dns: Pick<Dns, "txt">): (name: string) => Promise<TxtAnswer> {
  return async (name) => {
    const answer = await dns.txt(name);
    if (answer.kind === "failed") return answer;
    return { kind: "texts", texts: answer.kind === "records" ? answer.records : [] };
  };
}
