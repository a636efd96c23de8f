// Next hops: which servers take mail for a domain. Static routes, then the smart host, then the domain's MX records
// (RFC 5321 §5.1, RFC 7505 for the null MX). Called by deliver.ts.
import { asciiLower } from "@homing/srs-core";
import type { HostPort } from "./host-port.ts";

export type NextHops =
  | { readonly kind: "hosts"; readonly hosts: readonly HostPort[] }
  /** The domain takes no mail, or does not exist. */
  | { readonly kind: "none"; readonly enhanced: string; readonly cause: string }
  /** DNS did not say: try again later. */
  | { readonly kind: "unknown"; readonly cause: string };

export type MxAnswer =
  | {
      readonly kind: "records";
      readonly records: readonly { readonly exchange: string; readonly priority: number }[];
    }
  | { readonly kind: "no-such-domain" }
  | { readonly kind: "failed"; readonly cause: string };

/** DNS as an argument: the service passes the system's, tests pass a table. */
export interface MxResolver {
  /** MX records; no records at all are `records: []`. */
  mx(domain: string): Promise<MxAnswer>;
  /** Has the name an A or AAAA record? For the implicit MX. */
  hasAddress(domain: string): Promise<boolean | { readonly failed: string }>;
}

export interface NextHopOptions {
  /** By domain, in any case; `*` is not a pattern here: that is the smart host. */
  readonly routes: ReadonlyMap<string, HostPort>;
  /** Takes everything that has no route of its own. */
  readonly smartHost?: HostPort | undefined;
  readonly resolver: MxResolver;
  /** 0 ≤ n < 1: shuffles records of equal preference. */
  readonly random: () => number;
}

export type FindNextHops = (domain: string) => Promise<NextHops>;

const SMTP_PORT = 25;
/** RFC 5321 §5.1: at least two must be tried, and the number may be bounded. */
const MAX_HOSTS = 5;

export function createNextHops(options: NextHopOptions): FindNextHops {
  const routes = new Map([...options.routes].map(([domain, hop]) => [asciiLower(domain), hop]));

  return async (domain) => {
    const fixed = routes.get(asciiLower(domain)) ?? options.smartHost;
    if (fixed) return { kind: "hosts", hosts: [fixed] };
    if (domain.startsWith("[")) {
      return {
        kind: "none",
        enhanced: "5.1.2",
        cause: "address literals are not delivered to without a route",
      };
    }
    const answer = await options.resolver.mx(domain);
    if (answer.kind === "failed") return { kind: "unknown", cause: answer.cause };
    if (answer.kind === "no-such-domain") return { kind: "none", enhanced: "5.1.2", cause: "no such domain" };
    if (answer.records.length === 0) return implicitMx(options.resolver, domain);
    const exchanges = answer.records.filter((record) => record.exchange !== "" && record.exchange !== ".");
    if (exchanges.length === 0)
      return { kind: "none", enhanced: "5.1.10", cause: "null MX: the domain takes no mail" };
    const hosts = exchanges
      .map((record) => ({ ...record, shuffle: options.random() }))
      .sort((a, b) => a.priority - b.priority || a.shuffle - b.shuffle)
      .slice(0, MAX_HOSTS)
      .map((record) => ({ host: record.exchange, port: SMTP_PORT }));
    return { kind: "hosts", hosts };
  };
}

async function implicitMx(resolver: MxResolver, domain: string): Promise<NextHops> {
  const found = await resolver.hasAddress(domain);
  if (found === true) return { kind: "hosts", hosts: [{ host: domain, port: SMTP_PORT }] };
  if (found === false)
    return { kind: "none", enhanced: "5.1.2", cause: "the domain has neither MX nor address" };
  return { kind: "unknown", cause: found.failed };
}
