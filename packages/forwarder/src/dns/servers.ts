// Which server is asked, and when the next one is. Called by dns.ts.
import type { Clock } from "../outbound/clock.ts";
import { type DnsServer, failed, type Heard, type Query, type RecordType } from "./query.ts";

/** A server that has not answered yet is not given up: the next one is asked beside it, and the first answer counts. */
const NEXT_AFTER_MS = 2_000;
/** A session waits for the answer, and an SPF check of several look-ups has 20 s (RFC 7208 §4.6.4). */
const GIVE_UP_AFTER_MS = 12_000;
/** So long, a server that was silent is asked last; then one look-up finds out. */
const SICK_MS = 30_000;

/** What says that the server is away, and not that it does not know. */
const AWAY: readonly string[] = ["ETIMEOUT", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH"];

interface Known {
  readonly server: DnsServer;
  /** 0: it answered. */
  sickUntil: number;
}

/** All of them as one. */
export function createServers(servers: readonly DnsServer[], clock: Clock): DnsServer {
  const known: readonly Known[] = servers.map((server) => ({ server, sickUntil: 0 }));
  let closed = false;

  function inOrder(): readonly Known[] {
    const time = clock.now();
    const sick = known.filter(({ sickUntil }) => time < sickUntil);
    const well = known.filter((one) => !sick.includes(one));
    // Only this look-up waits for it, if it is still away.
    for (const one of well) if (one.sickUntil > 0) fallSick(one);
    return [...well, ...sick];
  }

  function fallSick(one: Known): void {
    one.sickUntil = clock.now() + SICK_MS;
  }

  async function askOne<T extends RecordType>(one: Known, query: Query<T>): Promise<Heard<T>> {
    if (closed) return failed("ECANCELLED");
    const heard = await one.server.ask(query);
    if (heard.kind === "failed" && AWAY.includes(heard.code)) fallSick(one);
    else one.sickUntil = 0;
    return heard;
  }

  return {
    ask: (query) => firstAnswer(inOrder(), { clock, ask: (one) => askOne(one, query), overtaken: fallSick }),
    close() {
      closed = true;
      for (const { server } of known) server.close();
    },
  };
}

interface Turns<T extends RecordType> {
  readonly clock: Clock;
  readonly ask: (one: Known) => Promise<Heard<T>>;
  /** It is silent, and one that was asked later has answered. */
  readonly overtaken: (one: Known) => void;
}

/**
 * The first answer about the name. A failure has the next one asked at once: c-ares would not, and a server that
 * cannot validate a zone, or cannot reach it, says nothing about the others.
 */
function firstAnswer<T extends RecordType>(
  order: readonly Known[],
  { clock, ask, overtaken }: Turns<T>,
): Promise<Heard<T>> {
  const { promise, resolve } = Promise.withResolvers<Heard<T>>();
  const silent = new Set<Known>();
  let next = 0;
  let code = "ETIMEOUT";
  let stopPatience = (): void => {};
  const stopEnd = clock.after(GIVE_UP_AFTER_MS, () => settle(failed(code)));

  function settle(heard: Heard<T>): void {
    stopEnd();
    stopPatience();
    next = order.length;
    resolve(heard);
  }

  async function askNext(): Promise<void> {
    stopPatience();
    const one = order[next++];
    if (!one) return;
    stopPatience = clock.after(NEXT_AFTER_MS, () => void askNext());
    const before = [...silent];
    silent.add(one);
    const heard = await ask(one);
    silent.delete(one);
    if (heard.kind !== "failed") {
      for (const earlier of before) if (silent.has(earlier)) overtaken(earlier);
      return settle(heard);
    }
    // What one server says tells more than the silence of another.
    if (AWAY.includes(code)) code = heard.code;
    if (next < order.length) return askNext();
    if (silent.size === 0) settle(failed(code));
  }

  void askNext();
  return promise;
}
