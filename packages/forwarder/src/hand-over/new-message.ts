// Copies of a message that came in, as a message for the spool. Called by the files beside this one.
import { NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import type { Copy } from "../copies.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import type { NewMessage, NotifyParty, StoredMessage } from "../spool/spool.ts";
import { fieldsOf, type Incoming, type Lead } from "./incoming.ts";

export interface LedCopy {
  readonly lead: Lead;
  readonly copy: Copy;
}

export interface Terms {
  readonly now: UnixSeconds;
  readonly life: number;
  /** False where the sender may be forged: then owners alone hear of failures. */
  readonly mayTellSender: boolean;
}

export function newMessage(mail: Incoming, copies: readonly LedCopy[], terms: Terms): NewMessage {
  const isTold = terms.mayTellSender && mail.command.reversePath !== NULL_PATH;
  const notifyOf = ({ owner }: Copy): NotifyParty => {
    if (owner) return { kind: "mailbox", mailbox: owner };
    return { kind: isTold ? "sender" : "nobody" };
  };
  return {
    ...messageFacts(mail, terms),
    recipients: copies.map(({ lead, copy }) => {
      const dsn = isTold ? askedOfCopy(lead) : undefined;
      return {
        mailbox: copy.mailbox,
        reversePath: copy.reversePath,
        alias: lead.recipient,
        targets: lead.copies.length,
        stays: copy.stays,
        trace: fieldsOf(lead, copy),
        notify: notifyOf(copy),
        ...(dsn ? { dsn } : {}),
        due: terms.now,
      };
    }),
  };
}

export function messageFacts(
  { id, command, content }: Incoming,
  { now, life, mayTellSender }: Terms,
): StoredMessage {
  const { reversePath, eightBit, smtpUtf8, dsn } = command;
  const isAsked = mayTellSender && dsn !== undefined;
  const asked = isAsked ? { dsn } : {};
  return {
    id,
    received: now,
    expires: now + life,
    sender: reversePath,
    eightBit,
    smtpUtf8,
    ...asked,
    content,
  };
}

/** The success of an alias that leads to several is told once, when it is expanded. */
function askedOfCopy({ dsn, copies }: Lead): RcptDsn | undefined {
  if (copies.length < 2 || !dsn?.notify || dsn.notify === "never") return dsn;
  return { ...dsn, notify: dsn.notify.filter((word) => word !== "success") };
}
