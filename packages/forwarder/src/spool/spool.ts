// The spool: messages that we have answered for and whose recipients are still to be served. What every implementation
// gives, and what contract.ts tests of it. Called by the queue; docs/queue.md has the states.
import type { Content } from "@homing/mail";
import type { Mailbox, ReversePath, UnixSeconds } from "@homing/srs-core";
import type { MailDsn, RcptDsn } from "../dsn-parameters.ts";
import type { NoteChanges } from "./notes.ts";

export interface Spool {
  /**
   * Settles when the message is on the disk, or is known not to be. It reads `content` meanwhile and takes no hold of
   * it. Where the outcome is unknown to the disk itself, it is `failed`, and the message is withdrawn if it turns up.
   */
  put(message: NewMessage, options?: PutOptions): Promise<PutOutcome>;
  /**
   * Several messages and their notes, all of them or nothing, and for what must not be told apart: notes that say that there is a
   * message, or keep it from being stored twice. So nothing of it is withdrawn: where the outcome is unknown, the disk is
   * asked once more, and after `failed` all of it may turn up, or nothing. Rejects for more than `MAX_PUT_ALL` messages: that
   * is a bug.
   */
  putAll(messages: readonly NewMessage[], notes?: NoteChanges): Promise<PutAllOutcome>;
  /**
   * Recipients that are due, leased until `leaseUntil`: nobody else gets them before. The oldest of each destination
   * first, destinations in turn. Fewer than `limit` does not mean that no more are due: `nextDue` tells. None while the
   * storage is away.
   */
  claim(wanted: Claim): Promise<readonly Job[]>;
  /**
   * Another attempt later; `dsn` (the notice of delay) is stored in the same transaction. Like `done` and `fail`: false
   * where the lease is no longer valid, or the spool was closed before the disk took it, and then nothing was done; while
   * the storage is away it waits.
   */
  retry(lease: Lease, deferral: Deferral, dsn?: NewMessage): Promise<boolean>;
  /**
   * Delivered: the recipient goes, and with the last one its message. `dsn`, which tells of it, is stored, and `notes` are
   * changed, in the same transaction. Notes of `done` and `fail` have no conditions: those reject.
   */
  done(lease: Lease, dsn?: NewMessage, notes?: NoteChanges): Promise<boolean>;
  /** Given up: the recipient goes, `dsn` is stored, and `notes` are changed, in the same transaction. */
  fail(lease: Lease, dsn?: NewMessage, notes?: NoteChanges): Promise<boolean>;
  /** When to claim again: at the earliest due time or end of a lease; undefined with nothing queued. */
  nextDue(now: UnixSeconds): Promise<UnixSeconds | undefined>;

  /** For people: these reject while the storage is away. Oldest message first. */
  list(page: QueuePage): Promise<readonly QueueEntry[]>;
  show(id: string): Promise<QueueEntry | undefined>;
  /** The whole message, read as `claim` gives it; undefined without one. */
  content(id: string): Promise<Content | undefined>;
  /** Removes a message with all its recipients: nobody is told. Attempts that run lose their lease. */
  drop(id: string): Promise<boolean>;
  /** Makes the recipients that are not leased due at `now`, and says how many. */
  retryNow(id: string, now: UnixSeconds): Promise<number>;

  /** Everything that was asked for before is written first. */
  close(): Promise<void>;
}

export interface PutOptions {
  /**
   * Changed in the same transaction; where `present` or `absent` forbid it, the outcome is `conflict`. After `failed` they may be
   * changed although the message is withdrawn: where that matters, `putAll`.
   */
  readonly notes?: NoteChanges;
  /** While the storage is away or full, it waits. Then the message and the notes are there, or, with the spool closed, neither or both. */
  readonly waits?: boolean;
}

export interface NewMessage {
  /** The queue id, as in our Received field. */
  readonly id: string;
  readonly received: UnixSeconds;
  readonly expires: UnixSeconds;
  /** As the client gave it. */
  readonly sender: ReversePath;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
  /** What the sender asked of DSNs about it. */
  readonly dsn?: MailDsn;
  readonly content: Content;
  /** At least one. */
  readonly recipients: readonly NewRecipient[];
}

export type NotifyParty =
  /** Of the message, as the client gave it. */
  | { readonly kind: "sender" }
  /** The owner of the alias. */
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  | { readonly kind: "nobody" };

export interface Recipient {
  /** The target, which the sender must not learn. */
  readonly mailbox: Mailbox;
  /** On the wire. */
  readonly reversePath: ReversePath;
  /** As the sender used it. */
  readonly alias: Mailbox;
  /** Addresses to which the alias led, for this message. */
  readonly targets: number;
  /** At one of our domains, for the mail store. */
  readonly stays: boolean;
  /**
   * Our Received field, which names the alias, and what stands above it, each with its CRLF: they go on top of the content
   * when this recipient is served.
   */
  readonly trace: string;
  /** Whom a DSN about this recipient goes to. */
  readonly notify: NotifyParty;
  /** What the sender asked of DSNs about this recipient; only of one who may be told. */
  readonly dsn?: RcptDsn;
}

export interface NewRecipient extends Recipient {
  readonly due: UnixSeconds;
  /** The attempt that runs already has it: until then nobody else claims it. */
  readonly leasedUntil?: UnixSeconds;
}

export type PutOutcome =
  /** One lease for each recipient, in their order: undefined for those that were not to be leased. */
  | { readonly kind: "stored"; readonly leases: readonly (Lease | undefined)[] }
  /** The disk is full, or nearly, or too much waits for it. */
  | { readonly kind: "no-room"; readonly cause: string }
  | { readonly kind: "failed"; readonly cause: string }
  /** The notes forbid it (`present`, `absent`): nothing was changed. */
  | { readonly kind: "conflict"; readonly cause: string };

export type PutAllOutcome =
  /** For each message, in their order, the leases of its recipients. */
  | { readonly kind: "stored"; readonly leases: readonly (readonly (Lease | undefined)[])[] }
  | Exclude<PutOutcome, { kind: "stored" }>;

/** One transaction keeps all others waiting. */
export const MAX_PUT_ALL = 1000;

/** Who may settle a recipient: the attempt with this number, and no earlier one. */
export interface Lease {
  readonly messageId: string;
  /** The message's number in this storage; never used twice. */
  readonly message: number;
  /** The recipient's place in its message. */
  readonly recipient: number;
  /** 1 is the first. */
  readonly attempt: number;
}

export interface Claim {
  readonly now: UnixSeconds;
  readonly leaseUntil: UnixSeconds;
  readonly limit: number;
  /** Domains, in lower case, that get nothing this time. */
  readonly leaveOut?: readonly string[];
}

export interface Job {
  readonly lease: Lease;
  readonly message: StoredMessage;
  readonly recipient: Recipient;
  readonly delayToldAt?: UnixSeconds;
  readonly lastFailure?: Failure;
}

/** Its content is read on demand where it is large; releasing it is not needed. */
export type StoredMessage = Omit<NewMessage, "recipients">;

export interface Failure {
  readonly code: number;
  readonly enhanced: string;
  /** For the log alone (ADR 0013). */
  readonly detail: string;
}

export interface Deferral extends Failure {
  readonly due: UnixSeconds;
  /** The sender is told of the delay by this deferral's `dsn`, at this time. */
  readonly delayToldAt?: UnixSeconds;
}

export interface QueuePage {
  readonly limit: number;
  /** The position of the last entry of the page before. */
  readonly after?: number;
}

export interface QueueEntry extends Omit<StoredMessage, "content"> {
  readonly position: number;
  readonly octets: number;
  readonly recipients: readonly QueuedRecipient[];
}

export interface QueuedRecipient extends Recipient {
  readonly attempts: number;
  readonly due: UnixSeconds;
  readonly leasedUntil?: UnixSeconds;
  readonly delayToldAt?: UnixSeconds;
  readonly lastFailure?: Failure;
}
