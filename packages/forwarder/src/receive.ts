// One mail transaction's decisions: may this sender come in, where does the recipient lead, what becomes of the
// message. Delivery is in-session: the final dot is answered as the next hop answered, so nothing is ever acknowledged
// that nobody holds. Called by smtp-in.ts, through forwarder.ts.
import type { BlockList } from "node:net";
import {
  type Content,
  type Envelope,
  forbiddenOctet,
  type Reply,
  readTrace,
  receivedField,
  withFields,
} from "@homing/mail";
import { looksLikeSrs, type Mailbox, NULL_PATH, type Rewriter, type UnixSeconds } from "@homing/srs-core";
import { answerFor } from "./answer.ts";
import { type Copy, type CopyOptions, copiesOf } from "./copies.ts";
import type { Delivery } from "./deliver.ts";
import type { Report } from "./events.ts";
import type { LoopTokens } from "./loop-token.ts";
import { mapInParallel } from "./parallel.ts";
import type { Routes } from "./routes.ts";
import type { MailCommand, MailOutcome, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";
import { type Accepted, createTransactionReport, type TransactionReport } from "./transaction-report.ts";

export interface ReceiveOptions extends CopyOptions {
  readonly hostname: string;
  /** Verifies the addresses at an SRS domain of ours; undefined for every other domain. */
  readonly rewriterAt: (domain: string) => Rewriter | undefined;
  readonly routes: Routes;
  /** Clients that may use our own domains as sender. */
  readonly trusted: BlockList;
  readonly loopTokens: LoopTokens;
  /** RFC 5321 §6.3: mail with so many Received fields goes in a circle. */
  readonly maxHops: number;
  readonly deliver: (envelope: Envelope, message: Content, timeIsUp: AbortSignal) => Promise<Delivery>;
  readonly now: () => UnixSeconds;
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly newId: () => string;
  readonly report: Report;
}

/** Targets of one alias that are delivered to at the same time. */
const PARALLEL_TARGETS = 10;

/**
 * For everything between the client's final dot and our answer: servers one after the other, each silence of each. The
 * client waits ten minutes (RFC 5321 §4.5.3.2.6); it must hear 451 before it gives up and sends the message again.
 */
const MAX_WAIT_SECONDS = 9 * 60;

const OUR_DOMAIN: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "mail from this domain does not come from outside",
};
/** The final dot has one answer, so a transaction has one recipient. RFC 5321 §4.5.3.1.10: the client sends again. */
const ONE_RECIPIENT: Reply = {
  code: 452,
  enhanced: "4.5.3",
  text: "one recipient at a time, please send again",
};
const TOO_MANY_HOPS: Reply = {
  code: 554,
  enhanced: "5.4.6",
  text: "the message passed too many servers: a mail loop",
};
const SEEN_BEFORE: Reply = {
  code: 554,
  enhanced: "5.4.6",
  text: "the message was here for this address before: a mail loop",
};
/** As if it were delivered: the sender is not to know. */
const THROWN_AWAY: Reply = { code: 250, enhanced: "2.0.0", text: "taken" };
const TAKEN: Reply = { code: 250, enhanced: "2.1.5", text: "ok" };

export function createReceiver(options: ReceiveOptions): SmtpHandler {
  return {
    mail: (command) => openTransaction(options, command),
    failed(error, session) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      options.report({ event: "error", session, message });
    },
  };
}

function openTransaction(options: ReceiveOptions, command: MailCommand): MailOutcome {
  const report = createTransactionReport(options.report, command);
  const reason = senderRefusal(options, command);
  if (!reason) return { kind: "open", transaction: createTransaction(options, command, report) };
  report.refused({ stage: "mail", reason, reply: OUR_DOMAIN });
  return { kind: "refuse", reply: OUR_DOMAIN };
}

/** A sender of ours from outside is forged, or another forwarder sends our own SRS address back: its tag tells. */
function senderRefusal(options: ReceiveOptions, command: MailCommand): string | undefined {
  const sender = command.reversePath;
  if (sender === NULL_PATH) return undefined;
  const atSrsDomain = options.rewriterAt(sender.domain);
  if (!atSrsDomain && !options.isOurDomain(sender.domain)) return undefined;
  if (isTrusted(options.trusted, command.client.address)) return undefined;
  if (!atSrsDomain || !looksLikeSrs(sender.localPart)) return "our-domain-from-outside";
  const reversed = atSrsDomain.reverse(sender, options.now());
  return reversed.ok ? undefined : reversed.reason;
}

function createTransaction(
  options: ReceiveOptions,
  command: MailCommand,
  report: TransactionReport,
): SmtpTransaction {
  let accepted: Accepted | undefined;

  return {
    async rcpt(recipient) {
      const now = options.now();
      const route = await options.routes.route(recipient, command.reversePath, now);
      if (route.kind === "refuse") {
        const { reason, reply, dropped } = route;
        report.refused({ stage: "rcpt", recipient, reason, reply, dropped });
        return route.reply;
      }
      if (accepted) {
        report.refused({ stage: "rcpt", recipient, reason: "one-recipient", reply: ONE_RECIPIENT });
        return ONE_RECIPIENT;
      }
      const copies =
        route.kind === "discard"
          ? ({ ok: true, copies: [] } as const)
          : copiesOf(options, { route, recipient, given: command.reversePath, now });
      if (!copies.ok) {
        report.refused({ stage: "rcpt", recipient, reason: copies.reason, reply: copies.reply });
        return copies.reply;
      }
      accepted = { recipient, route, copies: copies.copies };
      return TAKEN;
    },

    refused(reply, reason) {
      report.refused({
        stage: "data",
        ...(accepted ? { recipient: accepted.recipient } : {}),
        reason,
        reply,
      });
    },

    async data(message) {
      if (!accepted) throw new Error("DATA without a recipient");
      const refusal = contentRefusal(options, accepted.recipient, message);
      if (!refusal) return await passOn(options, command, report, { ...accepted, message });
      report.refused({ stage: "data", recipient: accepted.recipient, ...refusal });
      return refusal.reply;
    },
  };
}

function contentRefusal(
  { loopTokens, maxHops }: ReceiveOptions,
  recipient: Mailbox,
  message: Content,
): { readonly reason: string; readonly reply: Reply } | undefined {
  const octet = forbiddenOctet(message.start);
  if (octet) {
    const text = `the message holds ${octet}: CR and LF may come only as a pair, and NUL not at all`;
    return { reason: octet, reply: { code: 550, enhanced: "5.6.0", text } };
  }
  const trace = readTrace(message.start, maxHops);
  if (trace.hops >= maxHops) return { reason: "too-many-hops", reply: TOO_MANY_HOPS };
  return loopTokens.seen(recipient, trace) ? { reason: "seen-before", reply: SEEN_BEFORE } : undefined;
}

async function passOn(
  options: ReceiveOptions,
  command: MailCommand,
  report: TransactionReport,
  accepted: Accepted & { readonly message: Content },
): Promise<Reply> {
  const { recipient, route, copies, message } = accepted;
  const id = options.newId();
  const timeIsUp = options.timeLimit(MAX_WAIT_SECONDS);
  report.received(id, accepted, message.octets);
  if (route.kind === "discard") {
    report.answered(id, THROWN_AWAY);
    return THROWN_AWAY;
  }

  const { client, eightBit, smtpUtf8 } = command;
  // A bounce comes from the server behind an alias: the original sender must not learn who that is (ADR 0013).
  const from = route.kind === "bounce" ? undefined : { helo: client.helo, address: client.address };
  const trace = receivedField({
    from,
    protocol: client.protocol,
    by: options.hostname,
    id,
    loopToken: options.loopTokens.mint(recipient, readTrace(message.start, options.maxHops).messageId),
    recipient,
    now: options.now(),
  });
  const outgoing = withFields(message, [trace]);
  const deliverAll = (some: readonly Copy[]): Promise<Delivery[]> =>
    mapInParallel(some, PARALLEL_TARGETS, async ({ mailbox, reversePath }) => {
      const envelope: Envelope = { reversePath, recipient: mailbox, eightBit, smtpUtf8 };
      const delivery = await options.deliver(envelope, outgoing, timeIsUp);
      report.delivery(id, mailbox, delivery);
      return delivery;
    });

  // Those that stay first: while our own store is away nothing leaves, so that the client can send all of it again.
  const stayed = await deliverAll(copies.filter(({ stays }) => stays));
  const left = isStoreAway(stayed) ? [] : await deliverAll(copies.filter(({ stays }) => !stays));
  const reply = answerFor(recipient, [...stayed, ...left]);
  report.answered(id, reply);
  return reply;
}

/** Nobody got a copy, and it is no single mailbox's fault (RFC 3463: x.2 is the mailbox's). */
function isStoreAway(stayed: readonly Delivery[]): boolean {
  const isTrouble = (one: Delivery): boolean =>
    one.kind === "failed" && one.code < 500 && !one.enhanced.startsWith("4.2.");
  return stayed.every(({ kind }) => kind === "failed") && stayed.some(isTrouble);
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
