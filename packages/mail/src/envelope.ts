// The envelope of one message to one recipient (RFC 5321 §2.3.1), with the promises its client made about the content.
import type { Mailbox, ReversePath } from "@homing/srs-core";

/** What MAIL FROM said about the content: the next hop has to be told the same. */
export interface ContentPromise {
  /** BODY=8BITMIME (RFC 6152). */
  readonly eightBit: boolean;
  /** SMTPUTF8 (RFC 6531): addresses or header fields may hold UTF-8. */
  readonly smtpUtf8: boolean;
}

export interface Envelope extends ContentPromise {
  readonly reversePath: ReversePath;
  readonly recipient: Mailbox;
}
