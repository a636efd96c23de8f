// Identities, as a site sees its own: asked for, found, used, let go of. Called by packages/http, messages/ and the submission
// for sites.
import { addressKey, readAddress } from "../address-key.ts";
import { away } from "../away.ts";
import type { Identities, OnBehalfOptions } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import type { Site } from "../site.ts";
import {
  findRecord,
  type IdentityRecord,
  identityId,
  isIdentityId,
  provenIdentity,
  statusOf,
  usedChanges,
} from "./identity-record.ts";
import { keyOfAddress } from "./key-hash.ts";
import { createDayCounts } from "./once-a-day.ts";
import { type RequestWorld, requestIdentity } from "./request-identity.ts";
import { noSuchIdentity, revokeIdentity } from "./revoke-identity.ts";

export interface IdentitiesOptions extends Omit<RequestWorld, "counts"> {}

export function createIdentities(given: IdentitiesOptions): Identities {
  const { options, events } = given;
  const { store, tokens } = options;
  const world: RequestWorld = { ...given, counts: createDayCounts(store, "confirm") };
  return {
    request: (site, request) => requestIdentity(world, site, request),

    async find(site, idOrAddress) {
      const now = options.now();
      const found = await lookUp(options, site, { idOrAddress, now });
      if (found === "away") return away();
      if (!found) return noSuchIdentity();
      return { ok: true, identity: provenIdentity({ ...found, now }, tokens) };
    },

    async revoke(site, idOrAddress) {
      const id = idOf(site, idOrAddress);
      if (id === undefined) return noSuchIdentity();
      const isTheirs = (record: IdentityRecord) => record.site === site.name;
      return revokeIdentity({ options, events, id, isTheirs, by: "site" });
    },

    async usable(site, idOrAddress, now) {
      const found = await lookUp(options, site, { idOrAddress, now });
      if (found === "away") return away();
      if (!found) return notConfirmed("unknown");
      const status = statusOf(found.record, now);
      if (status !== "confirmed") return notConfirmed(status);
      return {
        ok: true,
        identity: provenIdentity({ ...found, now }, tokens),
        used: usedChanges({ ...found, now }, keyOfAddress(found.record.address)),
      };
    },
  };
}

interface Question {
  readonly idOrAddress: string;
  readonly now: number;
}

/** Undefined for those of other sites, too. */
async function lookUp({ store }: Pick<OnBehalfOptions, "store">, site: Site, { idOrAddress, now }: Question) {
  const id = idOf(site, idOrAddress);
  if (id === undefined) return undefined;
  const record = await findRecord(store, id, now);
  if (record === "away") return record;
  return record && record.site === site.name ? { id, record } : undefined;
}

function idOf(site: Site, idOrAddress: string): string | undefined {
  if (isIdentityId(idOrAddress)) return idOrAddress;
  const read = readAddress(idOrAddress, "address");
  return read.ok ? identityId(site.name, addressKey(read.mailbox)) : undefined;
}

const WHY_NOT = {
  unknown: "the user was never asked to confirm the address for this site",
  pending: "the user has not pressed the button in the mail yet",
  revoked: "the confirmation was taken back",
  expired: "the confirmation is over: nobody pressed the button in time, or it was not used for 180 days",
} as const;

function notConfirmed(status: keyof typeof WHY_NOT): Refused {
  return refused("identity-not-confirmed", WHY_NOT[status], {
    field: "onBehalfOf",
    hint: "POST /v1/identities mails the user a link; wait for the event identity.confirmed",
  });
}
