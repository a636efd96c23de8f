// The page behind a mailed link, and its button. Looking changes nothing; of those who press the button with one link, exactly
// one confirms: the nonce is in `present` and in `remove` of the transaction. Called by people.ts.

import { away } from "../away.ts";
import type { Asked, Events, OnBehalfOptions, Sites } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import type { Changes } from "../store.ts";
import type { TokenFacts } from "../tokens/tokens.ts";
import { findPending, type PendingConfirmation } from "./confirmation.ts";
import {
  findRecord,
  grantFact,
  grantName,
  IDENTITY_SECONDS,
  type IdentityRecord,
  identityId,
  nonceName,
  recordFacts,
} from "./identity-record.ts";
import { keyHash, keyOfAddress } from "./key-hash.ts";
import { tokenRefused } from "./refusals.ts";

export interface PeopleWorld {
  readonly options: OnBehalfOptions;
  readonly events: Pick<Events, "fact">;
  readonly sites: Sites;
}

interface Opened {
  readonly ok: true;
  readonly asked: Asked;
  readonly facts: TokenFacts;
  readonly pending: PendingConfirmation;
  readonly record: IdentityRecord;
  readonly now: number;
}

export async function lookAt(
  world: PeopleWorld,
  token: string,
): Promise<{ readonly ok: true; readonly asked: Asked } | Refused> {
  const opened = await open(world, token);
  return opened.ok ? { ok: true, asked: opened.asked } : opened;
}

export async function pressButton(world: PeopleWorld, token: string): Promise<Opened | Refused> {
  const opened = await open(world, token);
  if (!opened.ok) return opened;
  const outcome = await world.options.store.change(confirming(world, opened));
  switch (outcome) {
    case "done":
      return opened;
    case "away":
      return away();
    case "conflict":
      return usedBefore("the link was used a moment ago, or what it confirms was taken back");
  }
}

/** Token, site, what was asked, what became of it. */
async function open({ options, sites }: PeopleWorld, token: string): Promise<Opened | Refused> {
  const { tokens, store } = options;
  const now = options.now();
  const opened = tokens.open(token, "confirm", now);
  if (!opened.ok) return tokenRefused(opened);
  const { facts } = opened;
  const site = sites.named(facts.site);
  if (!site) return siteGone();
  const id = identityId(site.name, keyOfAddress(facts.address));
  const nonceHash = keyHash(facts.nonce);
  const [pending, record] = await Promise.all([
    findPending(store, nonceHash, now),
    findRecord(store, id, now),
  ]);
  if (pending === "away" || record === "away") return away();
  // The token is ours, and its time is not over: the nonce was there.
  if (!pending || !record || pending.id !== id) return usedBefore(whatBecame(record, nonceHash));
  const { scope, returnUrl } = pending;
  const asked = { site, address: record.address, scope, ...(returnUrl === undefined ? {} : { returnUrl }) };
  return { ok: true, asked, facts, pending, record, now };
}

function whatBecame(record: IdentityRecord | undefined, nonceHash: string): string {
  return record?.confirmation === nonceHash && record.revokedAt === undefined
    ? "the address was confirmed with this link: nothing is left to do"
    : "the link was used, or what it confirms was taken back";
}

function siteGone(): Refused {
  return refused("not-found", "the site that asked is no longer here", {
    hint: "nothing is to be done: no mail is sent in your name",
  });
}

function usedBefore(detail: string): Refused {
  return refused("token-used", detail, {
    hint: "a link works once; if you pressed its button before, it is done",
  });
}

function confirming({ events }: PeopleWorld, { facts, pending, record, asked, now }: Opened): Changes {
  const { id, scope, over } = pending;
  const confirmation = keyHash(facts.nonce);
  const expires = now + IDENTITY_SECONDS;
  const { pending: _, ...kept } = record;
  const confirmed = { ...kept, scope, confirmation, confirmedAt: now, expires };
  // What it was asked over must be in force still: it is replaced, not brought back.
  const replaced = over === undefined ? [] : [grantName(id, over)];
  const ends = [nonceName(confirmation), ...replaced];
  return {
    now,
    present: ends,
    remove: ends,
    write: [
      ...recordFacts(confirmed, keyOfAddress(record.address)),
      grantFact(id, confirmation, expires),
      events.fact(asked.site.name, "identity.confirmed", now, {
        identity: id,
        address: record.address,
        scope,
      }),
    ],
  };
}
