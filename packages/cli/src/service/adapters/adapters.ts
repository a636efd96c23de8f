// The MTA adapters of a process, put together: what they answer from, and the listeners. Called by `homing serve`, and by
// `homing socketmap` and its like, which run one of them alone.
import { dirname, resolve } from "node:path";
import { createBounceGate, createGuessBudget } from "@homing/bounce-handler/gate";
import type { Dns, State, Tables, UserForwards } from "@homing/forwarder";
import { createForwardClient, createForwardPolicy } from "@homing/forwarder/dot-forward";
import { blockList, isListed, type TrustedForwarder } from "@homing/forwarder/trust";
import { type AdapterListener, type AdapterName, createSrsMaps, listenAdapter } from "@homing/mta-adapters";
import { ADAPTER_NAMES } from "../../config/adapter-places.ts";
import type { AdapterSettings } from "../../config/adapter-settings.ts";
import type { Config } from "../../config/schema.ts";
import { listenFailure } from "../../failure.ts";
import { readSecrets, rewriterOf, rewritersAt } from "../../rewriters.ts";
import { unixMilliseconds, unixNow } from "../../time.ts";
import { createLeavesSite } from "../leaves-site.ts";
import { type NamedPlace, placesOf, renderPlace } from "./adapter-places.ts";
import { type AdapterParts, protocolOf } from "./adapter-protocols.ts";
import { createOnlySrs } from "./only-srs.ts";
import { watchOwnDomains } from "./own-domains.ts";
import { createSenderRewriting } from "./sender-rewriting.ts";
import { createSenders } from "./senders.ts";

export interface AdapterOptions {
  readonly config: Config;
  /** File names in the configuration are relative to its folder. */
  readonly configPath: string;
  readonly adapters: AdapterSettings;
  /** Where mail of ours goes: the milter asks which of it leaves. */
  readonly tables: Tables;
  /** Those to start, of the ones that are configured. Default: all. */
  readonly names?: readonly AdapterName[];
  /** Senders that do not fit into an address are kept there. */
  readonly keptSenders: State["keptSenders"] | undefined;
  readonly dns: Dns;
  /** A signal that aborts after so many seconds. */
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly log: (event: object) => void;
  readonly warn: (message: string) => void;
}

export interface RunningAdapters {
  /** Reads files of own domains anew; what cannot be read is logged. */
  reread(): Promise<void>;
  replaceTrusted(entries: readonly TrustedForwarder[]): void;
  replaceTables(tables: Tables): void;
  close(): Promise<void>;
}

/** All of them, or no open port. */
export async function startAdapters(options: AdapterOptions): Promise<RunningAdapters> {
  const { adapters, names = ADAPTER_NAMES, log } = options;
  const parts = await createParts(options);
  const listeners: AdapterListener[] = [];
  const close = async (): Promise<void> => {
    parts.close();
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    for (const name of names) {
      const connections = adapters[name]?.connections ?? 0;
      for (const named of await placesOf(adapters, name))
        listeners.push(await listen(options, parts, { name, connections, named }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  for (const { adapter, place } of listeners)
    log({ event: "adapter-listening", adapter, place: renderPlace(place) });
  const { reread, replaceTrusted, replaceTables } = parts;
  return { reread, replaceTrusted, replaceTables, close };
}

interface Listening {
  readonly name: AdapterName;
  readonly connections: number;
  readonly named: NamedPlace;
}

async function listen(
  { configPath, log }: AdapterOptions,
  parts: Parts,
  { name, connections, named: { place, setting, map } }: Listening,
): Promise<AdapterListener> {
  return await listenAdapter({
    adapter: name,
    place,
    protocol: protocolOf(name, parts, map),
    maxConnections: connections,
    report: log,
    nowMs: unixMilliseconds,
  }).catch((error: unknown) => {
    throw listenFailure(error, renderPlace(place), `change ${setting} in ${configPath}`);
  });
}

interface Parts extends AdapterParts, RunningParts {}

interface RunningParts {
  reread(): Promise<void>;
  replaceTrusted(entries: readonly TrustedForwarder[]): void;
  replaceTables(tables: Tables): void;
  close(): void;
}

async function createParts(options: AdapterOptions): Promise<Parts> {
  const { config, configPath, adapters, keptSenders, log, warn } = options;
  const folder = dirname(resolve(configPath));
  const secrets = await readSecrets(config, folder, warn);
  const making = { config, secrets, store: keptSenders?.store };
  const ownDomains = await watchOwnDomains({ config, folder, log });
  const budget = createGuessBudget((alarm) => log({ event: "guessing", ...alarm }));
  const gate = createBounceGate(rewritersAt(making), budget);
  const rewriter = createSenderRewriting(rewriterOf(making, config.srs.domain), keptSenders);
  let { tables } = options;
  const onlySrs = createOnlySrs(config, () => tables);
  const { isNobody } = onlySrs;
  const maps = createSrsMaps({ rewriter, gate, isNobody, ownDomains: ownDomains.domains, now: unixNow });
  const trustedNetworks = blockList(config.trustedNetworks);
  const isTrustedClient = (address: string): boolean => isListed(trustedNetworks, address);
  const senders = await createSenders({ ...options, folder, secrets, gate, isTrustedClient });
  return {
    config,
    adapters,
    rewriter,
    maps,
    gate,
    onlySrs,
    senders: senders.checks,
    isTrustedClient,
    ownDomains: ownDomains.domains,
    leavesSite: createLeavesSite({
      tables: () => tables,
      ownDomains: ownDomains.domains,
      forwards: userForwards(options),
    }),
    dns: options.dns,
    timeLimit: options.timeLimit,
    now: unixNow,
    report: log,
    reread: ownDomains.reread,
    replaceTrusted: senders.replaceTrusted,
    replaceTables(fresh) {
      tables = fresh;
    },
    close: ownDomains.close,
  };
}

function userForwards({ config: { dotForward }, log }: AdapterOptions): UserForwards | undefined {
  if (!dotForward) return undefined;
  return {
    reader: createForwardClient(dotForward.socket),
    policy: createForwardPolicy({ choice: dotForward.wrongFile }),
    now: unixNow,
    alarm: (alarm) => log({ event: "forward-file", ...alarm }),
    unavailable: (user, cause) => log({ event: "forward-unavailable", user, cause }),
  };
}
