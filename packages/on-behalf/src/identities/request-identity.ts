// A site asks for an address: checks, and the mail with the link, sent in one transaction with all that is to be known of it.
// Called by identities.ts.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { addressKey, personKey, readReachable } from "../address-key.ts";
import { away, signingAway } from "../away.ts";
import { checkSender } from "../messages/return-paths.ts";
import type { Events, Identity, IdentityRequest, OnBehalfOptions, Sites } from "../on-behalf.ts";
import { checkReader } from "../own-return-paths.ts";
import { type Refused, refused } from "../problem.ts";
import type { Site } from "../site.ts";
import type { Changes, Mail, OnBehalfStore } from "../store.ts";
import { pendingFact } from "./confirmation.ts";
import {
  findRecord,
  type IdentityRecord,
  identityId,
  provenIdentity,
  recordFacts,
  statusOf,
} from "./identity-record.ts";
import { keyHash } from "./key-hash.ts";
import { CONFIRM_SECONDS, confirmUrl, manageUrl, SECONDS_OF_DAY } from "./links.ts";
import { confirmationMail } from "./mail-words.ts";
import type { NeverList } from "./never-list.ts";
import { type DayCounts, mailedFact } from "./once-a-day.ts";
import { composeOwnMail } from "./own-mail.ts";
import { secondsUntil } from "./refusals.ts";
import { readReturnUrl } from "./return-url.ts";

export interface RequestWorld {
  readonly options: OnBehalfOptions;
  readonly events: Pick<Events, "fact">;
  readonly never: Pick<NeverList, "refuses">;
  readonly sites: Pick<Sites, "ofBounceDomain">;
  readonly counts: DayCounts;
}

export type Requested =
  | { readonly ok: true; readonly identity: Identity; readonly mailed: boolean }
  | Refused;

/** What was asked for, checked. */
interface Asking {
  readonly site: Site;
  readonly mailbox: Mailbox;
  /** As `addressKey` makes it. */
  readonly key: string;
  /** As `personKey` makes it. */
  readonly person: string;
  readonly id: string;
  readonly scope: IdentityRequest["scope"];
  readonly returnUrl?: string;
  readonly now: UnixSeconds;
}

export async function requestIdentity(
  world: RequestWorld,
  site: Site,
  request: IdentityRequest,
): Promise<Requested> {
  const { store, tokens } = world.options;
  const read = readRequest(world, site, request);
  if (!read.ok) return read;
  const { asking } = read;
  const { id, now } = asking;
  const record = await findRecord(store, id, now);
  if (record === "away") return away();
  const status = record && statusOf(record, now);
  const isConfirmed = record !== undefined && status === "confirmed";
  if (isConfirmed && covers(record, asking)) {
    return { ok: true, identity: provenIdentity({ id, record, now }, tokens), mailed: false };
  }
  const hindrance = await hindered(world, asking, record);
  if (hindrance) return hindrance;
  return await mailConfirmation(world, asking, isConfirmed ? record : undefined);
}

function readRequest(
  { options, sites }: Pick<RequestWorld, "options" | "sites">,
  site: Site,
  request: IdentityRequest,
): { readonly ok: true; readonly asking: Asking } | Refused {
  const field = "address";
  const now = options.now();
  const read = readReachable(request.address, field);
  if (!read.ok) return read;
  const { mailbox } = read;
  const rewriter = options.rewriterOf(site.bounceDomain);
  // Else he would confirm in vain.
  const unfit = checkReader(sites, mailbox, field) ?? checkSender(rewriter, mailbox, { now, field });
  if (unfit) return unfit;
  const returnUrl =
    request.returnUrl === undefined ? undefined : readReturnUrl(request.returnUrl, site.returnUrls);
  if (returnUrl?.ok === false) return returnUrl;
  const key = addressKey(mailbox);
  const { scope } = request;
  const keys = { key, person: personKey(mailbox), id: identityId(site.name, key) };
  const asking = { site, mailbox, ...keys, scope, now };
  return { ok: true, asking: returnUrl ? { ...asking, returnUrl: returnUrl.url } : asking };
}

/** Who may write as he likes may write a short note. */
function covers(record: IdentityRecord, { scope }: Asking): boolean {
  return record.scope === "user" || scope === "visitor";
}

/** Why no mail goes to this address now. */
async function hindered(
  { options, never }: RequestWorld,
  asking: Asking,
  record: IdentityRecord | undefined,
): Promise<Refused | undefined> {
  const { site, person, now } = asking;
  const refuses = await never.refuses(person, site.name, now);
  if (refuses === "away") return away();
  if (refuses) {
    return refused("recipient-suppressed", "the owner of this address wants no mail from this site", {
      field: "address",
      hint: "only the owner can change that, from the link at the foot of a mail",
    });
  }
  const until = await mailedUntil(options.store, asking);
  if (until === "away") return away();
  if (until === undefined) return undefined;
  return isUsedUp(record, until) ? usedUp(until, now) : alreadyMailed(until, now);
}

async function mailedUntil(store: OnBehalfStore, { person, now }: Asking) {
  const { of, key } = mailedFact("confirm", person, "", now);
  const fact = await store.find({ of, key }, now);
  return typeof fact === "object" ? fact.expires : fact;
}

/** The link that was mailed waits for nobody any more: its button was pressed, or what it asked for was taken back. */
function isUsedUp(record: IdentityRecord | undefined, until: UnixSeconds): boolean {
  const mailedAt = until - SECONDS_OF_DAY;
  return Math.max(record?.confirmedAt ?? 0, record?.revokedAt ?? 0) >= mailedAt;
}

function usedUp(until: UnixSeconds, now: UnixSeconds): Refused {
  const wait = secondsUntil(until, now);
  const hours = Math.ceil(wait / 3600);
  return refused(
    "confirmation-pending",
    "the link of the last 24 hours was used, or what it asked for was taken back",
    {
      field: "address",
      hint: `a new one can be mailed in ${hours} ${hours === 1 ? "hour" : "hours"}`,
      retryAfter: wait,
    },
  );
}

/** Whichever site asked for it, and whether or not it was confirmed: nobody gets two a day. */
function alreadyMailed(until: UnixSeconds, now: UnixSeconds): Refused {
  return refused("confirmation-pending", "a confirmation was mailed to this address in the last 24 hours", {
    field: "address",
    hint: "ask the user to look for it, also among the spam; or ask again later",
    retryAfter: secondsUntil(until, now),
  });
}

async function mailConfirmation(
  world: RequestWorld,
  asking: Asking,
  confirmed: IdentityRecord | undefined,
): Promise<Requested> {
  const { site, now } = asking;
  const reserved = await world.counts.reserve(new Map([[site.name, site.limits.sitePerDay]]), now);
  if (reserved.kind === "away") return away();
  if (reserved.kind === "none-left") return tooMany(reserved.until, now);
  const nonce = world.options.newSecretId();
  const mail = await composed(world, asking, nonce);
  const outcome =
    mail && (await world.options.store.send([mail], changesOf(world, asking, { nonce, confirmed })));
  // Where the outcome is unknown, it counts.
  if (outcome === undefined || outcome === "conflict") reserved.giveBack();
  switch (outcome) {
    case undefined:
      return signingAway();
    case "away":
      return away();
    case "conflict":
      return alreadyMailed((await laterMailed(world, asking)) ?? now + SECONDS_OF_DAY, now);
    case "done": {
      const record = recordOf(asking, { nonce, confirmed });
      return {
        ok: true,
        identity: provenIdentity({ id: asking.id, record, now }, world.options.tokens),
        mailed: true,
      };
    }
  }
}

/** Another request for the address came in between. */
async function laterMailed({ options }: RequestWorld, asking: Asking): Promise<UnixSeconds | undefined> {
  const until = await mailedUntil(options.store, asking);
  return until === "away" ? undefined : until;
}

function tooMany(until: UnixSeconds, now: UnixSeconds): Refused {
  return refused("limit-site", "the site has had as many confirmations mailed as it may in 24 hours", {
    hint: "wait: Retry-After says how long",
    retryAfter: secondsUntil(until, now),
  });
}

function composed({ options }: RequestWorld, asking: Asking, nonce: string): Promise<Mail | undefined> {
  const { site, mailbox, scope, now } = asking;
  const address = renderMailbox(mailbox);
  const confirmation = { address, site: site.name, nonce, expires: now + CONFIRM_SECONDS };
  return composeOwnMail(
    options,
    confirmationMail({
      site,
      to: mailbox,
      scope,
      confirmUrl: confirmUrl(options, confirmation),
      manageUrl: manageUrl(options, address, site.name),
      hostname: options.hostname,
    }),
  );
}

interface Link {
  readonly nonce: string;
  /** As it is in force: it stays so until the button is pressed. */
  readonly confirmed: IdentityRecord | undefined;
}

function recordOf({ site, mailbox, scope, now }: Asking, { nonce, confirmed }: Link): IdentityRecord {
  return (
    confirmed ?? {
      site: site.name,
      address: renderMailbox(mailbox),
      scope,
      requestedAt: now,
      expires: now + CONFIRM_SECONDS,
      pending: keyHash(nonce),
    }
  );
}

function changesOf({ events }: RequestWorld, asking: Asking, link: Link): Changes {
  const { site, mailbox, key, person, id, scope, returnUrl, now } = asking;
  const { nonce, confirmed } = link;
  const pending = {
    id,
    scope,
    ...(returnUrl === undefined ? {} : { returnUrl }),
    ...(confirmed?.confirmation === undefined ? {} : { over: confirmed.confirmation }),
  };
  const mailed = mailedFact("confirm", person, site.name, now);
  return {
    now,
    absent: [mailed],
    write: [
      ...(confirmed ? [] : recordFacts(recordOf(asking, link), key)),
      pendingFact(keyHash(nonce), pending, now + CONFIRM_SECONDS),
      mailed,
      events.fact(site.name, "identity.pending", now, {
        identity: id,
        address: renderMailbox(mailbox),
        scope,
      }),
    ],
  };
}
