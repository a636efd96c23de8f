// A DSN about one recipient, as a message for the spool. Called by conclude.ts and queue.ts.
import {
  type BounceClass,
  briefHeader,
  classify,
  composeDsn,
  type DiagnosticPolicy,
  type DsnAction,
  type DsnRecipient,
  mayTell,
} from "@homing/bounce-handler";
import { memoryContent, wholeContent } from "@homing/mail";
import { type Mailbox, NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import type { SignMessage } from "../authenticate.ts";
import { ownMessage } from "../bounces/own-message.ts";
import { isReturnPath, type SentMail } from "../bounces/sent-mail.ts";
import type { Delivery } from "../deliver.ts";
import type { MailDsn, RcptDsn } from "../dsn-parameters.ts";
import type { Report } from "../events.ts";
import type { NewMessage, Recipient, StoredMessage } from "../spool/spool.ts";

/** Where mail to an address goes: itself, or what our tables make of an address of ours. `later`: it cannot be told now. */
export type LeadsTo = (
  address: Mailbox,
) => Promise<readonly { mailbox: Mailbox; stays: boolean }[] | "later">;

export interface DsnOptions {
  readonly hostname: string;
  readonly newId: () => string;
  /** Of the DSN itself, in seconds. */
  readonly life: number;
  readonly leadsTo: LeadsTo;
  /** What is said of a next hop's answer; its words never are. Default `code`. */
  readonly diagnostic?: (alias: Mailbox) => DiagnosticPolicy;
  /** Rejects where it cannot be done now. */
  readonly sign: SignMessage;
  /** Of mail that was sent from here for somebody; undefined where none is. */
  readonly sent?: Pick<SentMail, "rewriters" | "foot"> | undefined;
  readonly report: Report;
}

/** What a DSN is about. */
export type TellableRecipient = Pick<Recipient, "alias" | "reversePath" | "notify" | "dsn">;

export interface ToTell {
  readonly action: DsnAction;
  readonly enhanced: string;
  /** The attempt that it tells of, where that failed. */
  readonly failure?: Failure;
  readonly now: UnixSeconds;
}

type Failure = Pick<Extract<Delivery, { kind: "failed" }>, "code" | "enhanced" | "detail" | "reply">;

/** RET=FULL: larger messages come back as their header (RFC 3461 §4.3 leaves it to us). */
const FULL_UP_TO = 64 * 1024;

/** Undefined where nobody is to be told, or whoever is has no address that takes mail; `later` where that is not known now. */
export async function dsnMessage(
  { hostname, newId, life, leadsTo, diagnostic, sign, sent, report }: DsnOptions,
  message: StoredMessage,
  recipient: TellableRecipient,
  told: ToTell,
): Promise<NewMessage | "later" | undefined> {
  const { action, now } = told;
  const to = toldParty(message, recipient, action.kind);
  if (to === undefined) return undefined;
  const addresses = await leadsTo(to);
  if (addresses === "later") return "later";
  if (addresses.length === 0) return undefined;
  const id = newId();
  // What the sender asked is not for the owner of a list, nor are his names for the message (RFC 3461 §5.2.7.1).
  const asked: MailDsn & RcptDsn = to === message.sender ? { ...message.dsn, ...recipient.dsn } : {};
  const { reversePath } = recipient;
  const isSent = isReturnPath(sent, reversePath);
  const returnsAll = asked.ret === "full" && action.kind === "failed" && message.content.octets <= FULL_UP_TO;
  const octets = composeDsn({
    hostname,
    id,
    now,
    to,
    envid: asked.envid,
    recipients: [
      { ...outcomeOf(told, diagnostic?.(recipient.alias)), final: recipient.alias, orcpt: asked.orcpt },
    ],
    arrived: message.received,
    ...(isSent
      ? {
          // Links in it are the recipient's alone: whoever has them sees and ends what is sent to him.
          original: briefHeader(message.content.start),
          foot: to === message.sender ? sent?.foot?.(to, reversePath) : [],
        }
      : {
          original: returnsAll ? await wholeContent(message.content) : message.content.start,
          fullUpTo: returnsAll ? FULL_UP_TO : 0,
        }),
  });
  try {
    const content = memoryContent(await sign(octets));
    return ownMessage({ id, now, life, content, to, addresses });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    report({ event: "error", session: "", message: `a DSN cannot be signed, and waits: ${cause}` });
    return "later";
  }
}

/**
 * Who hears of this. Mail of lists, and automatic mail, is told of like any other: its sender is verified, and a
 * return path is there for failures (RFC 5321 §6.1; RFC 3834 §2 is about answers to the author).
 */
export function toldParty(
  { sender }: Pick<StoredMessage, "sender">,
  { notify, dsn }: Pick<Recipient, "notify" | "dsn">,
  action: DsnAction["kind"],
): Mailbox | undefined {
  const isProblem = action === "failed" || action === "delayed";
  if (isProblem && notify.kind === "mailbox") return notify.mailbox;
  // NOTIFY is kept of senders who are verified, and of no others.
  const isKnown = notify.kind === "sender" || (!isProblem && dsn !== undefined);
  return isKnown && sender !== NULL_PATH && mayTell(dsn?.notify, action) ? sender : undefined;
}

function outcomeOf(
  { action, enhanced, failure, now }: ToTell,
  policy: DiagnosticPolicy = "code",
): Omit<DsnRecipient, "final" | "orcpt"> {
  const seen = { action, enhanced, lastAttempt: now };
  if (!failure) return seen;
  return {
    ...seen,
    class: classOf(enhanced, failure),
    diagnostic: policy === "none" ? undefined : diagnosticOf(failure),
  };
}

/** It chooses among words of ours; the next hop's stay here. */
export function classOf(status: string, { code, detail }: Failure): BounceClass {
  return classify({ status, replyCode: code, text: detail }).class;
}

/** The digits alone (ADR 0013), and only if a server said them. */
function diagnosticOf({ reply }: Failure): string | undefined {
  if (!reply) return undefined;
  // Made up where the server had none.
  const hasNone = reply.enhanced.endsWith(".0.0");
  return `smtp; ${reply.code}${hasNone ? "" : ` ${reply.enhanced}`}`;
}
