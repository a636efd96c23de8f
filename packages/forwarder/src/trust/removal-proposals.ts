// Entries that are not needed any more: their host rewrites senders now, or seals. Called by trusted-forwarders.ts for each
// message of a trusted host.
import type { UnixSeconds } from "@homing/srs-core";
import type { TrustedForwarder } from "./trust-entry.ts";

export interface RemovalProposal {
  readonly entry: string;
  readonly why: string;
  /** In a row. */
  readonly messages: number;
}

export interface SeenMail {
  /** Its sender is an SRS address, at a domain that names the client. */
  readonly isRewritten: boolean;
  /** Its ARC chain passes. */
  readonly isSealed: boolean;
}

/** One may be a message that others had rewritten before. */
const ENOUGH = 5;
const DAY_SECONDS = 86_400;

interface Tally {
  /** Messages in a row that need no trust. */
  messages: number;
  rewritten: number;
  sealed: number;
  proposedAt: UnixSeconds | undefined;
}

export interface RemovalProposals {
  /** A proposal once a day, as long as it is so. */
  saw(entry: string, mail: SeenMail): RemovalProposal | undefined;
}

/** It counts for these entries alone, so there are as many counts as entries. */
export function createRemovalProposals(
  entries: readonly TrustedForwarder[],
  now: () => UnixSeconds,
): RemovalProposals {
  const tallies = new Map<string, Tally>();
  // Without its entry, a sealer's chains are nothing to go by.
  for (const { entry, match } of entries) if (match.kind !== "sealer") tallies.set(entry, freshTally());
  return {
    saw(entry, mail) {
      const tally = tallies.get(entry);
      if (!tally) return undefined;
      if (!mail.isRewritten && !mail.isSealed) {
        tallies.set(entry, { ...freshTally(), proposedAt: tally.proposedAt });
        return undefined;
      }
      tally.messages++;
      if (mail.isRewritten) tally.rewritten++;
      if (mail.isSealed) tally.sealed++;
      const { messages, proposedAt } = tally;
      if (messages < ENOUGH || (proposedAt !== undefined && now() - proposedAt < DAY_SECONDS))
        return undefined;
      tally.proposedAt = now();
      return { entry, why: whyOf(tally), messages };
    },
  };
}

function freshTally(): Tally {
  return { messages: 0, rewritten: 0, sealed: 0, proposedAt: undefined };
}

function whyOf({ messages, rewritten, sealed }: Tally): string {
  if (rewritten === messages) return "its host rewrites senders now (SRS): remove the entry";
  if (sealed === messages) return "its host seals now (ARC): trust its sealer in place of the entry";
  return "its host rewrites senders now (SRS), or seals (ARC): trust its sealer in place of the entry";
}
