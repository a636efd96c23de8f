// Ends an identity, whoever wants it: the site, or the person. Called by identities.ts and people.ts.

import { away } from "../away.ts";
import type { Events, Identity, OnBehalfOptions } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import type { FactName } from "../store.ts";
import {
  findRecord,
  grantName,
  type IdentityRecord,
  identityOf,
  nonceName,
  recordFacts,
  statusOf,
} from "./identity-record.ts";
import { keyOfAddress } from "./key-hash.ts";

/** It was used or confirmed in between: look again. More often than that in a row, nobody presses buttons. */
const TRIES = 5;

export interface Revoking {
  readonly options: Pick<OnBehalfOptions, "store" | "now">;
  readonly events: Pick<Events, "fact">;
  readonly id: string;
  /** Whose it must be: of others nobody learns whether they are there. */
  readonly isTheirs: (record: IdentityRecord) => boolean;
  readonly by: "site" | "person";
}

export async function revokeIdentity(
  revoking: Revoking,
): Promise<{ readonly ok: true; readonly identity: Identity } | Refused> {
  const { options, id, isTheirs } = revoking;
  for (let tries = 0; tries < TRIES; tries++) {
    const now = options.now();
    const record = await findRecord(options.store, id, now);
    if (record === "away") return away();
    if (!record || !isTheirs(record)) return noSuchIdentity();
    const ends = whatEnds(id, record, now);
    // Twice is once.
    if (!ends) return { ok: true, identity: identityOf(id, record, now) };
    const revoked = { ...record, revokedAt: now };
    const outcome = await options.store.change({
      now,
      present: [ends],
      remove: [ends],
      write: [...recordFacts(revoked, keyOfAddress(record.address)), event(revoking, record, now)],
    });
    if (outcome === "away") return away();
    if (outcome === "done") return { ok: true, identity: identityOf(id, revoked, now) };
  }
  return away();
}

export function noSuchIdentity(): Refused {
  return refused("not-found", "there is no such identity", {
    hint: "POST /v1/identities asks a user to confirm an address",
  });
}

/** What must be there for it to be in force, or to come into force. */
function whatEnds(id: string, record: IdentityRecord, now: number): FactName | undefined {
  const { pending, confirmation } = record;
  const status = statusOf(record, now);
  if (status === "pending" && pending !== undefined) return nonceName(pending);
  if (status === "confirmed" && confirmation !== undefined) return grantName(id, confirmation);
  return undefined;
}

function event({ events, id, by }: Revoking, { site, address, scope }: IdentityRecord, now: number) {
  return events.fact(site, "identity.revoked", now, { identity: id, address, scope, by });
}
