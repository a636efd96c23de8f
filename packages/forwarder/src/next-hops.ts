// Next hops: which servers take mail for a domain. Static routes, then the smart host, then the domain's MX records
// (RFC 5321 §5.1, RFC 7505 for the null MX). Called by deliver.ts.
import { asciiLower } from "@homing/srs-core";
import type { HostPort } from "./host-port.ts";

/** A server to try. Those from DNS have an IP address as host. */
export interface NextHop extends HostPort {
  /** The name behind the address, for TLS and for the log. */
  readonly name?: string;
}

export type NextHops =
  | { readonly kind: "hosts"; readonly hosts: readonly NextHop[] }
  /** The domain takes no mail, or does not exist. */
  | { readonly kind: "none"; readonly enhanced: string; readonly cause: string }
  /** DNS did not say: try again later. */
  | { readonly kind: "unknown"; readonly enhanced: string; readonly cause: string };

export type MxAnswer =
  | {
      readonly kind: "records";
      readonly records: readonly { readonly exchange: string; readonly priority: number }[];
    }
  | { readonly kind: "no-such-domain" }
  | { readonly kind: "failed"; readonly cause: string };

export type AddressAnswer =
  | { readonly kind: "addresses"; readonly addresses: readonly string[] }
  | { readonly kind: "failed"; readonly cause: string };

/** DNS as an argument: the service passes the system's, tests pass a table. */
export interface MxResolver {
  /** MX records; no records at all are `records: []`. */
  mx(domain: string): Promise<MxAnswer>;
  /** IPv4 and IPv6 addresses of a host; none at all, and no such host, are `addresses: []`. */
  addresses(host: string): Promise<AddressAnswer>;
}

export interface NextHopOptions {
  /** By domain, in any case; `*` is not a pattern here: that is the smart host. */
  readonly routes: ReadonlyMap<string, HostPort>;
  /** Takes everything that has no route of its own. */
  readonly smartHost?: HostPort | undefined;
  readonly resolver: MxResolver;
  /** May an address that DNS gives be connected to? */
  readonly mayConnect: (address: string) => boolean;
  /** 0 ≤ n < 1: shuffles records of equal preference. */
  readonly random: () => number;
}

export type FindNextHops = (domain: string) => Promise<NextHops>;

const SMTP_PORT = 25;
/** RFC 5321 §5.1: at least two addresses must be tried, and the number may be bounded. */
const MAX_HOSTS = 5;

export function createNextHops(options: NextHopOptions): FindNextHops {
  const routes = new Map([...options.routes].map(([domain, hop]) => [asciiLower(domain), hop]));
  const { resolver, random } = options;

  return async (domain) => {
    const fixed = routes.get(asciiLower(domain)) ?? options.smartHost;
    if (fixed) return { kind: "hosts", hosts: [fixed] };
    // Whoever writes an address could have us connect to anything.
    if (domain.startsWith("[")) return none("5.1.2", "address literals are not delivered to without a route");
    const answer = await resolver.mx(domain);
    if (answer.kind === "failed") return { kind: "unknown", enhanced: "4.4.3", cause: answer.cause };
    if (answer.kind === "no-such-domain") return none("5.1.2", "no such domain");
    if (answer.records.length === 0)
      return hostsOf(options, [domain], none("5.1.2", "neither MX nor address"));
    const exchanges = answer.records.filter((record) => record.exchange !== "" && record.exchange !== ".");
    if (exchanges.length === 0) return none("5.1.10", "null MX: the domain takes no mail");
    const names = exchanges
      .map((record) => ({ ...record, shuffle: random() }))
      .sort((a, b) => a.priority - b.priority || a.shuffle - b.shuffle)
      .slice(0, MAX_HOSTS)
      .map((record) => record.exchange);
    // Somebody's DNS is half done: they will notice, and the mail should still be there.
    return hostsOf(options, names, {
      kind: "unknown",
      enhanced: "4.4.4",
      cause: "no MX host has an address",
    });
  };
}

async function hostsOf(
  { resolver, mayConnect }: NextHopOptions,
  names: readonly string[],
  otherwise: NextHops,
): Promise<NextHops> {
  const answers = await Promise.all(names.map((name) => resolver.addresses(name)));
  const hosts = answers.flatMap((answer, index) => {
    const name = names[index] ?? "";
    return answer.kind === "addresses"
      ? answer.addresses.map((host) => ({ host, port: SMTP_PORT, name }))
      : [];
  });
  const others = hosts.filter(({ host }) => mayConnect(host));
  if (others.length > 0) return { kind: "hosts", hosts: others.slice(0, MAX_HOSTS) };
  const failure = answers.find((answer) => answer.kind === "failed");
  if (failure) return { kind: "unknown", enhanced: "4.4.3", cause: failure.cause };
  // RFC 3463: 5.4.4 unable to route. Some say "no mail" by such a record.
  const [hidden] = hosts;
  if (hidden)
    return none("5.4.4", `${hidden.name} is at ${hidden.host}, an address that is no server of the Internet`);
  return otherwise;
}

function none(enhanced: string, cause: string): NextHops {
  return { kind: "none", enhanced, cause };
}
