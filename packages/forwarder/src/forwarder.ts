// The forwarder, put together: SMTP in, routes, rewriting, SMTP out. Called by the composition root and by tests,
// which pass in time, DNS and randomness.
import { createBounceGate } from "@homing/bounce-handler";
import type { Rewriter, UnixSeconds } from "@homing/srs-core";
import { deliver } from "./deliver.ts";
import type { ForwardClient } from "./dot-forward/forward-client.ts";
import { createForwardPolicy, type ForwardChoice } from "./dot-forward/forward-policy.ts";
import type { Report } from "./events.ts";
import type { HostPort } from "./host-port.ts";
import { deliverLocally, type LocalStore } from "./local-delivery.ts";
import { createLoopTokens } from "./loop-token.ts";
import { blockList, createMayConnect } from "./networks.ts";
import { createNextHops, type MxResolver } from "./next-hops.ts";
import { createReceiver } from "./receive.ts";
import { createRoutes } from "./routes.ts";
import { type ListenPlace, listenSmtp, type SmtpListener } from "./smtp-in.ts";
import { createSrsDomains } from "./srs-domains.ts";
import { isOurs, mainDomain, type Tables } from "./tables/tables.ts";

export interface ForwarderSettings {
  /** Our name in the greeting, in EHLO and in Received fields. */
  readonly hostname: string;
  readonly listen: ListenPlace;
  readonly rewriter: Rewriter;
  /** Of recipient domains that have an SRS domain of their own; domains in lower case. */
  readonly rewriterByDomain?: ReadonlyMap<string, Rewriter>;
  /** Where addresses of ours lead, and which domains are ours. */
  readonly tables: Tables;
  readonly routes: ReadonlyMap<string, HostPort>;
  readonly smartHost?: HostPort | undefined;
  /** Private networks to which the MX records of others may lead. */
  readonly privateNetworks: readonly string[];
  /** Keeps the mail of our domains that no table takes elsewhere. Without one, a next hop in `routes` may. */
  readonly store?: LocalStore | undefined;
  /** Users' .forward files. */
  readonly forwards?: { readonly reader: ForwardClient; readonly choice: ForwardChoice } | undefined;
  /** IP addresses and CIDR networks. */
  readonly trustedNetworks: readonly string[];
  readonly maxMessageOctets: number;
  readonly maxClients: number;
  /** A message with so many Received fields is refused. */
  readonly maxHops: number;
  /** Newest first, as the rewriter's: whoever has them tells a message of ours that comes back. */
  readonly loopSecrets: readonly string[];
}

/** The world outside, as arguments. */
export interface World {
  readonly now: () => UnixSeconds;
  /** A short text that no other message has; it stands in Received fields. */
  readonly newId: () => string;
  readonly random: () => number;
  /** A signal that aborts after so many seconds. */
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly resolver: MxResolver;
  readonly report: Report;
}

export interface Forwarder extends SmtpListener {
  /** From the next RCPT on; what was accepted before goes where it was told. */
  replaceTables(tables: Tables): void;
}

/** Starts listening. Rejects with the system's error where the port cannot be had. */
export async function startForwarder(settings: ForwarderSettings, world: World): Promise<Forwarder> {
  const { hostname } = settings;
  const srsDomains = createSrsDomains(settings.rewriter, settings.rewriterByDomain ?? new Map());
  let { tables } = settings;
  const findNextHops = createNextHops({
    routes: settings.routes,
    smartHost: settings.smartHost,
    resolver: world.resolver,
    random: world.random,
    mayConnect: createMayConnect(settings.privateNetworks),
  });
  const receiver = createReceiver({
    hostname,
    rewriterFor: (recipient) => srsDomains.forRecipientsAt(mainDomain(tables.rules, recipient.domain)),
    rewriterAt: srsDomains.at,
    isOurDomain: (domain) => isOurs(tables.rules, domain),
    routes: createRoutes({
      tables: () => tables,
      gate: createBounceGate(srsDomains.at),
      forwards: settings.forwards && {
        reader: settings.forwards.reader,
        policy: createForwardPolicy({ choice: settings.forwards.choice }),
        now: world.now,
        alarm: (alarm) => world.report({ event: "forward-file", ...alarm }),
        unavailable: (user, cause) => world.report({ event: "forward-unavailable", user, cause }),
      },
    }),
    trusted: blockList(settings.trustedNetworks),
    loopTokens: createLoopTokens(settings.loopSecrets),
    maxHops: settings.maxHops,
    deliver(envelope, message, timeIsUp) {
      const { store } = settings;
      if (store && isOurs(tables.rules, envelope.recipient.domain)) {
        const { newId, now } = world;
        return deliverLocally(store, { hostname, timeIsUp, newId, now }, envelope, message);
      }
      return deliver({ findNextHops, hostname, timeIsUp }, envelope, message);
    },
    now: world.now,
    timeLimit: world.timeLimit,
    newId: world.newId,
    report: world.report,
  });
  const { listen, maxMessageOctets, maxClients } = settings;
  const listener = await listenSmtp({ ...listen, hostname, maxMessageOctets, maxClients }, receiver);
  return {
    ...listener,
    async close() {
      await listener.close();
      settings.forwards?.reader.close();
    },
    replaceTables(next) {
      tables = next;
    },
  };
}
