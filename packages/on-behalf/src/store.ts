// What is kept, and where mail goes: one storage, so that a message and what is known of it are stored together or not at all.
// The composition root passes it in: notes and the queue of the forwarder's spool.
import type { Mailbox, ReversePath, UnixSeconds } from "@homing/srs-core";

/** A small fact with a key and an end. */
export interface Fact {
  /** What sort of fact: each sort has its own keys. */
  readonly of: FactSort;
  readonly key: string;
  readonly value: string;
  readonly expires: UnixSeconds;
}

/** All sorts of this package, so that no two files use one for different things. */
export type FactSort =
  | "ob-identity"
  | "ob-identity-of"
  | "ob-nonce"
  | "ob-mailed"
  | "ob-message"
  | "ob-idempotency"
  | "ob-count"
  | "ob-suppression"
  | "ob-never"
  | "ob-event"
  | "ob-sent";

export type FactName = Pick<Fact, "of" | "key">;

/** All of it in one transaction, or nothing. */
export interface Changes {
  readonly now: UnixSeconds;
  /** Over older ones of the same key. */
  readonly write?: readonly Fact[];
  readonly remove?: readonly FactName[];
  /** `conflict`, and nothing is changed, unless all of these are there and have not expired. */
  readonly present?: readonly FactName[];
  /** `conflict`, and nothing is changed, if one of these is there and has not expired. */
  readonly absent?: readonly FactName[];
}

/** One message to one recipient: content differs by recipient, because of the link at its foot. */
export interface Mail {
  /** Queue id. */
  readonly id: string;
  /** Who is told where we cannot deliver it: the user, or `returnTo` of the site; the null path: nobody. */
  readonly sender: ReversePath;
  /** On the wire. */
  readonly reversePath: ReversePath;
  readonly recipient: Mailbox;
  /** The whole message, CRLF, signed. */
  readonly message: Buffer;
  /** It has octets above 127, or addresses that need SMTPUTF8. */
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
}

export interface OnBehalfStore {
  /** Undefined where it expired, too. */
  find(name: FactName, now: UnixSeconds): Promise<Fact | undefined | "away">;
  /** Those of a sort behind `after`, in the order of their keys, with the expired. Rejects while the storage is away. */
  all(of: FactSort, after?: string): AsyncIterable<Fact>;
  change(changes: Changes): Promise<"done" | "conflict" | "away">;
  /** Queues mail and changes facts in one transaction. After `away` both may turn out to be there, or neither. */
  send(mails: readonly Mail[], changes: Changes): Promise<"done" | "conflict" | "away">;
}
