// From a checked configuration to a forwarder's settings: reads the files that it names. Called by `homing serve`.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { buildAliasTable, type ForwarderSettings } from "@homing/forwarder";
import { createRewriter, type Rewriter } from "@homing/srs-core";
import { configFailure } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import { checkStrength, readSecretsFile } from "./config/secrets-file.ts";
import { systemFailure } from "./failure.ts";

/**
 * @param configPath file names in the configuration are relative to its folder
 * @param warn is told what does not prevent the start, and should be looked after
 */
export async function readForwarderSettings(
  config: Config,
  configPath: string,
  warn: (message: string) => void,
): Promise<ForwarderSettings> {
  const folder = dirname(resolve(configPath));
  const { delivery, limits } = config;
  return {
    hostname: config.hostname,
    listen: config.listen,
    rewriter: await readRewriter(config, folder, warn),
    localDomains: config.domains,
    aliases: await readAliases(resolve(folder, config.aliasesFile), config.domains),
    routes: new Map(Object.entries(delivery.routes)),
    smartHost: delivery.smartHost,
    trustedNetworks: config.trustedNetworks,
    maxMessageOctets: limits.messageOctets,
    maxClients: limits.clients,
  };
}

async function readRewriter(
  { srs, domains }: Config,
  folder: string,
  warn: (message: string) => void,
): Promise<Rewriter> {
  const path = resolve(folder, srs.secretsFile);
  const file = await readSecretsFile(path);
  const accept = srs.accept ?? [srs.scheme];
  const warnings = accept.includes("strong")
    ? checkStrength(file, path, { allowed: false })
    : checkStrength(file, path, { allowed: srs.weakSecret, remedy: "set srs.weakSecret to true" });
  for (const warning of warnings) warn(warning);
  return createRewriter({
    secrets: file.secrets,
    domain: srs.domain,
    scheme: srs.scheme,
    accept,
    separator: srs.separator,
    tagLength: srs.tagLength,
    minTagLength: srs.minTagLength ?? srs.tagLength,
    alphabet: srs.alphabet,
    maxAgeDays: srs.maxAgeDays,
    ownDomains: domains,
  });
}

async function readAliases(path: string, domains: readonly string[]): Promise<ForwarderSettings["aliases"]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`aliases ${path}`, error);
  });
  const built = buildAliasTable(text, domains);
  if (built.ok) return built.table;
  throw configFailure(
    built.problems.map(({ line, column, message }) => `${path}:${line}:${column} ${message}`),
  );
}
