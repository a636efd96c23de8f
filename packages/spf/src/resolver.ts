// DNS as the evaluator wants it: passed in by the caller. Names come without a trailing dot, in A-labels.

/** `records: []` is a name without such records (NODATA). */
export type DnsAnswer<T> =
  | { readonly kind: "records"; readonly records: readonly T[] }
  /** NXDOMAIN. */
  | { readonly kind: "no-such-name" }
  /** Everything else: SERVFAIL, a time-out, REFUSED … It says nothing about the name. */
  | { readonly kind: "failed"; readonly cause: string };

export type DnsLookup<T> = (name: string) => DnsAnswer<T> | Promise<DnsAnswer<T>>;

export interface SpfResolver {
  /** Character strings of one record joined, without a space; octets as characters one to one (latin1). */
  readonly txt: DnsLookup<string>;
  /** IPv4 addresses. */
  readonly a: DnsLookup<string>;
  /** IPv6 addresses. */
  readonly aaaa: DnsLookup<string>;
  readonly mx: DnsLookup<{ readonly exchange: string; readonly priority: number }>;
  /** Names. @param name as in DNS: `1.2.0.192.in-addr.arpa` */
  readonly ptr: DnsLookup<string>;
}
