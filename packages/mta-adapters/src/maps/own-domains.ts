// Whose senders are not rewritten. Called by srs-maps.ts and by the milter; made by the composition root from the
// configuration, and anew when a file of domains changes.
import { asciiLower, parseDomain } from "@homing/srs-core";

export interface OwnDomains {
  /** Is it one of ours, or below a parent of ours? Of any text: what is no domain is not ours. */
  has(domain: string): boolean;
}

/** @param names `home.example` is that domain; `.home.example`, as in PostSRSd and Postfix, is every domain below it */
export function createOwnDomains(names: Iterable<string>): OwnDomains {
  const whole = new Set<string>();
  const parents = new Set<string>();
  for (const name of names) {
    if (name.startsWith(".")) parents.add(folded(name.slice(1)));
    else whole.add(folded(name));
  }
  return {
    has(domain) {
      const name = folded(domain);
      if (whole.has(name)) return true;
      if (parents.size === 0) return false;
      for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
        if (parents.has(name.slice(dot + 1))) return true;
      }
      return false;
    },
  };
}

/** A-labels in lower case. */
function folded(domain: string): string {
  const parsed = parseDomain(domain);
  return asciiLower(parsed.ok ? parsed.domain : domain);
}
