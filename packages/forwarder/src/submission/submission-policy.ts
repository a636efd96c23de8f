// Who may submit mail, and what becomes of it: declared here, implemented above. Asked by the submission ports (587 and 465);
// the composition root passes one in. RFC 6409, RFC 4954.
import type { Content, Reply } from "@homing/mail";
import type { Mailbox, ReversePath } from "@homing/srs-core";
import type { NoteChanges } from "../spool/notes.ts";

export interface SubmissionPolicy {
  /** Undefined where name or password are wrong. Rejects where that cannot be known now: 454 4.7.0. */
  logIn(login: LogIn): Promise<Submitter | undefined>;
  /**
   * A key that nobody can guess (128 bits and more), compared in no time: it is looked at before anything is counted, so that no
   * guesses at its name keep its owner out. Never rejects.
   */
  keyed?(login: LogIn): Promise<Submitter | undefined>;
}

export interface LogIn {
  /** Both are hostile text, up to 12,288 octets in base64. */
  readonly name: string;
  readonly password: string;
  readonly clientAddress: string;
}

/** A person or a site that has logged in. */
export interface Submitter {
  /** For the log. */
  readonly name: string;
  /** MAIL FROM. */
  sender(reversePath: ReversePath): Promise<OpenSubmission | SubmissionRefusal>;
}

export interface SubmissionRefusal {
  readonly kind: "refuse";
  /** For the log. */
  readonly reason: string;
  readonly reply: Reply;
}

/** One transaction. */
export interface OpenSubmission {
  readonly kind: "open";
  /** Recipients of one key are one: he has one copy, however often he is named. */
  keyOf(recipient: Mailbox): string;
  /**
   * RCPT; undefined where there is nothing against it. Where the recipient's mail goes, the forwarder knows.
   * @param taken so many others are named already
   */
  rcpt(recipient: Mailbox, taken: number): Promise<SubmissionRefusal | undefined>;
  /** The final dot. */
  message(submitted: Submitted): Promise<ReadyMail | SubmissionRefusal>;
}

export interface Submitted {
  /** Queue id. */
  readonly id: string;
  readonly content: Content;
  /** At least one, in the order of RCPT. */
  readonly recipients: readonly Mailbox[];
  readonly clientAddress: string;
}

/** It is on the disk before the client hears 250. */
export interface ReadyMail {
  readonly kind: "send";
  /** Who is told of failures. */
  readonly sender: ReversePath;
  /** With the fields that were missing (RFC 6409 §8), signed. Without our Received field, which the forwarder puts on top. */
  readonly content: Content;
  /** One for each of `Submitted.recipients`, in their order. */
  readonly copies: readonly {
    /** Envelope sender of this copy. */
    readonly reversePath: ReversePath;
    /** Further fields of this copy, each with its CRLF. */
    readonly fields?: string;
  }[];
  /** Changed in the transaction that stores the message. */
  readonly notes?: NoteChanges;
  /** Called once, with what became of it: `unknown` where the disk went away in the middle. */
  readonly settled?: (outcome: "kept" | "not-kept" | "unknown") => void;
}
