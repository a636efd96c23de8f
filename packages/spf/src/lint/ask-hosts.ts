// The hosts behind `a`, `mx` and `exists`, and which look-ups find nothing. Called by walk-record.ts.
import { printable } from "../printable.ts";
import type { MacroString, Mechanism } from "../record.ts";
import type { DnsAnswer, DnsLookup, SpfResolver } from "../resolver.ts";
import { type Host, NO_VOIDS, type TermFound, type TermNode, type Voids } from "./look-up-tree.ts";
import { staticName } from "./static-name.ts";

export interface HostWalk {
  /** The domain that is linted; "" is not known. */
  readonly sender: string;
  /** Without it, nothing is asked. */
  readonly resolver?: SpfResolver;
  readonly budget: { terms: number };
}

type Asked = Pick<TermNode, "lookups" | "voids" | "found">;

/** Terms that are asked for, in all records: strangers' records have thousands. */
export const MAX_ASKED_TERMS = 200;
/** Hosts of one `mx` that are asked for: ten are allowed (§4.6.4). */
const MAX_HOSTS = 20;
export const NO_DOMAIN: TermFound = { kind: "not-asked", why: "the domain is not known" };

/** @param domain whose record it is */
export async function askHosts(
  mechanism: Mechanism & { readonly name: "a" | "mx" | "exists" },
  domain: string,
  { sender, resolver, budget }: HostWalk,
): Promise<Asked> {
  const none = { lookups: 1, voids: NO_VOIDS };
  const { target } = mechanism;
  const name = target && staticName(target, domain, sender);
  if (name?.kind === "varies") return { ...none, found: name };
  if (domain === "" && (target === undefined || hasMacro(target))) return { ...none, found: NO_DOMAIN };
  if (resolver === undefined) return { ...none, found: { kind: "not-asked", why: "DNS was not asked" } };
  if (budget.terms <= 0) {
    return { ...none, found: { kind: "not-asked", why: `more than ${MAX_ASKED_TERMS} terms ask DNS` } };
  }
  budget.terms -= 1;
  const asks = name?.name ?? domain;
  if (mechanism.name === "mx") return mxHosts(asks, resolver);
  const ip4Only = mechanism.name === "exists";
  const host = await hostOf(asks, resolver, ip4Only);
  return { lookups: 1, voids: voidsOf(host, ip4Only), found: { kind: "hosts", hosts: [host] } };
}

export function hasMacro(target: MacroString): boolean {
  return target.parts.some((part) => typeof part !== "string");
}

async function mxHosts(domain: string, resolver: SpfResolver): Promise<Asked> {
  const answer = await ask(resolver.mx, domain);
  if (answer.kind === "failed") {
    return { lookups: 1, voids: NO_VOIDS, found: { kind: "failed", cause: printable(answer.cause) } };
  }
  // "." is the null MX (RFC 7505): no host.
  const exchanges =
    answer.kind === "records"
      ? answer.records.map(({ exchange }) => exchange).filter((name) => name !== "")
      : [];
  if (exchanges.length === 0)
    return { lookups: 1, voids: { ip4: 1, ip6: 1 }, found: { kind: "hosts", hosts: [] } };
  const hosts: Host[] = [];
  for (const [index, name] of exchanges.entries()) {
    hosts.push(index < MAX_HOSTS ? await hostOf(name.toLowerCase(), resolver) : { name, addresses: [] });
  }
  const voids = hosts.slice(0, MAX_HOSTS).map((host) => voidsOf(host));
  return {
    lookups: 1,
    voids: {
      ip4: voids.reduce((sum, { ip4 }) => sum + ip4, 0),
      ip6: voids.reduce((sum, { ip6 }) => sum + ip6, 0),
    },
    found: { kind: "hosts", hosts },
  };
}

/** @param ip4Only `exists` asks for A whatever the client is (§5.7) */
async function hostOf(name: string, resolver: SpfResolver, ip4Only = false): Promise<Host> {
  const answers = [await ask(resolver.a, name), ...(ip4Only ? [] : [await ask(resolver.aaaa, name)])];
  const addresses = answers.flatMap((answer) => (answer.kind === "records" ? answer.records : []));
  const failed = answers.find((answer) => answer.kind === "failed");
  return { name, addresses, ...(failed && { failed: printable(failed.cause) }) };
}

function voidsOf({ addresses, failed }: Host, ip4Only = false): Voids {
  if (failed !== undefined) return NO_VOIDS;
  const ip4 = addresses.some((address) => !address.includes(":")) ? 0 : 1;
  return { ip4, ip6: ip4Only ? ip4 : addresses.some((address) => address.includes(":")) ? 0 : 1 };
}

async function ask<T>(lookup: DnsLookup<T>, name: string): Promise<DnsAnswer<T>> {
  return lookup(name);
}
