// A DNS server asked through node:dns, which is c-ares. Called by servers.ts.
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { type HostPort, parseHostPort, renderHostPort } from "../host-port.ts";
import { type DnsServer, failed, type Heard, type Query, type RecordOf, type RecordType } from "./query.ts";

/**
 * c-ares waits that long for a server that it does not know yet, and for the others a multiple of their usual time,
 * down to a second: with two tries it gave up on a slow name after 2 s, whatever `timeout` said (1.34). So it tries six
 * times, each time longer: a query is sent again after 1, 2, 3, 5, 8 s, and has failed after 13.
 */
const PATIENCE = { timeout: 1_000, tries: 6, maxTimeout: 5_000 };
const DNS_PORT = 53;

/** @param place undefined leaves the choice of servers to c-ares, which reads resolv.conf */
export function createCares(place: HostPort | undefined): DnsServer {
  const resolver = new Resolver(PATIENCE);
  if (place) resolver.setServers([renderHostPort(place)]);
  const asks = asksOf(resolver);
  return {
    async ask<T extends RecordType>({ type, name }: Query<T>) {
      try {
        return await asks[type](name);
      } catch (error) {
        return heardOf(error);
      }
    },
    close: () => resolver.cancel(),
  };
}

/** Names are asked for as they are: node:dns does not use the search list of resolv.conf. */
function asksOf(resolver: Resolver): {
  readonly [T in RecordType]: (name: string) => Promise<Heard<T>>;
} {
  return {
    A: async (name) => withTtl(await resolver.resolve4(name, { ttl: true })),
    AAAA: async (name) => withTtl(await resolver.resolve6(name, { ttl: true })),
    MX: async (name) =>
      recordsOf<"MX">(
        (await resolver.resolveMx(name)).map(({ exchange, priority }) => ({ exchange, priority })),
      ),
    PTR: async (name) => recordsOf<"PTR">(await resolver.resolvePtr(name)),
    TXT: async (name) =>
      recordsOf<"TXT">((await resolver.resolveTxt(name)).map((strings) => strings.join(""))),
  };
}

function recordsOf<T extends RecordType>(records: readonly RecordOf[T][]): Heard<T> {
  return { kind: "records", records };
}

function withTtl(
  found: readonly { readonly address: string; readonly ttl: number }[],
): Heard<"A"> & Heard<"AAAA"> {
  const seconds = Math.min(...found.map(({ ttl }) => ttl));
  return { kind: "records", records: found.map(({ address }) => address), seconds };
}

function heardOf(error: unknown): Heard<never> {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  // The name exists, without such a record.
  if (code === "ENODATA") return { kind: "records", records: [] };
  if (code === "ENOTFOUND") return { kind: "no-such-name" };
  return failed(code);
}

/** Those of resolv.conf, now. Undefined where one has a scope (`fe80::1%eth0`), which node:dns keeps to itself. */
export function systemServers(): readonly HostPort[] | undefined {
  const places = new Resolver().getServers().map(placeOf);
  const known = places.filter((place) => place !== undefined);
  return known.length === places.length && known.length > 0 ? known : undefined;
}

function placeOf(text: string): HostPort | undefined {
  const place = isIP(text) > 0 ? { host: text, port: DNS_PORT } : parseHostPort(text);
  return place && !/^fe[89ab]/i.test(place.host) ? place : undefined;
}
