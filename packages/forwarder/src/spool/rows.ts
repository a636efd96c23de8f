// The spool's values as rows and back. Column order is that of database.ts. Called by sqlite-spool.ts.
import type { Notify } from "@homing/bounce-handler";
import type { Content } from "@homing/mail";
import { asciiLower, type Mailbox, NULL_PATH, type ReversePath } from "@homing/srs-core";
import type { MailDsn, RcptDsn } from "../dsn-parameters.ts";
import type { Listed, Row, SqlValue } from "./operations.ts";
import type {
  Deferral,
  Failure,
  Job,
  Lease,
  NewMessage,
  NewRecipient,
  NotifyParty,
  QueuedRecipient,
  QueueEntry,
  Recipient,
  StoredMessage,
} from "./spool.ts";

type Column = SqlValue | undefined;

export function messageRow(message: NewMessage, number: number, chunks: number): Row {
  const { id, received, expires, sender, eightBit, smtpUtf8, dsn, content } = message;
  return [
    ...[number, id, received, expires],
    ...pathColumns(sender),
    ...[Number(eightBit), Number(smtpUtf8), content.octets, chunks],
    ...[dsn?.ret ?? null, dsn?.envid ?? null],
  ];
}

export function recipientRow(recipient: NewRecipient, message: number, place: number): Row {
  const { mailbox, reversePath, alias, targets, stays, trace, notify, dsn, due, leasedUntil } = recipient;
  return [
    ...[message, place, mailbox.localPart, mailbox.domain],
    ...pathColumns(reversePath),
    ...[alias.localPart, alias.domain, Number(stays), trace, notify.kind],
    ...pathColumns(notify.kind === "mailbox" ? notify.mailbox : NULL_PATH),
    destinationOf(mailbox),
    ...[leasedUntil === undefined ? 0 : 1, due, leasedUntil ?? null],
    ...[null, null, null, null],
    ...[targets, notifyText(dsn?.notify), dsn?.orcpt ?? null],
  ];
}

export function deferralRow({ due, delayToldAt, code, enhanced, detail }: Deferral): Row {
  return [due, delayToldAt ?? null, code, enhanced, detail];
}

/** Claims ask for what comes behind "", so no destination is that. */
function destinationOf({ domain }: Mailbox): string {
  return asciiLower(domain) || ".";
}

export function storedMessage(row: Row, content: Content): StoredMessage {
  return { ...messageFacts(row), content };
}

function messageFacts(row: Row): Omit<StoredMessage, "content"> {
  const [, id, received, expires, , , eightBit, smtpUtf8, , , ret, envid] = row;
  return {
    id: String(id),
    received: Number(received),
    expires: Number(expires),
    sender: pathAt(row, 4),
    eightBit: eightBit === 1,
    smtpUtf8: smtpUtf8 === 1,
    ...(ret === null && envid === null ? {} : { dsn: mailDsn(ret, envid) }),
  };
}

function notifyParty(kind: string, mailbox: ReversePath): NotifyParty {
  if (kind === "mailbox" && mailbox !== NULL_PATH) return { kind, mailbox };
  return kind === "sender" ? { kind } : { kind: "nobody" };
}

export function job(row: Row, message: StoredMessage): Job {
  const lease: Lease = {
    messageId: message.id,
    message: Number(row[0]),
    recipient: Number(row[1]),
    attempt: Number(row[14]),
  };
  return { lease, message, recipient: recipient(row), ...history(row) };
}

export function queueEntry({ row, recipients }: Listed): QueueEntry {
  return {
    ...messageFacts(row),
    position: Number(row[0]),
    octets: Number(row[8]),
    recipients: recipients.map(queuedRecipient),
  };
}

function queuedRecipient(row: Row): QueuedRecipient {
  const leasedUntil = row[16];
  return {
    ...recipient(row),
    attempts: Number(row[14]),
    due: Number(row[15]),
    ...(typeof leasedUntil === "number" ? { leasedUntil } : {}),
    ...history(row),
  };
}

function recipient(row: Row): Recipient {
  const [, , localPart, domain, , , aliasLocal, aliasDomain, stays, trace, notify] = row;
  return {
    mailbox: { localPart: String(localPart), domain: String(domain) },
    reversePath: pathAt(row, 4),
    alias: { localPart: String(aliasLocal), domain: String(aliasDomain) },
    stays: stays === 1,
    trace: String(trace),
    notify: notifyParty(String(notify), pathAt(row, 11)),
    targets: Number(row[21]),
    ...(row[22] === null && row[23] === null ? {} : { dsn: rcptDsn(row[22], row[23]) }),
  };
}

function mailDsn(ret: Column, envid: Column): MailDsn {
  return {
    ...(ret === "full" || ret === "hdrs" ? { ret } : {}),
    ...(typeof envid === "string" ? { envid } : {}),
  };
}

function rcptDsn(notify: Column, orcpt: Column): RcptDsn {
  return {
    ...(typeof notify === "string" ? { notify: notifyOf(notify) } : {}),
    ...(typeof orcpt === "string" ? { orcpt } : {}),
  };
}

/** A list without words is one of which all was told already. */
function notifyText(notify: Notify | undefined): string | null {
  if (notify === undefined || notify === "never") return notify ?? null;
  return notify.join(",");
}

function notifyOf(text: string): Notify {
  if (text === "never") return text;
  const words = text.split(",");
  return (["success", "failure", "delay"] as const).filter((word) => words.includes(word));
}

function history(row: Row): { readonly delayToldAt?: number; readonly lastFailure?: Failure } {
  const [delayToldAt, code, enhanced, detail] = row.slice(17, 21);
  const lastFailure = { code: Number(code), enhanced: String(enhanced), detail: String(detail) };
  return {
    ...(typeof delayToldAt === "number" ? { delayToldAt } : {}),
    ...(code === null ? {} : { lastFailure }),
  };
}

/** No local part is the null path. */
function pathColumns(path: ReversePath): [string | null, string | null] {
  return path === NULL_PATH ? [null, null] : [path.localPart, path.domain];
}

function pathAt(row: Row, at: number): ReversePath {
  const localPart = row[at];
  return typeof localPart === "string" ? { localPart, domain: String(row[at + 1]) } : NULL_PATH;
}
