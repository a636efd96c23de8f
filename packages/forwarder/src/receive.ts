// One mail transaction's decisions: may this sender come in, where do the recipients lead, may the content pass. What then
// becomes of the message, hand-over/ decides. Called by smtp-in.ts, through forwarder.ts.
import { type Asked, type BounceGate, networkOf, TOO_MANY_GUESSES } from "@homing/bounce-handler";
import { type Content, type Reply, readTrace, type Trace } from "@homing/mail";
import { NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import type { Authentication } from "./authentication/authentication.ts";
import type { RcptOutcome, SenderCheck } from "./authentication/sender-check.ts";
import type { BounceDesk } from "./bounces/bounce-desk.ts";
import { bugText } from "./bug-text.ts";
import { type Copies, type CopyOptions, copiesOf, type Leading } from "./copies.ts";
import type { Report } from "./events.ts";
import type { Incoming } from "./hand-over/incoming.ts";
import type { HeaderMarks } from "./header-mark.ts";
import type { LoopTokens } from "./loop-token.ts";
import { type CheckedMessage, passOn, type Taken } from "./pass-on.ts";
import type { Routes } from "./routes.ts";
import type { MailCommand, MailOutcome, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";
import type { KeptSenders } from "./spool/kept-senders.ts";
import type { TopFieldMaker } from "./top-fields.ts";
import { type Accepted, createTransactionReport, type TransactionReport } from "./transaction-report.ts";

export interface ReceiveOptions extends CopyOptions {
  readonly hostname: string;
  /** Verifies addresses at SRS domains of ours. */
  readonly gate: BounceGate;
  readonly isSrsDomain: (domain: string) => boolean;
  readonly routes: Routes;
  /** May this client use our own domains as sender? */
  readonly isTrusted: (address: string) => boolean;
  /** Others' mail comes from there, which is not its doing. */
  readonly isOurServer: (address: string) => boolean;
  /** Senders that do not fit into an address; without it they are refused. */
  readonly keptSenders?: KeptSenders | undefined;
  readonly loopTokens: LoopTokens;
  readonly headerMarks: HeaderMarks;
  /** RFC 5321 §6.3: mail with so many Received fields goes in a circle. */
  readonly maxHops: number;
  /** Who sends; without it, nobody is checked. */
  readonly authentication?: Authentication | undefined;
  readonly topFields: TopFieldMaker;
  /** The sender may be owed a bounce: his transactions have many recipients. */
  readonly mayOwe: (command: MailCommand, isVerified: boolean) => boolean;
  readonly handOver: (mail: Incoming, mayOwe: boolean) => Promise<Reply>;
  /** Bounces to mail of ours. */
  readonly bounces: BounceDesk;
  readonly now: () => UnixSeconds;
  readonly newId: () => string;
  readonly report: Report;
}

const OUR_DOMAIN: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "mail from this domain does not come from outside",
};
/**
 * The final dot has one answer: who must not be owed a bounce has one recipient, and so has a bounce (ADR 0019).
 * RFC 5321 §4.5.3.1.10: the client sends again.
 */
const ONE_RECIPIENT: Reply = {
  code: 452,
  enhanced: "4.5.3",
  text: "one recipient at a time, please send again",
};
export const TOO_MANY_HOPS: Reply = {
  code: 554,
  enhanced: "5.4.6",
  text: "the message passed too many servers: a mail loop",
};
export const SEEN_BEFORE: Reply = {
  code: 554,
  enhanced: "5.4.6",
  text: "the message was here for this address before: a mail loop",
};
/** It would be read as more of our Received field (RFC 5322 §2.2.3). */
export const BEGINS_FOLDED: Reply = {
  code: 550,
  enhanced: "5.6.0",
  text: "the message begins with white space, where a header begins with a field",
};
const NOT_KEPT: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "the sender address could not be kept, try again later",
};
/**
 * The sender comes again, and others have expired then. 452 at RCPT would read as too many recipients (RFC 5321 §4.5.3.1.10);
 * X.1.7 says that it is for the sender's address.
 */
const NO_ROOM: Reply = {
  code: 451,
  enhanced: "4.1.7",
  text: "the sender address is too long, and there is no room to keep it now, try again later",
};
const NOT_CHECKED: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "the sender could not be checked, try again later",
};
const SPACE = 0x20;
const TAB = 0x09;
const NO_COPIES: Copies = { ok: true, copies: [] };
const TAKEN: Reply = { code: 250, enhanced: "2.1.5", text: "ok" };

interface Refusal {
  readonly reason: string;
  readonly reply: Reply;
}

export function createReceiver(options: ReceiveOptions): SmtpHandler {
  return {
    mail: (command) => openTransaction(options, command),
    putOff(command, reply, reason) {
      createTransactionReport(options.report, command).refused({ stage: "mail", reason, reply });
    },
    failed(error, session) {
      options.report({ event: "error", session, message: bugText(error) });
    },
  };
}

function openTransaction(options: ReceiveOptions, command: MailCommand): MailOutcome {
  const report = createTransactionReport(options.report, command);
  const refusal = senderRefusal(options, command);
  if (!refusal) return { kind: "open", transaction: createTransaction(options, command, report) };
  report.refused({ stage: "mail", ...refusal });
  return { kind: "refuse", reply: refusal.reply };
}

/** A sender of ours from outside is forged, or another forwarder sends our own SRS address back: its tag tells. */
function senderRefusal(options: ReceiveOptions, command: MailCommand): Refusal | undefined {
  const { gate, isOurDomain, isSrsDomain, isTrusted } = options;
  const sender = command.reversePath;
  if (sender === NULL_PATH) return undefined;
  if (!isSrsDomain(sender.domain) && !isOurDomain(sender.domain)) return undefined;
  if (isTrusted(command.client.address)) return undefined;
  if (!gate.judges(sender)) return { reason: "our-domain-from-outside", reply: OUR_DOMAIN };
  const reversed = gate.reverse(sender, askedBy(options, command));
  if (reversed === "too-many-guesses") return { reason: reversed, reply: TOO_MANY_GUESSES };
  return reversed.ok ? undefined : { reason: reversed.reason, reply: OUR_DOMAIN };
}

/** Who has a tag verified, and when. Through a server of our own others come: they are not its doing. */
function askedBy({ isOurServer, now }: ReceiveOptions, { client }: MailCommand): Asked {
  return { now: now(), network: isOurServer(client.address) ? undefined : networkOf(client.address) };
}

function createTransaction(
  options: ReceiveOptions,
  command: MailCommand,
  report: TransactionReport,
): SmtpTransaction {
  const accepted: Taken[] = [];
  const check = options.authentication?.open(command);
  const mayOwe = (): boolean => options.mayOwe(command, check?.isVerified() ?? false);

  return {
    async rcpt(recipient, dsn) {
      const asked = askedBy(options, command);
      const { now } = asked;
      const route = await options.routes.route(recipient, command.reversePath, asked);
      if (route.kind === "refuse") {
        const { reason, reply, dropped } = route;
        report.refused({ stage: "rcpt", recipient, reason, reply, dropped });
        return route.reply;
      }
      if (accepted.length > 0 && !(mayOwe() && [...accepted, { route }].every(isForward))) {
        report.refused({ stage: "rcpt", recipient, reason: "one-recipient", reply: ONE_RECIPIENT });
        return ONE_RECIPIENT;
      }
      const refusal = check && isChecked(route) ? refusalAtRcpt(await check.rcpt(recipient)) : undefined;
      if (refusal) {
        report.refused({ stage: "rcpt", recipient, ...refusal });
        return refusal.reply;
      }
      const copies =
        route.kind === "discard" ? NO_COPIES : await keptCopies(options, command, { route, recipient, now });
      if (!copies.ok) {
        report.refused({ stage: "rcpt", recipient, reason: copies.reason, reply: copies.reply });
        return copies.reply;
      }
      accepted.push({ recipient, route, copies: copies.copies, dsn });
      return TAKEN;
    },

    refused(reply, reason) {
      const [first] = accepted;
      report.refused({ stage: "data", ...(first ? { recipient: first.recipient } : {}), reason, reply });
    },

    async data(message, client) {
      if (accepted.length === 0) throw new Error("DATA without a recipient");
      const trace = readTrace(message.start, options.maxHops);
      const refusal = contentRefusal(options, accepted, { message, trace });
      const id = options.newId();
      const checked = refusal ?? (await checkedMessage(options, check, accepted, { id, message }));
      if ("reply" in checked) {
        const { reason, reply } = checked;
        for (const { recipient } of accepted) report.refused({ stage: "data", recipient, reason, reply });
        return reply;
      }
      const isOwed = accepted.length > 1 || options.mayOwe(command, checked.isVerified && !checked.isTagged);
      return await passOn(options, command, report, { id, accepted, checked, trace, isOwed, client });
    },
  };
}

/** With their senders on the disk, where one does not fit into an address. */
export async function keptCopies(
  options: Pick<ReceiveOptions, "keptSenders" | "isOurServer"> & CopyOptions,
  { reversePath, client }: Pick<MailCommand, "reversePath" | "client">,
  leading: Omit<Leading, "given">,
): Promise<Copies> {
  const { keptSenders } = options;
  const copies = (): Copies => copiesOf(options, { ...leading, given: reversePath });
  if (!keptSenders || reversePath === NULL_PATH) return copies();
  const payer = options.isOurServer(client.address) ? undefined : client.address;
  const made = keptSenders.onBehalfOf(payer, leading.now, copies);
  if (made === "no-room") return { ok: false, reason: "sender-no-room", reply: NO_ROOM };
  if (!made.ok || (await keptSenders.durable())) return made;
  return { ok: false, reason: "sender-not-kept", reply: NOT_KEPT };
}

function isForward({ route }: Pick<Accepted, "route">): boolean {
  return route.kind !== "bounce";
}

function contentRefusal(
  { loopTokens, maxHops }: ReceiveOptions,
  accepted: readonly Accepted[],
  { message, trace }: { readonly message: Content; readonly trace: Trace },
): Refusal | undefined {
  // A bounce is never refused for that: what becomes of it is none of its octets.
  if (accepted.every(isForward) && (message.start[0] === SPACE || message.start[0] === TAB))
    return { reason: "begins-folded", reply: BEGINS_FOLDED };
  if (trace.hops >= maxHops) return { reason: "too-many-hops", reply: TOO_MANY_HOPS };
  const wasHere = accepted.some(({ recipient }) => loopTokens.seen(recipient, trace));
  return wasHere ? { reason: "seen-before", reply: SEEN_BEFORE } : undefined;
}

/** Mail that is forwarded; not what is thrown away, and not bounces. An automatic answer has a sender of its own. */
function isChecked(route: Accepted["route"]): boolean {
  if (route.kind === "bounce") return route.unwrapped.srs === "srs0" && route.unwrapped.isAnswer;
  return route.kind === "alias";
}

function refusalAtRcpt(outcome: RcptOutcome): Refusal | undefined {
  switch (outcome.kind) {
    case "go-on":
      return undefined;
    case "apart":
      return { reason: "other-rules", reply: ONE_RECIPIENT };
    case "refuse":
      return outcome;
  }
}

/** Who sends, by all that the message says, or why it is not taken. */
async function checkedMessage(
  options: ReceiveOptions,
  check: SenderCheck | undefined,
  accepted: readonly Accepted[],
  { id, message }: { readonly id: string; readonly message: Content },
): Promise<CheckedMessage | Refusal> {
  const unchecked = { content: message, fields: "", isVerified: false, isTagged: false };
  if (!check) return unchecked;
  const failed = (error: unknown): void =>
    options.report({ event: "error", session: "", message: bugText(error) });
  if (!accepted.some(({ route }) => isChecked(route))) {
    if (accepted.some(({ route }) => route.kind === "bounce")) check.bounce(id).catch(failed);
    return unchecked;
  }
  try {
    return await check.message(id, message);
  } catch (error) {
    failed(error);
    return { reason: "not-checked", reply: NOT_CHECKED };
  }
}
