// From a checked configuration to the rewriters of its SRS domains: reads the secrets. Called by forwarder-settings.ts, by the
// adapters and by `homing config check`.
import { resolve } from "node:path";
import { asciiLower, createRewriter, type Rewriter, type SenderStore } from "@homing/srs-core";
import type { Config } from "./config/schema.ts";
import { checkStrength, readSecretsFile } from "./config/secrets-file.ts";
import { srsDomainsOf } from "./config/srs-domains.ts";

type RewritingConfig = Pick<Config, "srs" | "domains" | "domainAliases" | "domainSettings">;

export interface Making {
  readonly config: RewritingConfig;
  /** Newest first. */
  readonly secrets: readonly string[];
  /** Senders that do not fit into an address are kept there. */
  readonly store: SenderStore | undefined;
}

/** With the checks that depend on the scheme. */
export async function readSecrets(
  { srs }: Pick<Config, "srs">,
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

/** Of recipient domains that have an SRS domain of their own. */
export function rewritersByDomain(making: Making): ReadonlyMap<string, Rewriter> {
  const entries = Object.entries(making.config.domainSettings).flatMap(([domain, { srsDomain }]) =>
    srsDomain === undefined ? [] : [[domain, rewriterOf(making, srsDomain)] as const],
  );
  return new Map(entries);
}

/** Those that verify what comes back. @returns undefined for a domain that is none of our SRS domains */
export function rewritersAt(making: Making): (domain: string) => Rewriter | undefined {
  const rewriters = new Map(
    srsDomainsOf(making.config).map((domain) => [domain, rewriterOf(making, domain)]),
  );
  return (domain) => rewriters.get(asciiLower(domain));
}

/** @param domain the SRS domain */
export function rewriterOf({ config, secrets, store }: Making, domain: string): Rewriter {
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
    ...(store ? { store } : {}),
    ownDomains: [...domains, ...Object.keys(domainAliases), ...srsDomainsOf(config)],
  });
}
