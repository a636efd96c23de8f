// From a checked configuration to a forwarder's settings: reads the files that it names. Called by `homing serve`.
import { dirname, resolve } from "node:path";
import type { ForwarderSettings, NextHop, State } from "@homing/forwarder";
import { createMessageSigner, type OutboundLimits } from "@homing/forwarder/settings";
import { asciiLower } from "@homing/srs-core";
import { bouncePolicyOf } from "./bounce-policy.ts";
import { type ReadKey, readDkimKeys } from "./config/dkim-keys.ts";
import type { Config } from "./config/schema.ts";
import { readSecretsFile } from "./config/secrets-file.ts";
import { readAuthentication, readSealKey } from "./read-authentication.ts";
import { readSecrets, rewriterOf, rewritersByDomain } from "./rewriters.ts";
import { readTables } from "./route-tables.ts";
import { readTls } from "./service/tls-files.ts";
import { unixNow } from "./time.ts";

export interface ServiceSettings extends ForwarderSettings {
  /** Files of the tables: a change of one asks for a reload. */
  readonly tableFiles: readonly string[];
  /** Those that sign. */
  readonly dkimKeys: readonly ReadKey[];
  /** That seals. */
  readonly sealKey: ReadKey | undefined;
}

/**
 * @param configPath file names in the configuration are relative to its folder
 * @param state senders that do not fit into an address are kept there
 * @param warn is told what does not prevent the start, and should be looked after
 */
export async function readForwarderSettings(
  config: Config,
  configPath: string,
  warn: (message: string) => void,
  state?: State,
): Promise<ServiceSettings> {
  const folder = dirname(resolve(configPath));
  const { delivery, dotForward, limits, queue } = config;
  const { tables, files: tableFiles } = await readTables(config, configPath);
  const secrets = await readSecrets(config, folder, warn);
  const dkimKeys = await readDkimKeys(config, folder, warn);
  const sealKey = await readSealKey(config, folder, warn);
  const making = { config, secrets, store: state?.keptSenders.store };
  return {
    hostname: config.hostname,
    listen: config.listen,
    rewriter: rewriterOf(making, config.srs.domain),
    rewriterByDomain: rewritersByDomain(making),
    state,
    tables,
    tableFiles,
    routes: new Map(Object.entries(delivery.routes)),
    smartHost: await smartHostOf(delivery, folder),
    outbound: outboundLimits(delivery),
    privateNetworks: delivery.privateNetworks,
    mtaSts: delivery.mtaSts,
    store: config.localDelivery?.store,
    forwards: dotForward && {
      reader: (await import("@homing/forwarder/dot-forward")).createForwardClient(dotForward.socket),
      choice: dotForward.wrongFile,
    },
    trustedNetworks: config.trustedNetworks,
    xclientNetworks: config.xclientNetworks,
    proxyNetworks: config.proxyNetworks,
    tls: await readTls(config, configPath),
    dkimKeys,
    sealKey,
    sign: dkimKeys.length > 0 ? createMessageSigner(dkimKeys, unixNow) : undefined,
    bouncePolicy: bouncePolicyOf(config),
    rememberHeaders: config.bounces.remember === "headers",
    authentication: await readAuthentication(config, { folder, secrets, warn, sealKey }),
    notSealed: new Set(config.authentication.arc?.except.map(asciiLower)),
    forwardedFields: delivery.forwardedFields,
    limits,
    greetDelayMs: limits.greetDelayMs,
    minFreeOctets: limits.freeOctets,
    maxMessageOctets: limits.messageOctets,
    maxClients: limits.clients,
    maxHops: limits.hops,
    loopSecrets: secrets,
    spoolFirst: delivery.acceptance === "spooled",
    waits: { verified: delivery.waits.verifiedSeconds, unverified: delivery.waits.unverifiedSeconds },
    queueTimes: {
      mail: queue.mailHours * HOUR,
      dsn: queue.dsnHours * HOUR,
      delayNotice: queue.delayNoticeHours * HOUR,
      firstRetry: queue.firstRetryMinutes * MINUTE,
      maxRetry: queue.maxRetryMinutes * MINUTE,
    },
    maxAttempts: queue.attempts,
    maxAttemptsPerDomain: queue.attemptsPerDomain,
  };
}

async function smartHostOf(
  { smartHost, smartHostTls, smartHostImplicitTls, smartHostLogin }: Config["delivery"],
  folder: string,
): Promise<NextHop | undefined> {
  if (!smartHost) return undefined;
  const hop: NextHop = {
    ...smartHost,
    ...(smartHostTls ? { tls: smartHostTls } : {}),
    ...((smartHostImplicitTls ?? smartHost.port === SUBMISSIONS_PORT) ? { implicitTls: true } : {}),
  };
  if (!smartHostLogin) return hop;
  const { secrets } = await readSecretsFile(resolve(folder, smartHostLogin.passwordFile));
  return { ...hop, credentials: { user: smartHostLogin.user, password: secrets[0] ?? "" } };
}

function outboundLimits({ connections, messagesPerSecond }: Config["delivery"]): Partial<OutboundLimits> {
  return {
    maxConnections: connections.perServer,
    queueConnections: connections.perServerOfQueue,
    maxTotal: connections.inAll,
    maxMessagesPerConnection: connections.messages,
    idleSeconds: connections.idleSeconds,
    messagesPerSecond,
  };
}

/** RFC 8314 §7.3: submission over TLS, from the first octet. */
const SUBMISSIONS_PORT = 465;
const MINUTE = 60;
const HOUR = 3600;
