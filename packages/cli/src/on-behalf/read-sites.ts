// The sites of a configuration, with the files that it names for them. Called by sites.ts and `homing config check`.
import { dirname, resolve } from "node:path";
import type { Site } from "@homing/on-behalf";
import { asciiLower, createRewriter, type Rewriter } from "@homing/srs-core";
import type { Config } from "../config/schema.ts";
import { checkStrength, readSecretsFile } from "../config/secrets-file.ts";
import { CommandFailure } from "../failure.ts";

export interface ReadSites {
  readonly sites: readonly Site[];
  /** That sign links, newest first. */
  readonly linkKeys: readonly string[];
  /** Of the SRS addresses of each site, by bounce domain. */
  readonly rewriters: ReadonlyMap<string, Rewriter>;
}

/** What is wrong with a file is one CommandFailure. Undefined without sites. */
export async function readSites(config: Config, configPath: string): Promise<ReadSites | undefined> {
  const { onBehalf, srs } = config;
  if (!onBehalf) return undefined;
  const folder = dirname(resolve(configPath));
  const strong = async (name: string): Promise<readonly string[]> => {
    const path = resolve(folder, name);
    const file = await readSecretsFile(path);
    checkStrength(file, path, { allowed: false });
    return file.secrets;
  };
  const linkKeys = await strong(onBehalf.keysFile);
  const sites: Site[] = [];
  const rewriters = new Map<string, Rewriter>();
  for (const [name, given] of Object.entries(onBehalf.sites)) {
    const bounceDomain = asciiLower(given.bounceDomain);
    sites.push({
      ...{ name, bounceDomain },
      title: given.title,
      from: given.from,
      fromMode: given.fromMode,
      returnTo: given.returnTo ?? given.from,
      profiles: new Set(given.profiles),
      returnUrls: given.returnUrls,
      limits: given.limits,
      keys: await strong(given.keysFile),
    });
    const secrets = await strong(given.secretsFile ?? srs.secretsFile);
    rewriters.set(bounceDomain, rewriterOfSite(bounceDomain, secrets, srs.maxAgeDays));
  }
  checkKeys(sites);
  return { sites, linkKeys, rewriters };
}

/** Of every sender, those of our own domains, too: a bounce must come here, and say about whom. */
export function rewriterOfSite(domain: string, secrets: readonly string[], maxAgeDays: number): Rewriter {
  return createRewriter({ secrets, domain, scheme: "strong", alwaysRewrite: true, maxAgeDays });
}

/** A key says which site it is. */
function checkKeys(sites: readonly Site[]): void {
  const owners = new Map<string, string>();
  for (const { name, keys } of sites) {
    for (const key of keys) {
      const owner = owners.get(key);
      if (owner !== undefined && owner !== name)
        throw new CommandFailure(
          "config",
          `onBehalf.sites: ${owner} and ${name} have one key: give each its own`,
        );
      owners.set(key, name);
    }
  }
}
