// What people see and change, who have a link in a mail and no account. Called by the pages of packages/http.

import { away } from "../away.ts";
import type { Identity, Mine, OnBehalfOptions, People, Sites } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { lookAt, type PeopleWorld, pressButton } from "./confirm.ts";
import { findRecord, identityOf, indexPrefix, isIdentityId } from "./identity-record.ts";
import { keyOfAddress, personOfAddress } from "./key-hash.ts";
import { manageToken } from "./links.ts";
import { mailLink } from "./mail-link.ts";
import { type NamedSite, type NeverList, neverFact, neverName } from "./never-list.ts";
import { createDayCounts } from "./once-a-day.ts";
import { tokenRefused } from "./refusals.ts";
import { noSuchIdentity, revokeIdentity } from "./revoke-identity.ts";

export interface PeopleOptions extends PeopleWorld {
  readonly never: NeverList;
}

export function createPeople({ options, events, sites, never }: PeopleOptions): People {
  const world: PeopleWorld = { options, events, sites };
  const counts = createDayCounts(options.store, "link");
  return {
    look: (token) => lookAt(world, token),

    async confirm(token) {
      const pressed = await pressButton(world, token);
      if (!pressed.ok) return pressed;
      const { asked } = pressed;
      return { ok: true, asked, manageToken: manageToken(options, asked.address, asked.site.name) };
    },

    async mine(token) {
      const person = openPerson(world, token);
      return person.ok ? mineOf(world, never, person) : person;
    },

    async revoke(token, identityId) {
      const person = openPerson(world, token);
      if (!person.ok) return person;
      if (!isIdentityId(identityId)) return noSuchIdentity();
      const revoked = await revokeIdentity({
        options,
        events,
        id: identityId,
        isTheirs: ({ address }) => keyOfAddress(address) === person.key,
        by: "person",
      });
      return revoked.ok ? { ok: true } : revoked;
    },

    never: (token, site) => changeNever(world, { token, site, wants: "never" }),
    again: (token, site) => changeNever(world, { token, site, wants: "again" }),
    mailLink: (address, visitorIp) => mailLink({ options, counts }, address, visitorIp),
  };
}

interface Person {
  readonly ok: true;
  readonly address: string;
  /** As `addressKey` makes it. */
  readonly key: string;
  /** As `personKey` makes it. */
  readonly person: string;
  /** Whose mail the link stood in. */
  readonly from: NamedSite | undefined;
  readonly now: number;
}

function openPerson({ options, sites }: PeopleWorld, token: string): Person | Refused {
  const now = options.now();
  const opened = options.tokens.open(token, "manage", now);
  if (!opened.ok) return tokenRefused(opened);
  const { address, site } = opened.facts;
  const keys = { key: keyOfAddress(address), person: personOfAddress(address) };
  return { ok: true, address, ...keys, from: siteOf(sites, site), now };
}

/** Of a token. What was sent before a site was taken out of the configuration, or named anew, must still be stopped. */
function siteOf(sites: Sites, name: string): NamedSite | undefined {
  return sites.named(name) ?? (name === "" ? undefined : { name, title: name });
}

async function mineOf(
  world: PeopleWorld,
  never: NeverList,
  { address, key, person, from, now }: Person,
): Promise<{ readonly ok: true; readonly mine: Mine } | Refused> {
  const chosen = await never.chosen(person, knownSites(world, from), now);
  const identities = await identitiesOf(world, key, now);
  if (chosen === "away" || identities === "away") return away();
  const mine = {
    address,
    identities,
    never: { all: chosen.all, sites: chosen.sites.map(named) },
    ...(from ? { from: named(from) } : {}),
  };
  return { ok: true, mine };
}

/** Those of the configuration, and the one whose mail the link stood in. */
function knownSites({ options, sites }: PeopleWorld, from: NamedSite | undefined): readonly NamedSite[] {
  const isElsewhere = from !== undefined && sites.named(from.name) === undefined;
  return isElsewhere ? [...options.sites, from] : options.sites;
}

function named({ name, title }: NamedSite): { readonly name: string; readonly title: string } {
  return { name, title };
}

/** Of all sites, also of one that was taken out of the configuration and may come back. */
async function identitiesOf(
  { options, sites }: PeopleWorld,
  key: string,
  now: number,
): Promise<Mine["identities"] | "away"> {
  const ids = await idsOf(options, key, now);
  if (ids === "away") return ids;
  const identities: (Identity & { readonly title: string })[] = [];
  for (const id of ids) {
    const record = await findRecord(options.store, id, now);
    if (record === "away") return record;
    if (!record) continue;
    const title = sites.named(record.site)?.title ?? record.site;
    identities.push({ ...identityOf(id, record, now), title });
  }
  return identities;
}

async function idsOf(
  { store }: Pick<OnBehalfOptions, "store">,
  key: string,
  now: number,
): Promise<readonly string[] | "away"> {
  const prefix = indexPrefix(key);
  const ids: string[] = [];
  try {
    for await (const fact of store.all("ob-identity-of", prefix)) {
      if (!fact.key.startsWith(prefix)) break;
      if (fact.expires > now) ids.push(fact.value);
    }
  } catch {
    // Rejects while the storage is away, and for no other reason.
    return "away";
  }
  return ids;
}

interface NeverChange {
  readonly token: string;
  /** A name, or `all`. */
  readonly site: string;
  readonly wants: "never" | "again";
}

async function changeNever(
  world: PeopleWorld,
  { token, site: name, wants }: NeverChange,
): Promise<{ readonly ok: true } | Refused> {
  const person = openPerson(world, token);
  if (!person.ok) return person;
  const { person: key, from, now } = person;
  const site = name === "all" ? undefined : knownSites(world, from).find((one) => one.name === name);
  if (!site && name !== "all") return noSuchSite();
  const word = neverName(key, site?.name);
  const outcome = await world.options.store.change(
    wants === "never"
      ? { now, absent: [word], write: [neverFact(key, site?.name, now), ...told(world, person, site)] }
      : { now, remove: [word] },
  );
  // A conflict: he said so before, and whoever says it a hundred times tells the site once.
  return outcome === "away" ? away() : { ok: true };
}

function noSuchSite(): Refused {
  return refused("not-found", "there is no such site", {
    field: "site",
    hint: "give the name of a site of this server, or all",
  });
}

/** Who wants no mail of any site tells the one whose mail he has: the others do not know that he is there. */
function told({ events, sites }: PeopleWorld, { address, from, now }: Person, site: NamedSite | undefined) {
  const about = sites.named((site ?? from)?.name ?? "");
  return about ? [events.fact(about.name, "recipient.never", now, { address, all: site === undefined })] : [];
}
