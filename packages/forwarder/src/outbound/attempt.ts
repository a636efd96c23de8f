// One attempt to hand one message to one server: what is asked of it, and what became of it. Made by smtp-out.ts, read
// by whoever delivers.
import type { Content, Envelope, Reply } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";

/** `verified`: the certificate is good for the server's name and signed by somebody whom we trust (PKIX). */
export type TlsOutcome = "none" | "unverified" | "verified";

/** One of several recipients, whom the server does not take. */
export interface RefusedRecipient {
  readonly recipient: Mailbox;
  readonly reply: Reply;
}

/** What became of an attempt. The server's words are for the log alone (ADR 0013): they may name a private address. */
export type Attempt =
  | {
      readonly kind: "accepted";
      readonly reply: Reply;
      readonly tls: TlsOutcome;
      /** Of several: the others have the message. */
      readonly refused?: readonly RefusedRecipient[];
    }
  /** A refusal, at the greeting or in the transaction. */
  | {
      readonly kind: "answered";
      readonly reply: Reply;
      readonly stage: "greeting" | "transaction";
      readonly tls: TlsOutcome;
      /** It is a refusal of ours: the server did not say this. */
      readonly ours?: true;
      /** What the server said to AUTH. */
      readonly login?: Pick<Reply, "code" | "enhanced">;
      /** Of several recipients, where all were refused. */
      readonly refused?: readonly RefusedRecipient[];
    }
  /**
   * No answer: cannot connect, connection lost, time is up. Nobody holds the message for sure; where `onFinalDot` was
   * called, the server may.
   */
  | { readonly kind: "no-answer"; readonly cause: string; readonly stage: "greeting" | "transaction" };

/** The message of an attempt, and who wants to hear of it. */
export interface AttemptOptions extends AttemptHooks {
  readonly envelope: Envelope;
  /**
   * Further recipients in the same transaction; where this is set, the attempt tells each refusal, also of none further.
   * Not for LMTP, which answers for each.
   */
  readonly alsoTo?: readonly Mailbox[];
  /** Asked of servers that know DSN (RFC 3461), for all recipients. */
  readonly dsn?: DsnRequest;
  /** CRLF lines; the caller has refused bare CR, bare LF and NUL: they go out as they are. */
  readonly message: Content;
}

export interface DsnRequest {
  readonly notify?: readonly ("NEVER" | "SUCCESS" | "FAILURE" | "DELAY")[];
  readonly ret?: "FULL" | "HDRS";
  /** Printable ASCII, without xtext. */
  readonly envid?: string;
}

export interface AttemptHooks {
  /**
   * Ends the attempt: whoever waits for it does not wait any longer. After the final dot it does nothing: the server
   * may have the message, and its answer is waited for, up to ten minutes.
   */
  readonly timeIsUp?: AbortSignal;
  /**
   * The final dot is handed to the system. Called at most once, before the attempt is over; where `timeIsUp` came too late,
   * soon after that.
   */
  readonly onFinalDot?: () => void;
}
