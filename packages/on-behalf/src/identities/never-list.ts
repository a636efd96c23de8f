// Who wants no more mail from a site, or from any: a recipient's own word, which no site can take back. Called by whatever
// sends, and by people.ts.
// A fact `ob-never` each: its key is the site's name, or `*` for all, a blank, and the address as `addressKey` makes it; its
// value the time since when. So those of one site are beside one another.
import type { UnixSeconds } from "@homing/srs-core";
import type { Site } from "../site.ts";
import type { Fact, FactName, OnBehalfStore } from "../store.ts";

export interface NeverList {
  /** @param address as `addressKey` makes it */
  refuses(address: string, site: string, now: UnixSeconds): Promise<boolean | "away">;
  /** Which of these sites, and whether all. */
  chosen(address: string, sites: readonly Site[], now: UnixSeconds): Promise<Chosen | "away">;
}

export interface Chosen {
  readonly all: boolean;
  readonly sites: readonly Site[];
}

/** No site is called so. */
const ALL_SITES = "*";
/** 9999-12-31: he said never. */
const FOREVER: UnixSeconds = 253_402_300_799;

export function createNeverList(store: Pick<OnBehalfStore, "find">): NeverList {
  const isThere = async (address: string, site: string | undefined, now: UnixSeconds) => {
    const fact = await store.find(neverName(address, site), now);
    return fact === "away" ? "away" : fact !== undefined;
  };
  return {
    async refuses(address, site, now) {
      const answers = await Promise.all([isThere(address, site, now), isThere(address, undefined, now)]);
      // What is certain counts, whatever else is not known.
      return answers.includes(true) || (answers.includes("away") ? "away" : false);
    },
    async chosen(address, sites, now) {
      const all = await isThere(address, undefined, now);
      const each = await Promise.all(sites.map(({ name }) => isThere(address, name, now)));
      if (all === "away" || each.includes("away")) return "away";
      return { all, sites: sites.filter((_, at) => each[at] === true) };
    },
  };
}

/** @param site undefined for all */
export function neverName(address: string, site: string | undefined): FactName {
  return { of: "ob-never", key: `${site ?? ALL_SITES} ${address}` };
}

export function neverFact(address: string, site: string | undefined, now: UnixSeconds): Fact {
  return { ...neverName(address, site), value: String(now), expires: FOREVER };
}
