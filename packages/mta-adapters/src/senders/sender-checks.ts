// What policy, milter and readsocket ask about a sender: SPF, and what becomes of the mail for it.
import type { Reply } from "@homing/mail";
import type { SpfAnswer, SpfQuestion, SpfVerdict } from "@homing/spf";
import type { Mailbox } from "@homing/srs-core";

export interface SenderAsked extends Pick<SpfQuestion, "client" | "helo" | "sender"> {
  /** Settings are those of its domain; undefined: those of all. */
  readonly recipient: Mailbox | undefined;
}

/** Of `tag`: taken, and the field says why it is suspect. */
export interface SenderVerdict extends SpfVerdict {
  /** It would have been refused or deferred, and comes from a forwarder who is trusted. */
  readonly isTrustedForwarder?: true;
  /** What the client hears; of `defer` and `refuse`. */
  readonly reply?: Reply;
  /** Received-SPF (RFC 7208 §9.1), folded, with its CRLF. */
  readonly field: string;
  readonly answer: SpfAnswer;
}

export interface SenderChecks {
  /** Undefined where nobody is checked: at that domain, or the client is one of ours. Asks DNS; never rejects. */
  check(asked: SenderAsked): Promise<SenderVerdict | undefined>;
}
