// A message of our own about somebody's mail, for the spool: it has the null path, and nothing is ever told about it
// (RFC 5321 §4.5.5, RFC 3464 §2). Called by the files beside this one and by queue/dsn-message.ts.
import type { Content } from "@homing/mail";
import { type Mailbox, NULL_PATH, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { NewMessage } from "../spool/spool.ts";

export interface OwnMessage {
  readonly id: string;
  readonly now: UnixSeconds;
  /** Seconds. */
  readonly life: number;
  readonly content: Content;
  /** Whom it is for, as the world knows him. */
  readonly to: Mailbox;
  /** Where that leads. */
  readonly addresses: readonly { readonly mailbox: Mailbox; readonly stays: boolean }[];
  /** Our Received field, where the content is not ours. */
  readonly trace?: string;
  readonly eightBit?: boolean;
  readonly smtpUtf8?: boolean;
}

export function ownMessage({
  id,
  now,
  life,
  content,
  to,
  addresses,
  trace,
  eightBit,
  smtpUtf8,
}: OwnMessage): NewMessage {
  return {
    id,
    received: now,
    expires: now + life,
    sender: NULL_PATH,
    eightBit: eightBit ?? false,
    smtpUtf8: smtpUtf8 === true || needsSmtpUtf8(to),
    content,
    recipients: addresses.map(({ mailbox, stays }) => ({
      mailbox,
      stays,
      reversePath: NULL_PATH,
      alias: to,
      targets: addresses.length,
      trace: trace ?? "",
      notify: { kind: "nobody" },
      due: now,
    })),
  };
}

/** RFC 6531 §3.2. */
export function needsSmtpUtf8(mailbox: Mailbox): boolean {
  return /[^\0-\x7f]/.test(renderMailbox(mailbox));
}
