// A confirmation that was asked for and waits for its button: the facts that its token has no room for. Called by
// request-identity.ts, which writes it with the mail, and by confirm.ts, which takes it away with the button.
import type { UnixSeconds } from "@homing/srs-core";
import type { Scope } from "../on-behalf.ts";
import type { Fact, OnBehalfStore } from "../store.ts";
import { nonceName } from "./identity-record.ts";

export interface PendingConfirmation {
  readonly id: string;
  readonly scope: Scope;
  readonly returnUrl?: string;
  /** The confirmation in whose place it comes: a visitor becomes a user. */
  readonly over?: string;
}

/** @param nonceHash the storage never has the nonce itself: whoever reads it cannot press a button */
export function pendingFact(nonceHash: string, pending: PendingConfirmation, expires: UnixSeconds): Fact {
  return { ...nonceName(nonceHash), value: JSON.stringify(pending), expires };
}

export async function findPending(
  store: Pick<OnBehalfStore, "find">,
  nonceHash: string,
  now: UnixSeconds,
): Promise<PendingConfirmation | undefined | "away"> {
  const fact = await store.find(nonceName(nonceHash), now);
  return typeof fact === "object" ? (JSON.parse(fact.value) as PendingConfirmation) : fact;
}
