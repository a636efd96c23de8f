// DNS lists of clients and of domains (RFC 5782): is somebody listed, and what does the list say of it? Called by
// sender-check.ts, through `senderLists`.
import { parseClient, reversedLabels, type SpfResolver } from "@homing/spf";
import { asciiLower, parseDomain } from "@homing/srs-core";

export type ListDns = Pick<SpfResolver, "a" | "txt">;

export type Listing =
  | {
      readonly kind: "listed";
      /** Addresses in 127.0.0.0/8, whose meaning the list explains. */
      readonly codes: readonly string[];
      /** The list's own words (§2.1), printable ASCII; hostile text, "" without any. */
      readonly reason: string;
    }
  | { readonly kind: "not-listed" }
  /** Nobody can say: DNS failed, or the list does not answer us. It is never taken for listed. */
  | { readonly kind: "unknown"; readonly cause: string };

export interface DnsLists {
  /** 127.0.0.2 is on every list of addresses, and 127.0.0.1 on none: for trying it out (§5). */
  listedClient(zone: string, address: string): Promise<Listing>;
  /** `TEST` is on every list of domains, and `INVALID` on none (§5). */
  listedDomain(zone: string, domain: string): Promise<Listing>;
}

/** RFC 1035 §2.3.4. */
const MAX_NAME = 253;
const MAX_REASON = 200;
const MAX_CODES = 10;
const NOT_LISTED: Listing = { kind: "not-listed" };

export function createDnsLists({ dns }: { readonly dns: ListDns }): DnsLists {
  return {
    async listedClient(zone, address) {
      const octets = parseClient(address);
      return octets ? await listing(dns, reversedLabels(octets), zone) : NOT_LISTED;
    },
    async listedDomain(zone, domain) {
      const parsed = parseDomain(domain);
      // No list of names has addresses (§3).
      if (!parsed.ok || parsed.domain.startsWith("[")) return NOT_LISTED;
      return await listing(dns, asciiLower(parsed.domain), zone);
    },
  };
}

async function listing(dns: ListDns, labels: string, zone: string): Promise<Listing> {
  const name = `${labels}.${zone}`;
  if (name.length > MAX_NAME) return NOT_LISTED;
  const answer = await dns.a(name);
  if (answer.kind === "failed") return { kind: "unknown", cause: answer.cause };
  if (answer.kind === "no-such-name") return NOT_LISTED;
  // Whoever bought an expired list's domain answers with the address of a web server.
  const codes = answer.records.filter((address) => address.startsWith("127.")).slice(0, MAX_CODES);
  const refused = codes.find(isRefusal);
  if (refused !== undefined)
    return { kind: "unknown", cause: `${zone} answers ${refused}: it does not serve this resolver` };
  return codes.length === 0 ? NOT_LISTED : { kind: "listed", codes, reason: await reasonOf(dns, name) };
}

/** What large lists answer to too many questions, to public resolvers and to mistyped zones, whoever was asked about. */
function isRefusal(code: string): boolean {
  return code.startsWith("127.255.255.");
}

/** Of several records, the first. A reason that cannot be had changes nothing. */
async function reasonOf(dns: ListDns, name: string): Promise<string> {
  const answer = await dns.txt(name);
  const text = answer.kind === "records" ? (answer.records[0] ?? "") : "";
  return text.slice(0, MAX_REASON).replace(/[^ -~]/g, "?");
}

/** @param hear of what nobody could say */
export function senderLists(lists: DnsLists, hear: (cause: string) => void) {
  const onlyListed = (answer: Listing): { readonly reason: string } | undefined => {
    if (answer.kind === "unknown") hear(answer.cause);
    return answer.kind === "listed" ? { reason: answer.reason } : undefined;
  };
  return {
    client: async (zone: string, address: string) => onlyListed(await lists.listedClient(zone, address)),
    domain: async (zone: string, domain: string) => onlyListed(await lists.listedDomain(zone, domain)),
  };
}
