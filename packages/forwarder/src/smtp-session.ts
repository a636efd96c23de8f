// The contract between SMTP in and whoever decides about mail: what a client says, as values, and what to answer.
// smtp-in/ speaks SMTP and calls a handler; receive.ts is the forwarder's, the command line's inbox has another.
import type { Content, ContentPromise, ForbiddenOctet, Reply } from "@homing/mail";
import type { Mailbox, ReversePath } from "@homing/srs-core";
import type { MailDsn, RcptDsn } from "./dsn-parameters.ts";
import type { LogIn, Submitter } from "./submission/submission-policy.ts";

/** Who speaks to us. */
export interface SmtpClient {
  readonly session: string;
  readonly address: string;
  /** What it called itself: hostile text. */
  readonly helo: string;
  /** As a Received field writes it: `SMTP`, `ESMTP`, `ESMTPSA`, `UTF8SMTP`. */
  readonly protocol: string;
  /** Who has logged in; always there where the handler takes log-ins. */
  readonly submitter?: Submitter;
}

export interface MailCommand extends ContentPromise {
  readonly client: SmtpClient;
  readonly reversePath: ReversePath;
  /** RET and ENVID. */
  readonly dsn?: MailDsn;
}

/** Why the SMTP server itself did not take a message. */
export type DataRefusal =
  | ForbiddenOctet
  | "too-big"
  | "header-too-big"
  | "no-memory"
  | "no-disk-space"
  | "disk-failure";

/** Whoever sent a message, until it has our answer: with one that closed its half, that is a moment after `data` settled. */
export interface ClientPresence {
  /** Its connection is over: it does not hear our answer, and sends the message again. */
  isGone(): boolean;
  /** Calls when it goes, and at once if it is gone. @returns whoever does not want to be called any more says so */
  onGone(call: () => void): () => void;
}

/** One mail transaction: opened by MAIL FROM, ended by the final dot, RSET or a lost connection. */
export interface SmtpTransaction {
  /** @param dsn NOTIFY and ORCPT, where the client gave one of them */
  rcpt(recipient: Mailbox, dsn?: RcptDsn): Reply | Promise<Reply>;
  /**
   * The whole message, dots unstuffed. Whoever answers 2xx here holds the message from then on; the content is let go
   * when the client has the answer or is gone, unless it is held.
   */
  data(message: Content, client: ClientPresence): Promise<Reply>;
  /** The message was not taken, for a reason of the SMTP server itself: told for the log. */
  refused?(reply: Reply, reason: DataRefusal): void;
}

export type MailOutcome =
  | { readonly kind: "open"; readonly transaction: SmtpTransaction }
  | { readonly kind: "refuse"; readonly reply: Reply };

export interface AskedLogIn extends LogIn {
  readonly session: string;
}

export type LoggedIn =
  | { readonly kind: "in"; readonly submitter: Submitter }
  | { readonly kind: "refuse"; readonly reply: Reply };

export interface SmtpHandler {
  /** With it AUTH is offered, over TLS alone, and mail is taken from nobody who has not logged in. */
  logIn?(asked: AskedLogIn): Promise<LoggedIn>;
  mail(command: MailCommand): MailOutcome | Promise<MailOutcome>;
  /** A sender was put off, for a reason of the SMTP server itself: told for the log. */
  putOff?(command: MailCommand, reply: Reply, reason: DataRefusal): void;
  /** A bug or a broken machine: the client was told 451 4.3.0, somebody should be told more. */
  failed(error: unknown, session: string): void;
}
