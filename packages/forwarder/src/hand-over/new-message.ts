// Copies of a message that came in, as a message for the spool. Called by the files beside this one.
import { NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import type { Copy } from "../copies.ts";
import type { NewMessage, NotifyParty } from "../spool/spool.ts";
import type { Incoming, Lead } from "./incoming.ts";

export interface LedCopy {
  readonly lead: Lead;
  readonly copy: Copy;
}

/** @param mayTellSender false where the sender may be forged: then only owners of lists hear of failures */
export function newMessage(
  { id, command, content }: Incoming,
  copies: readonly LedCopy[],
  { now, life, mayTellSender }: { now: UnixSeconds; life: number; mayTellSender: boolean },
): NewMessage {
  const { reversePath, eightBit, smtpUtf8 } = command;
  const notifyOf = ({ owner }: Copy): NotifyParty => {
    if (owner) return { kind: "mailbox", mailbox: owner };
    return { kind: mayTellSender && reversePath !== NULL_PATH ? "sender" : "nobody" };
  };
  return {
    id,
    received: now,
    expires: now + life,
    sender: reversePath,
    eightBit,
    smtpUtf8,
    content,
    recipients: copies.map(({ lead, copy }) => ({
      mailbox: copy.mailbox,
      reversePath: copy.reversePath,
      alias: lead.recipient,
      stays: copy.stays,
      trace: lead.trace,
      notify: notifyOf(copy),
      due: now,
    })),
  };
}
