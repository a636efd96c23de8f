// Who wants no more mail from a site, or from any: a recipient's own word, which no site can take back. Called by whatever
// sends, and by people.ts.
// A fact `ob-never` each: its key is the site's name, or `*` for all, a blank, and the address as `personKey` makes it; its
// value the time since when. So those of one site are beside one another.
import type { UnixSeconds } from "@homing/srs-core";
import type { Site } from "../site.ts";
import type { Fact, FactName, OnBehalfStore } from "../store.ts";

export interface NeverList {
  /** @param address as `personKey` makes it */
  refuses(address: string, site: string, now: UnixSeconds): Promise<boolean | "away">;
  /** Since when; undefined: he does not. */
  refusedSince(address: string, site: string, now: UnixSeconds): Promise<UnixSeconds | undefined | "away">;
  /** Which of these sites, and whether all. */
  chosen(address: string, sites: readonly NamedSite[], now: UnixSeconds): Promise<Chosen | "away">;
}

/** It may be in the configuration no more. */
export type NamedSite = Pick<Site, "name" | "title">;

export interface Chosen {
  readonly all: boolean;
  readonly sites: readonly NamedSite[];
}

/** No site is called so. */
const ALL_SITES = "*";
/** 9999-12-31: he said never. */
const FOREVER: UnixSeconds = 253_402_300_799;

export function createNeverList(store: Pick<OnBehalfStore, "find">): NeverList {
  const sinceWhen = async (address: string, site: string | undefined, now: UnixSeconds) => {
    const fact = await store.find(neverName(address, site), now);
    return typeof fact === "object" ? Number(fact.value) : fact;
  };
  const refusedSince: NeverList["refusedSince"] = async (address, site, now) => {
    const answers = await Promise.all([sinceWhen(address, site, now), sinceWhen(address, undefined, now)]);
    const certain = answers.filter((answer) => typeof answer === "number");
    // What is certain counts, whatever else is not known.
    if (certain.length > 0) return Math.min(...certain);
    return answers.includes("away") ? "away" : undefined;
  };
  return {
    refusedSince,
    async refuses(address, site, now) {
      const since = await refusedSince(address, site, now);
      return since === "away" ? since : since !== undefined;
    },
    async chosen(address, sites, now) {
      const all = await sinceWhen(address, undefined, now);
      const each = await Promise.all(sites.map(({ name }) => sinceWhen(address, name, now)));
      if (all === "away" || each.includes("away")) return "away";
      return { all: all !== undefined, sites: sites.filter((_, at) => each[at] !== undefined) };
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
