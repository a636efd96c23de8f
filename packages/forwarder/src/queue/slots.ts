// Room for attempts: so many at a time in all, and for one domain. A destination that is slow holds up its own mail only.
// Called by queue.ts and line.ts.
import { asciiLower } from "@homing/srs-core";

export interface Slots {
  /** False where there is no room: nothing was taken. */
  take(domain: string): boolean;
  give(domain: string): void;
  /** How many more in all. */
  free(): number;
}

export function createSlots(max: { readonly total: number; readonly perDomain: number }): Slots {
  const taken = new Map<string, number>();
  let total = 0;

  return {
    take(name) {
      const domain = asciiLower(name);
      const count = taken.get(domain) ?? 0;
      if (total >= max.total || count >= max.perDomain) return false;
      taken.set(domain, count + 1);
      total++;
      return true;
    },
    give(name) {
      const domain = asciiLower(name);
      const count = taken.get(domain) ?? 0;
      if (count === 0) throw new Error(`a slot for ${domain} was given back that nobody has`);
      if (count === 1) taken.delete(domain);
      else taken.set(domain, count - 1);
      total--;
    },
    free: () => max.total - total,
  };
}
