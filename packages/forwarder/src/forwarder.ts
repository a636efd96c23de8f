// The forwarder, put together: SMTP in, routes, rewriting, SMTP out. Called by the composition root and by tests,
// which pass in time, DNS and randomness.
import { BlockList } from "node:net";
import { createBounceGate } from "@homing/bounce-handler";
import type { Rewriter, UnixSeconds } from "@homing/srs-core";
import type { AliasTable } from "./alias-table.ts";
import { deliver } from "./deliver.ts";
import type { Report } from "./events.ts";
import type { HostPort } from "./host-port.ts";
import { createNextHops, type MxResolver } from "./next-hops.ts";
import { createReceiver } from "./receive.ts";
import { createRoutes } from "./routes.ts";
import { listenSmtp, type SmtpListener } from "./smtp-in.ts";

export interface ForwarderSettings {
  /** Our name in the greeting, in EHLO and in Received fields. */
  readonly hostname: string;
  readonly listen: HostPort;
  readonly rewriter: Rewriter;
  readonly localDomains: readonly string[];
  readonly aliases: AliasTable;
  readonly routes: ReadonlyMap<string, HostPort>;
  readonly smartHost?: HostPort | undefined;
  /** IP addresses and CIDR networks. */
  readonly trustedNetworks: readonly string[];
  readonly maxMessageOctets: number;
  readonly maxClients: number;
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

/** Starts listening. Rejects with the system's error where the port cannot be had. */
export function startForwarder(settings: ForwarderSettings, world: World): Promise<SmtpListener> {
  const { hostname, rewriter, localDomains } = settings;
  const findNextHops = createNextHops({
    routes: settings.routes,
    smartHost: settings.smartHost,
    resolver: world.resolver,
    random: world.random,
  });
  const receiver = createReceiver({
    hostname,
    rewriter,
    localDomains,
    routes: createRoutes({
      ownNames: [hostname, rewriter.domain],
      aliases: settings.aliases,
      localDomains,
      gate: createBounceGate(rewriter),
    }),
    trusted: blockList(settings.trustedNetworks),
    deliver: (envelope, message, timeIsUp) =>
      deliver({ findNextHops, hostname, timeIsUp }, envelope, message),
    now: world.now,
    timeLimit: world.timeLimit,
    newId: world.newId,
    report: world.report,
  });
  const { listen, maxMessageOctets, maxClients } = settings;
  return listenSmtp({ ...listen, hostname, maxMessageOctets, maxClients }, receiver);
}

/** Throws where a network is none: whoever reads the configuration has checked it. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = address.includes(":") ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return list;
}
