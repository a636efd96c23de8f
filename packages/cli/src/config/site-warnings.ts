// What is allowed in the map `onBehalf`, and seldom meant: mail of a site that no DMARC check would pass. Told at the start and by
// `homing config check`.
import { isAligned } from "./dkim-keys.ts";
import type { Config } from "./schema.ts";

/** In words. */
export function siteWarnings({ onBehalf, dkim }: Pick<Config, "onBehalf" | "dkim">): readonly string[] {
  const keys = dkim === undefined || dkim === "unsigned" ? [] : dkim.map(({ domain }) => domain);
  return Object.entries(onBehalf?.sites ?? {}).flatMap(([name, { from, bounceDomain }]) => {
    const isSigned = keys.some((domain) => isAligned(domain, from.domain));
    if (isSigned || isAligned(from.domain, bounceDomain)) return [];
    return [
      `warning: onBehalf.sites.${name}: bounceDomain ${bounceDomain} is not below ${from.domain}, and dkim has no key of ` +
        `${from.domain}, so that its mail fails DMARC: choose a bounceDomain below ${from.domain}, or add a key`,
    ];
  });
}
