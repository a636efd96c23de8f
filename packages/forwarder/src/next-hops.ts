// Next hops: which servers take mail for a domain. Static routes, then the smart host, then the domain's MX records
// (RFC 5321 §5.1, RFC 7505 for the null MX). Put together by mail-out.ts, called by deliver.ts.
import { isIP } from "node:net";
import { asciiLower } from "@homing/srs-core";
import type { HostPort } from "./host-port.ts";

/** A server to try. Those from DNS have an IP address as host. */
export interface NextHop extends HostPort {
  /** The name behind the address, for TLS and for the log. */
  readonly name?: string;
  /**
   * `opportunistic` (RFC 7435): TLS where it is offered, whoever signed the certificate. `required`: not without TLS.
   * `required-verified`: not without a certificate that is good for the name. Default: opportunistic, and
   * required-verified with credentials, unless the server is on this machine.
   */
  readonly tls?: "opportunistic" | "required" | "required-verified";
  /** TLS from the first octet (RFC 8314 §3.3), as on port 465, in place of STARTTLS. */
  readonly implicitTls?: true;
  /** For AUTH, at a smart host. */
  readonly credentials?: Credentials;
  /** What the domain's MTA-STS policy says about this host (outbound/sts-hops.ts). */
  readonly sts?: { readonly mode: "enforce" | "testing"; readonly matches: boolean };
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
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
  readonly routes: ReadonlyMap<string, NextHop>;
  /** Takes everything that has no route of its own. */
  readonly smartHost?: NextHop | undefined;
  readonly resolver: MxResolver;
  /** May an address that DNS gives be connected to? */
  readonly mayConnect: (address: string) => boolean;
  /** 0 ≤ n < 1: shuffles records of equal preference. */
  readonly random: () => number;
  /** Our own, so that mail for a domain whose MX we are does not come back to us. */
  readonly hostname?: string;
}

export type FindNextHops = (domain: string) => Promise<NextHops>;

const SMTP_PORT = 25;
/** RFC 5321 §5.1: at least two addresses must be tried, and the number may be bounded. */
const MAX_TRIES = 5;
/**
 * MX hosts whose addresses are asked for: a domain with more of them wants us busy. Not fewer, though it is 40 look-ups: only
 * behind them private addresses and hosts that MTA-STS does not name are left out, and the sixth host may be the first good one.
 */
const MAX_HOSTS = 20;
/** So that a host with many addresses leaves some of the tries to the next one. */
const MAX_ADDRESSES_OF_HOST = 3;

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
    const better = betterThanUs(exchanges, options.hostname);
    if (better.length === 0)
      return none("5.4.6", "the domain's best MX is this server, which knows no way for it");
    const names = better
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

/**
 * The best of those that are left, for whoever tries them in turn. Put around all that leaves some out: five of which none may be
 * used would hide a sixth.
 */
export function withBoundedTries(find: FindNextHops): FindNextHops {
  return async (domain) => {
    const found = await find(domain);
    return found.kind === "hosts" ? { kind: "hosts", hosts: found.hosts.slice(0, MAX_TRIES) } : found;
  };
}

/** RFC 5321 §5.1: who finds itself among the MX hosts leaves itself out, and all that are not better. */
function betterThanUs<T extends { readonly exchange: string; readonly priority: number }>(
  records: readonly T[],
  hostname: string | undefined,
): readonly T[] {
  const ours = records.filter(({ exchange }) => isName(exchange, hostname)).map(({ priority }) => priority);
  const best = Math.min(...ours);
  return records.filter(({ priority }) => priority < best);
}

function isName(exchange: string, hostname: string | undefined): boolean {
  return hostname !== undefined && asciiLower(exchange).replace(/\.$/, "") === asciiLower(hostname);
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
      ? familiesInTurn(answer.addresses).map((host) => ({ host, port: SMTP_PORT, name }))
      : [];
  });
  const tries = new Map<string, number>();
  const others = hosts.filter(({ host, name }) => {
    if (!mayConnect(host)) return false;
    tries.set(name, (tries.get(name) ?? 0) + 1);
    return (tries.get(name) ?? 0) <= MAX_ADDRESSES_OF_HOST;
  });
  if (others.length > 0) return { kind: "hosts", hosts: others };
  const failure = answers.find((answer) => answer.kind === "failed");
  if (failure) return { kind: "unknown", enhanced: "4.4.3", cause: failure.cause };
  // RFC 3463: 5.4.4 unable to route. Some say "no mail" by such a record.
  const [hidden] = hosts;
  if (hidden)
    return none("5.4.4", `${hidden.name} is at ${hidden.host}, an address that is no server of the Internet`);
  return otherwise;
}

/**
 * IPv4, IPv6, IPv4 …: a family that does not work here costs every second try, not all. IPv4 first: many servers want
 * a PTR record and a good name of whoever comes by IPv6, and fewer of us have them there.
 */
function familiesInTurn(addresses: readonly string[]): string[] {
  const six = addresses.filter((address) => isIP(address) === 6);
  const four = addresses.filter((address) => isIP(address) !== 6);
  return Array.from({ length: Math.max(four.length, six.length) }, (_, index) => [four[index], six[index]])
    .flat()
    .filter((address) => address !== undefined);
}

function none(enhanced: string, cause: string): NextHops {
  return { kind: "none", enhanced, cause };
}
