// Recipients to whom a site sends no more: their mail came back, or the site wants it so. What a recipient himself wants is in
// the never list (identities/). Called by packages/http, admissions.ts and returns.ts.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { addressKey, personKey, readAddress } from "../address-key.ts";
import { away } from "../away.ts";
import { type NeverList, neverName } from "../identities/never-list.ts";
import type { Events, Sites, Suppression, Suppressions } from "../on-behalf.ts";
import { checkReader } from "../own-return-paths.ts";
import { type Refused, refused } from "../problem.ts";
import type { Site } from "../site.ts";
import type { Fact, FactName, OnBehalfStore } from "../store.ts";
import type { Count, Counters } from "./counters.ts";

export interface SuppressionsOptions {
  readonly store: Pick<OnBehalfStore, "find" | "all" | "change">;
  readonly never: Pick<NeverList, "refuses" | "refusedSince">;
  readonly counters: Counters;
  readonly events: Pick<Events, "fact">;
  readonly sites: Pick<Sites, "ofBounceDomain">;
  readonly now: () => UnixSeconds;
}

/** A mailbox that was full or gone may be there again a year later. */
const BOUNCE_SECONDS = 365 * 86_400;
/** Until the site takes it away. */
const MANUAL_SECONDS = 100 * 365 * 86_400;
/** In 24 hours: a list that somebody brings with him has room, and a loop that makes up addresses fills no disk. */
export const ADDED_PER_DAY = 10_000;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export function createSuppressions(options: SuppressionsOptions): Suppressions {
  const { store, never, sites, now } = options;
  return {
    async list(site, after = "", limit = DEFAULT_LIMIT) {
      try {
        const most = Math.min(Math.max(1, Math.floor(limit)), MAX_LIMIT);
        const { found, hasMore } = await page(store, { site: site.name, after, most, now: now() });
        const last = found.at(-1);
        const next = hasMore && last ? { next: keyOfText(last.address) } : {};
        return { ok: true, suppressions: found, ...next };
      } catch {
        return away();
      }
    },

    async add(site, text) {
      const read = readAddress(text, "address");
      if (!read.ok) return read;
      const nobody = checkReader(sites, read.mailbox, "address");
      if (nobody) return nobody;
      const at = now();
      const [fact, refusedSince] = await Promise.all([
        store.find(nameOf(site.name, addressKey(read.mailbox)), at),
        never.refusedSince(personKey(read.mailbox), site.name, at),
      ]);
      if (fact === "away" || refusedSince === "away") return away();
      const address = renderMailbox(read.mailbox);
      // His own word is stronger, and nobody can take it away: a second one beside it would say nothing.
      if (refusedSince !== undefined)
        return { ok: true, suppression: { address, reason: "recipient", since: refusedSince } };
      const earlier = fact && suppressionOf(fact);
      if (earlier?.reason === "manual") return { ok: true, suppression: earlier };
      return await addOne(options, site, { address, reason: "manual", since: at });
    },

    async remove(site, address) {
      const read = readAddress(address, "address");
      if (!read.ok) return read;
      const name = nameOf(site.name, addressKey(read.mailbox));
      const at = now();
      const [fact, refuses] = await Promise.all([
        store.find(name, at),
        never.refuses(personKey(read.mailbox), site.name, at),
      ]);
      if (fact === "away" || refuses === "away") return away();
      if (refuses) return recipientsOwnWish();
      if (!fact) return notSuppressed(read.mailbox);
      if ((await store.change({ now: at, remove: [name] })) === "away") return away();
      return { ok: true };
    },
  };
}

async function addOne(
  { store, events, counters }: SuppressionsOptions,
  site: Site,
  suppression: Suppression,
): Promise<{ readonly ok: true; readonly suppression: Suppression } | Refused> {
  const now = suppression.since;
  const taken = await counters.take([addedBy(site)], now);
  if (!taken.ok) return taken;
  const data = { recipient: suppression.address, reason: suppression.reason };
  const event = events.fact(site.name, "recipient.suppressed", now, data);
  let outcome: "done" | "unknown" = "unknown";
  try {
    const write = [suppressionFact(site.name, suppression), event, ...taken.facts()];
    if ((await store.change({ now, write })) !== "done") return away();
    outcome = "done";
    return { ok: true, suppression };
  } finally {
    taken.settle(outcome);
  }
}

function addedBy({ name }: Site): Count {
  return {
    key: `suppressed ${name}`,
    limit: ADDED_PER_DAY,
    problem: "limit-site",
    detail: `${name} may suppress ${ADDED_PER_DAY} recipients in 24 hours`,
  };
}

interface WhyNotOptions {
  readonly store: Pick<OnBehalfStore, "find">;
  readonly never: Pick<NeverList, "refuses">;
  readonly sites: Pick<Sites, "ofBounceDomain">;
}

/** Why a message does not go to a recipient; undefined: nothing is against it. */
export async function whyNot(
  { store, never, sites }: WhyNotOptions,
  { site, recipient, field, now }: { site: Site; recipient: Mailbox; field: string; now: UnixSeconds },
): Promise<Refused | undefined> {
  const nobody = checkReader(sites, recipient, field);
  if (nobody) return nobody;
  const [fact, refuses] = await Promise.all([
    store.find(nameOf(site.name, addressKey(recipient)), now),
    never.refuses(personKey(recipient), site.name, now),
  ]);
  if (fact === "away" || refuses === "away") return away();
  const address = renderMailbox(recipient);
  if (refuses) {
    return refused("recipient-suppressed", `${address} wants no mail in this way`, {
      field,
      hint: "leave this recipient out: only he himself can change that",
    });
  }
  if (!fact) return undefined;
  const { reason, enhanced } = suppressionOf(fact);
  const why = reason === "bounce" ? `mail to ${address} came back` : `the site itself suppressed ${address}`;
  return refused("recipient-suppressed", enhanced === undefined ? why : `${why}: ${enhanced}`, {
    field,
    hint: `leave this recipient out, or take the suppression away: DELETE /v1/suppressions/${encodeURIComponent(address)}`,
  });
}

/** Over an older one: the newest reason counts. */
export function suppressionFact(site: string, suppression: Suppression): Fact {
  const lives = suppression.reason === "bounce" ? BOUNCE_SECONDS : MANUAL_SECONDS;
  return {
    ...nameOf(site, keyOfText(suppression.address)),
    value: JSON.stringify(suppression),
    expires: suppression.since + lives,
  };
}

interface Page {
  readonly site: string;
  readonly after: string;
  readonly most: number;
  readonly now: UnixSeconds;
}

/** Suppressions and the recipients' own wishes, in the order of addresses. */
async function page(
  store: Pick<OnBehalfStore, "all">,
  { site, after, most, now }: Page,
): Promise<{ readonly found: readonly Suppression[]; readonly hasMore: boolean }> {
  // Both sorts of facts have the site's name before the address.
  const prefix = nameOf(site, "").key;
  const range = { prefix, after: prefix + keyOfText(after), most: most + 1, now };
  const [own, wishes] = [
    await factsOf(store, "ob-suppression", range),
    await factsOf(store, neverName("", site).of, range),
  ];
  const byKey = new Map(own.map((fact) => [fact.key, suppressionOf(fact)]));
  for (const { key, value } of wishes) {
    byKey.set(key, { address: key.slice(prefix.length), reason: "recipient", since: Number(value) });
  }
  const found = [...byKey].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { found: found.slice(0, most).map(([, one]) => one), hasMore: found.length > most };
}

interface Range extends Omit<Page, "site"> {
  readonly prefix: string;
}

async function factsOf(
  store: Pick<OnBehalfStore, "all">,
  of: FactName["of"],
  { prefix, after, most, now }: Range,
): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for await (const fact of store.all(of, after)) {
    if (!fact.key.startsWith(prefix) || facts.length === most) break;
    if (fact.expires > now) facts.push(fact);
  }
  return facts;
}

function suppressionOf(fact: Fact): Suppression {
  return JSON.parse(fact.value) as Suppression;
}

function nameOf(site: string, address: string): FactName {
  return { of: "ob-suppression", key: `${site} ${address}` };
}

/** Of an address as `renderMailbox` writes it, or of what a client gives for one. */
function keyOfText(address: string): string {
  const read = readAddress(address, "address");
  return read.ok ? addressKey(read.mailbox) : address;
}

function notSuppressed(mailbox: Mailbox): Refused {
  return refused("not-found", `${renderMailbox(mailbox)} is not suppressed for this site`, {
    hint: "GET /v1/suppressions lists those that are",
  });
}

function recipientsOwnWish(): Refused {
  return refused("recipient-suppressed", "the recipient himself wants no mail in this way", {
    field: "address",
    hint: "only he himself can change that",
  });
}
