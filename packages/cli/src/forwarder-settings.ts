// From a checked configuration to a forwarder's settings: reads the files that it names. Called by `homing serve`.
import { dirname, resolve } from "node:path";
import { createForwardClient, type ForwarderSettings } from "@homing/forwarder";
import { createRewriter, type Rewriter } from "@homing/srs-core";
import type { Config } from "./config/schema.ts";
import { checkStrength, readSecretsFile } from "./config/secrets-file.ts";
import { srsDomainsOf } from "./config/srs-domains.ts";
import { readTables } from "./route-tables.ts";

export interface ServiceSettings extends ForwarderSettings {
  /** Files of the tables: a change of one asks for a reload. */
  readonly tableFiles: readonly string[];
}

/**
 * @param configPath file names in the configuration are relative to its folder
 * @param warn is told what does not prevent the start, and should be looked after
 */
export async function readForwarderSettings(
  config: Config,
  configPath: string,
  warn: (message: string) => void,
): Promise<ServiceSettings> {
  const folder = dirname(resolve(configPath));
  const { delivery, dotForward, limits } = config;
  const { tables, files: tableFiles } = await readTables(config, configPath);
  const secrets = await readSecrets(config, folder, warn);
  return {
    hostname: config.hostname,
    listen: config.listen,
    rewriter: rewriterOf(config, secrets, config.srs.domain),
    rewriterByDomain: rewritersByDomain(config, secrets),
    tables,
    tableFiles,
    routes: new Map(Object.entries(delivery.routes)),
    smartHost: delivery.smartHost,
    privateNetworks: delivery.privateNetworks,
    store: config.localDelivery?.store,
    forwards: dotForward && {
      reader: createForwardClient(dotForward.socket),
      choice: dotForward.wrongFile,
    },
    trustedNetworks: config.trustedNetworks,
    maxMessageOctets: limits.messageOctets,
    maxClients: limits.clients,
    maxHops: limits.hops,
    loopSecrets: secrets,
  };
}

/** With the checks that depend on the scheme. */
export async function readSecrets(
  { srs }: Config,
  folder: string,
  warn: (message: string) => void,
): Promise<readonly string[]> {
  const path = resolve(folder, srs.secretsFile);
  const file = await readSecretsFile(path);
  const accept = srs.accept ?? [srs.scheme];
  const warnings = accept.includes("strong")
    ? checkStrength(file, path, { allowed: false })
    : checkStrength(file, path, { allowed: srs.weakSecret, remedy: "set srs.weakSecret to true" });
  for (const warning of warnings) warn(warning);
  return file.secrets;
}

function rewritersByDomain(config: Config, secrets: readonly string[]): ReadonlyMap<string, Rewriter> {
  const entries = Object.entries(config.domainSettings).flatMap(([domain, { srsDomain }]) =>
    srsDomain === undefined ? [] : [[domain, rewriterOf(config, secrets, srsDomain)] as const],
  );
  return new Map(entries);
}

function rewriterOf(config: Config, secrets: readonly string[], domain: string): Rewriter {
  const { srs, domains, domainAliases } = config;
  return createRewriter({
    secrets,
    domain,
    scheme: srs.scheme,
    accept: srs.accept ?? [srs.scheme],
    separator: srs.separator,
    tagLength: srs.tagLength,
    minTagLength: srs.minTagLength ?? srs.tagLength,
    alphabet: srs.alphabet,
    maxAgeDays: srs.maxAgeDays,
    ownDomains: [...domains, ...Object.keys(domainAliases), ...srsDomainsOf(config)],
  });
}
