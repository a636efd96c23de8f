// From a checked configuration to a forwarder's settings: reads the files that it names. Called by `homing serve`.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { buildAliasTable, type ForwarderSettings } from "@homing/forwarder";
import { createRewriter } from "@homing/srs-core";
import { configFailure } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import { readSecretsFile, requireStrong } from "./config/secrets-file.ts";
import { systemFailure } from "./failure.ts";

/** @param configPath file names in the configuration are relative to its folder */
export async function readForwarderSettings(config: Config, configPath: string): Promise<ForwarderSettings> {
  const folder = dirname(resolve(configPath));
  const { srs, delivery, limits } = config;
  const secretsPath = resolve(folder, srs.secretsFile);
  const secretsFile = await readSecretsFile(secretsPath);
  requireStrong(secretsFile, secretsPath);
  return {
    hostname: config.hostname,
    listen: config.listen,
    rewriter: createRewriter({
      secrets: secretsFile.secrets,
      domain: srs.domain,
      scheme: srs.scheme,
      separator: srs.separator,
      tagLength: srs.tagLength,
      maxAgeDays: srs.maxAgeDays,
      ownDomains: config.domains,
    }),
    localDomains: config.domains,
    aliases: await readAliases(resolve(folder, config.aliasesFile), config.domains),
    routes: new Map(Object.entries(delivery.routes)),
    smartHost: delivery.smartHost,
    trustedNetworks: config.trustedNetworks,
    maxMessageOctets: limits.messageOctets,
    maxClients: limits.clients,
  };
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
