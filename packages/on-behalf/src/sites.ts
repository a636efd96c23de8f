// The sites that may send, by name, by key and by bounce domain. Called by create-on-behalf.ts.
import { createHash, timingSafeEqual } from "node:crypto";
import { asciiLower } from "@homing/srs-core";
import type { Sites } from "./on-behalf.ts";
import type { Site } from "./site.ts";

/** No key is so long; a longer text is not hashed. */
const MAX_KEY = 1024;

export function createSites(sites: readonly Site[]): Sites {
  const byName = new Map(sites.map((site) => [site.name, site]));
  const byDomain = new Map(sites.map((site) => [asciiLower(site.bounceDomain), site]));
  const hashes = sites.flatMap((site) => site.keys.map((key) => ({ site, hash: hashOf(key) })));

  return {
    ofKey(key) {
      if (key === "" || key.length > MAX_KEY) return undefined;
      const given = hashOf(key);
      let found: Site | undefined;
      // All of them, whichever fits: time tells neither how much of a key is right nor which site has it.
      for (const { site, hash } of hashes) if (timingSafeEqual(hash, given)) found = site;
      return found;
    },
    named: (name) => byName.get(name),
    ofBounceDomain: (domain) => byDomain.get(asciiLower(domain)),
  };
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key, "utf8").digest();
}
