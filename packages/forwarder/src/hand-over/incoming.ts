// A message that came in whole, with all that was decided about it at RCPT. Made by receive.ts; what becomes of it is decided
// by the files beside this one.
import type { Content } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import type { Copy } from "../copies.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import type { ClientPresence, MailCommand } from "../smtp-session.ts";
import type { TopFields } from "../top-fields.ts";

export interface Incoming {
  /** As in our Received field. */
  readonly id: string;
  readonly command: MailCommand;
  /** Who waits for the answer. */
  readonly client: ClientPresence;
  /** As it came, or as it was made ready to be sent; whoever keeps it longer than the client waits holds it. */
  readonly content: Content;
  /** Where `content` has what we added: the same message, sent again, gets other fields, and is known by this. */
  readonly asSent?: Content;
  /** One for each recipient of the transaction. */
  readonly leads: readonly Lead[];
}

/** Where one recipient's mail goes. */
export interface Lead {
  /** As the client gave it: an alias or an SRS address. */
  readonly recipient: Mailbox;
  /** None where it is thrown away. */
  readonly copies: readonly Copy[];
  /** Our Received field for this recipient, made when it is asked for. */
  readonly trace: () => string;
  /** What stands above it in a copy. Without it, nothing. */
  readonly top?: TopFields | undefined;
  /** With fields and a return path of this recipient's own: who else has the same destination does not save him the copy. */
  readonly isApart?: boolean;
  /** What the client asked of DSNs about this recipient; not of a bounce. */
  readonly dsn?: RcptDsn | undefined;
}

/** Our fields on top of a copy, each with its CRLF. */
export function fieldsOf({ trace, top }: Lead, copy: Copy): string {
  return top ? top(copy) + trace() : trace();
}
