// From who sends a domain's mail to the records that say so: the domain's own, and one for each host, which is asked for by its
// HELO name (RFC 7208 §10.1.3). Called by `homing spf wizard`.

export interface Senders {
  /** In A-labels and lower case, as all names here. */
  readonly domain: string;
  /** Its MX hosts send, too. */
  readonly mx: boolean;
  /** The domain's own address sends. */
  readonly a: boolean;
  readonly hosts: readonly string[];
  /** `192.0.2.1` or `192.0.2.0/24` */
  readonly ip4: readonly string[];
  readonly ip6: readonly string[];
  /** Domains of providers that send for this one. */
  readonly includes: readonly string[];
  readonly all: "softfail" | "fail";
}

export interface ComposedRecord {
  readonly name: string;
  readonly record: string;
}

export interface ComposedRecords {
  readonly domain: ComposedRecord;
  readonly hosts: readonly ComposedRecord[];
  /** The domain's record for later, where this one ends in ~all. */
  readonly later?: string;
}

const ENDS = { softfail: "~all", fail: "-all" } as const;
/** Its own address, and nobody else. */
const HOST_RECORD = "v=spf1 a -all";

export function composeRecords(senders: Senders): ComposedRecords {
  const { domain } = senders;
  const terms = termsOf(senders);
  // A domain that sends nothing has nothing to try out.
  const all = terms.length === 0 ? "fail" : senders.all;
  const record = (end: Senders["all"]) => ["v=spf1", ...terms, ENDS[end]].join(" ");
  const hosts = [...new Set(senders.hosts)].filter((host) => host !== domain);
  return {
    domain: { name: domain, record: record(all) },
    hosts: hosts.map((name) => ({ name, record: HOST_RECORD })),
    ...(all === "softfail" && { later: record("fail") }),
  };
}

/** What costs no look-up stands in front: it is asked first, and mostly ends the check. */
function termsOf({ domain, ip4, ip6, a, hosts, mx, includes }: Senders): readonly string[] {
  const others = hosts.filter((host) => host !== domain);
  return [
    ...new Set([
      ...ip4.map((network) => `ip4:${network}`),
      ...ip6.map((network) => `ip6:${network}`),
      ...(a || others.length < hosts.length ? ["a"] : []),
      ...others.map((host) => `a:${host}`),
      ...(mx ? ["mx"] : []),
      ...includes.map((name) => `include:${name}`),
    ]),
  ];
}
