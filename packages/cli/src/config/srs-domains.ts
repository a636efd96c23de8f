// The SRS domains that a configuration names. Called where each of them counts: the tables, the rewriters, DNS.
import { asciiLower } from "@homing/srs-core";
import type { Config } from "./schema.ts";

type Settings = Pick<Config, "srs" | "domainSettings">;
type SiteSettings = Pick<Config, "onBehalf">;

/** In lower case, each once, the usual one first. */
export function srsDomainsOf({ srs, domainSettings }: Settings): readonly string[] {
  const own = Object.values(domainSettings).flatMap(({ srsDomain }) => srsDomain ?? []);
  return [...new Set([srs.domain, ...own].map(asciiLower))];
}

/** Of web sites that send for their users, in lower case. */
export function bounceDomainsOf({ onBehalf }: SiteSettings): readonly string[] {
  return Object.values(onBehalf?.sites ?? {}).map(({ bounceDomain }) => asciiLower(bounceDomain));
}
