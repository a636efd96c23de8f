// Room for attempts: so many at a time in all, and for one domain. A destination that is slow holds up its own mail only.
// Called by queue.ts.
import { asciiLower } from "@homing/srs-core";

export interface Slots {
  /** False where there is no room: nothing was taken. */
  take(domain: string): boolean;
  /** Room or not: for what was claimed already. */
  occupy(domain: string): void;
  give(domain: string): void;
  /** How many more in all. */
  free(): number;
  /** Domains that have all of theirs, in lower case. */
  full(): readonly string[];
}

export function createSlots(max: { readonly total: number; readonly perDomain: number }): Slots {
  const taken = new Map<string, number>();
  const full = new Set<string>();
  let total = 0;

  const occupy = (name: string): void => {
    const domain = asciiLower(name);
    const count = (taken.get(domain) ?? 0) + 1;
    taken.set(domain, count);
    if (count >= max.perDomain) full.add(domain);
    total++;
  };

  return {
    take(domain) {
      if (total >= max.total || full.has(asciiLower(domain))) return false;
      occupy(domain);
      return true;
    },
    occupy,
    give(name) {
      const domain = asciiLower(name);
      const count = taken.get(domain) ?? 0;
      if (count === 0) throw new Error(`a slot for ${domain} was given back that nobody has`);
      if (count === 1) taken.delete(domain);
      else taken.set(domain, count - 1);
      if (count <= max.perDomain) full.delete(domain);
      total--;
    },
    free: () => Math.max(0, max.total - total),
    full: () => [...full],
  };
}
