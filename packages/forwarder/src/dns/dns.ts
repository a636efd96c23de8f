// The DNS client of the service: what was asked is known for a while, and asked once at a time (ADR 0024). Made by the
// composition root. The one other place that looks names up is nodemailer, for the host names of routes and smart hosts:
// those may be in the hosts file.
import type { DnsAnswer, DnsLookup, SpfResolver } from "@homing/spf";
import { printable } from "@homing/srs-core";
import type { HostPort } from "../host-port.ts";
import type { Clock } from "../outbound/clock.ts";
import { systemServers } from "./c-ares.ts";
import { type CacheLimits, createCache } from "./cache.ts";
import { createDnsServer } from "./dns-server.ts";
import { type Heard, queryName, type RecordOf, type RecordType } from "./query.ts";
import { createServers } from "./servers.ts";

export interface DnsOptions {
  /** IP addresses; none: the system's. */
  readonly servers?: readonly HostPort[];
  readonly clock: Clock;
  /** For messages of our own: 0–65535, not to be guessed. */
  readonly newId: () => number;
  readonly limits?: CacheLimits;
}

/** Look-ups never reject. What is known comes as a value, and all else as a promise. */
export interface Dns extends SpfResolver {
  /** Ends what is asked: it has failed. Nothing is asked from then on. */
  close(): void;
}

/** A record of 250 octets, as most are, is some 600 here. */
const LIMITS: CacheLimits = { entries: 50_000, octets: 32 * 1024 * 1024 };

/** Milliseconds. */
const KEPT = {
  /** Whatever the TTL says: a mistake in DNS that is mended has an end here, too. */
  longest: 3_600_000,
  /** node:dns tells a TTL for addresses only. */
  unknownTtl: 60_000,
  /** No such name, or no such record: RFC 2308 §5 has a TTL for it, which node:dns does not tell. */
  nothing: 60_000,
  /** A flood must not ask a broken server once for each message, and a server that is mended must be heard soon. */
  failure: 4_000,
} as const;

const NO_SUCH_NAME = { kind: "no-such-name" } as const;

export function createDns({ servers = [], clock, newId, limits = LIMITS }: DnsOptions): Dns {
  const places = servers.length > 0 ? servers : (systemServers() ?? [undefined]);
  const server = createServers(
    places.map((place) => createDnsServer(place, { clock, newId })),
    clock,
  );
  const known = createCache<DnsAnswer<unknown>>(limits);
  const underWay = new Map<string, Promise<DnsAnswer<unknown>>>();

  async function ask(type: RecordType, name: string, key: string): Promise<DnsAnswer<unknown>> {
    const heard = await server.ask({ type, name });
    underWay.delete(key);
    const answer = answerOf(heard, type, name);
    known.set(key, answer, { until: clock.now() + keptMs(heard), size: sizeOf(answer) });
    return answer;
  }

  /** One key has one type of records. */
  function lookup<T extends RecordType>(type: T): DnsLookup<RecordOf[T]> {
    return (text) => {
      const name = queryName(text);
      if (name === undefined) return NO_SUCH_NAME;
      const key = `${type} ${name}`;
      const answer = known.get(key, clock.now());
      if (answer) return answer as DnsAnswer<RecordOf[T]>;
      const asked = underWay.get(key) ?? ask(type, name, key);
      underWay.set(key, asked);
      return asked as Promise<DnsAnswer<RecordOf[T]>>;
    };
  }

  return {
    txt: lookup("TXT"),
    a: lookup("A"),
    aaaa: lookup("AAAA"),
    mx: lookup("MX"),
    ptr: lookup("PTR"),
    close: () => server.close(),
  };
}

function answerOf(heard: Heard, type: RecordType, name: string): DnsAnswer<unknown> {
  switch (heard.kind) {
    case "records":
      return { kind: "records", records: heard.records };
    case "no-such-name":
      return NO_SUCH_NAME;
    case "failed":
      return { kind: "failed", cause: `DNS: ${heard.code} for the ${type} of ${printable(name)}` };
  }
}

function keptMs(heard: Heard): number {
  if (heard.kind === "failed") return KEPT.failure;
  if (heard.kind === "no-such-name" || heard.records.length === 0) return KEPT.nothing;
  return heard.seconds === undefined ? KEPT.unknownTtl : Math.min(heard.seconds * 1_000, KEPT.longest);
}

/** Characters: strings of octets are one octet each in V8. */
function sizeOf(answer: DnsAnswer<unknown>): number {
  if (answer.kind === "no-such-name") return 0;
  if (answer.kind === "failed") return answer.cause.length;
  return answer.records.reduce<number>((sum, record) => sum + recordSize(record), 0);
}

/** An array's slot, and an MX record's object. */
const RECORD_OVERHEAD = 64;

function recordSize(record: unknown): number {
  const text = typeof record === "string" ? record : JSON.stringify(record);
  return RECORD_OVERHEAD + text.length;
}
