// The sites of a configuration, with the files that it names for them. Called by sites.ts and `homing config check`.
import { createHmac } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Site } from "@homing/on-behalf";
import { asciiLower, createRewriter, type Rewriter } from "@homing/srs-core";
import { attempt, reasonOf } from "../attempt.ts";
import { configFailure, problemsOf } from "../config/config-problem.ts";
import type { Config } from "../config/schema.ts";
import type { WeakSecrets } from "../config/secrets-file.ts";
import type { CommandFailure } from "../failure.ts";
import { type KeyFile, keyClashes, readKeyFile, type WhichFile } from "./key-files.ts";

export interface ReadSites {
  readonly sites: readonly Site[];
  /** That sign links, newest first. */
  readonly linkKeys: readonly string[];
  /** Of the SRS addresses of each site, by bounce domain. */
  readonly rewriters: ReadonlyMap<string, Rewriter>;
}

/** What is wrong with all the files together is one CommandFailure. Undefined without sites. */
export async function readSites(config: Config, configPath: string): Promise<ReadSites | undefined> {
  const { onBehalf, srs } = config;
  if (!onBehalf) return undefined;
  const given = Object.entries(onBehalf.sites);
  const folder = dirname(resolve(configPath));
  const files: KeyFile[] = [];
  const failures: CommandFailure[] = [];
  const read = async (file: string, which: WhichFile): Promise<readonly string[]> => {
    const got = await attempt(() => readKeyFile(resolve(folder, file), which));
    if (got.ok) files.push(got.value);
    else failures.push(got.failure);
    return got.ok ? got.value.secrets : [];
  };

  // Of two files that share a key, the later one is blamed.
  const setting = "srs.secretsFile";
  const srsSecrets = await read(srs.secretsFile, { setting, use: SRS, weak: weakSecrets(config) });
  const secrets = new Map<string, readonly string[]>();
  for (const [name, { secretsFile }] of given) {
    const which = { setting: `onBehalf.sites.${name}.secretsFile`, use: `SRS addresses of ${name}` };
    if (secretsFile !== undefined) secrets.set(name, await read(secretsFile, which));
  }
  const linkKeys = await read(onBehalf.keysFile, { setting: "onBehalf.keysFile", use: "links" });
  const keys = new Map<string, readonly string[]>();
  for (const [name, { keysFile }] of given) {
    const which = { setting: `onBehalf.sites.${name}.keysFile`, use: `site ${name}` };
    keys.set(name, await read(keysFile, which));
  }

  const problems = [...failures.flatMap(problemsOf), ...keyClashes(files)];
  if (problems.length > 0) throw configFailure(problems, { reason: reasonOf(failures) });
  const sites = given.map(([name, site]) => siteOf(name, site, keys.get(name) ?? []));
  const rewriters = sites.map(({ name, bounceDomain }) => {
    const own = secrets.get(name) ?? secretsFor(bounceDomain, srsSecrets);
    return [bounceDomain, rewriterOfSite(bounceDomain, own, srs.maxAgeDays)] as const;
  });
  return { sites, linkKeys, rewriters: new Map(rewriters) };
}

const SRS = "SRS addresses of forwarded mail";

/** Those of sites are strong ones, whatever the forwarder's own are. */
function weakSecrets({ onBehalf, srs }: Config): WeakSecrets {
  const isOfSites = Object.values(onBehalf?.sites ?? {}).some(({ secretsFile }) => secretsFile === undefined);
  return srs.weakSecret
    ? { allowed: !isOfSites, remedy: "name a secretsFile for each of onBehalf.sites" }
    : { allowed: !isOfSites };
}

type GivenSite = NonNullable<Config["onBehalf"]>["sites"][string];

function siteOf(name: string, given: GivenSite, keys: readonly string[]): Site {
  const { title, from, fromMode, returnTo = from, profiles, returnUrls, limits } = given;
  return {
    ...{ name, title, from, fromMode, returnTo, returnUrls, limits, keys },
    bounceDomain: asciiLower(given.bounceDomain),
    profiles: new Set(profiles),
  };
}

/**
 * Of a site without secrets of its own. A tag says nothing of its domain: with one secret for all, an SRS address of one site
 * would be good at every other, and bring it forged bounces.
 */
function secretsFor(bounceDomain: string, secrets: readonly string[]): readonly string[] {
  const of = (secret: string): string =>
    createHmac("sha256", secret).update(`homing-bounce-domain-v1\0${bounceDomain}`).digest("base64");
  return secrets.map(of);
}

/** Of every sender, those of our own domains, too: a bounce must come here, and say about whom. */
export function rewriterOfSite(domain: string, secrets: readonly string[], maxAgeDays: number): Rewriter {
  return createRewriter({ secrets, domain, scheme: "strong", alwaysRewrite: true, maxAgeDays });
}
