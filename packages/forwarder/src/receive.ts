// One mail transaction's decisions: may this sender come in, where does the recipient lead, what becomes of the
// message. In-session delivery: the final dot is answered as the next hop answered, so nothing is ever acknowledged
// that nobody holds. Called by smtp-in.ts, through forwarder.ts.
import type { BlockList } from "node:net";
import {
  countFields,
  type Envelope,
  forbiddenOctet,
  prependFields,
  type Reply,
  receivedField,
  renderReply,
} from "@homing/mail";
import {
  looksLikeSrs,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  type Rewriter,
  renderMailbox,
  renderReversePath,
  sameDomain,
  type UnixSeconds,
} from "@homing/srs-core";
import { answerFor } from "./answer.ts";
import type { Delivery } from "./deliver.ts";
import type { Report } from "./events.ts";
import { mapInParallel } from "./parallel.ts";
import type { Route, Routes } from "./routes.ts";
import type { MailCommand, MailOutcome, SmtpHandler, SmtpTransaction } from "./smtp-in.ts";

export interface ReceiveOptions {
  readonly hostname: string;
  readonly rewriter: Rewriter;
  readonly routes: Routes;
  readonly localDomains: readonly string[];
  /** Clients that may use our own domains as sender. */
  readonly trusted: BlockList;
  readonly deliver: (envelope: Envelope, message: Buffer) => Promise<Delivery>;
  readonly now: () => UnixSeconds;
  readonly newId: () => string;
  readonly report: Report;
}

/** RFC 5321 §6.3: mail that passed more servers than this goes in a circle. Postfix's hopcount_limit. */
const MAX_HOPS = 50;
/** Targets of one alias that are delivered to at the same time. */
const PARALLEL_TARGETS = 10;

const OUR_DOMAIN: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "mail from this domain does not come from outside",
};
/** DESIGN: one recipient a transaction, so that the final dot has one answer. RFC 5321 §4.5.3.1.10: clients come again. */
const ONE_RECIPIENT: Reply = {
  code: 452,
  enhanced: "4.5.3",
  text: "one recipient at a time, please send again",
};
const LOOP: Reply = {
  code: 554,
  enhanced: "5.4.6",
  text: "the message passed too many servers: a mail loop",
};
const TAKEN: Reply = { code: 250, enhanced: "2.1.5", text: "ok" };

type OpenRoute = Exclude<Route, { kind: "refuse" }>;

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
  const reason = senderRefusal(options, command);
  if (!reason) return { kind: "open", transaction: createTransaction(options, command) };
  reportRefusal(options, command, { stage: "mail", reason, reply: OUR_DOMAIN });
  return { kind: "refuse", reply: OUR_DOMAIN };
}

/** A sender of ours from outside is forged, or somebody's forwarder sends our own address back: its tag tells. */
function senderRefusal(options: ReceiveOptions, command: MailCommand): string | undefined {
  const sender = command.reversePath;
  if (sender === NULL_PATH) return undefined;
  const atSrsDomain = sameDomain(sender.domain, options.rewriter.domain);
  const local = options.localDomains.some((domain) => sameDomain(domain, sender.domain));
  if (!atSrsDomain && !local) return undefined;
  if (isTrusted(options.trusted, command.client.address)) return undefined;
  if (!atSrsDomain || !looksLikeSrs(sender.localPart)) return "our-domain-from-outside";
  const reversed = options.rewriter.reverse(sender, options.now());
  return reversed.ok ? undefined : reversed.reason;
}

function createTransaction(options: ReceiveOptions, command: MailCommand): SmtpTransaction {
  let open:
    | { readonly recipient: Mailbox; readonly route: OpenRoute; readonly sender: ReversePath }
    | undefined;

  return {
    rcpt(recipient) {
      if (open) return ONE_RECIPIENT;
      const now = options.now();
      const route = options.routes.route(recipient, command.reversePath, now);
      if (route.kind === "refuse") {
        reportRefusal(options, command, { stage: "rcpt", recipient, ...route });
        return route.reply;
      }
      const sender = newSender(options.rewriter, route, command.reversePath, now);
      if (!sender.ok) {
        const reply: Reply = {
          code: 550,
          enhanced: "5.1.7",
          text: `sender too long to forward: ${sender.message}`,
        };
        reportRefusal(options, command, { stage: "rcpt", recipient, reason: "sender-too-long", reply });
        return reply;
      }
      open = { recipient, route, sender: sender.reversePath };
      return TAKEN;
    },

    async data(message) {
      if (!open) throw new Error("DATA without a recipient");
      const { recipient, route, sender } = open;
      const refusal = contentRefusal(message);
      if (refusal) {
        reportRefusal(options, command, { stage: "data", recipient, ...refusal });
        return refusal.reply;
      }
      return await passOn(options, command, { recipient, route, sender, message });
    },
  };
}

type NewSender =
  | { readonly ok: true; readonly reversePath: ReversePath }
  | { readonly ok: false; readonly message: string };

function newSender(rewriter: Rewriter, route: OpenRoute, sender: ReversePath, now: UnixSeconds): NewSender {
  if (route.kind === "bounce") return { ok: true, reversePath: NULL_PATH };
  const outcome = rewriter.forward(sender, now);
  return outcome.ok ? { ok: true, reversePath: outcome.sender } : { ok: false, message: outcome.message };
}

function contentRefusal(message: Buffer): { readonly reason: string; readonly reply: Reply } | undefined {
  const octet = forbiddenOctet(message);
  if (octet) {
    const text = `the message holds ${octet}: RFC 5321 allows CR and LF only as a pair, and no NUL`;
    return { reason: octet, reply: { code: 550, enhanced: "5.6.0", text } };
  }
  return countFields(message, "Received") >= MAX_HOPS ? { reason: "loop", reply: LOOP } : undefined;
}

interface Accepted {
  readonly recipient: Mailbox;
  readonly route: OpenRoute;
  readonly sender: ReversePath;
  readonly message: Buffer;
}

async function passOn(options: ReceiveOptions, command: MailCommand, accepted: Accepted): Promise<Reply> {
  const { recipient, route, sender, message } = accepted;
  const { client, eightBit, smtpUtf8 } = command;
  const id = options.newId();
  reportArrival(options, command, id, accepted);

  const hop = { ...client, by: options.hostname, id, recipient, now: options.now() };
  const outgoing = prependFields(message, [receivedField(hop)]);
  const deliveries = await mapInParallel(route.targets, PARALLEL_TARGETS, async (target) => {
    const delivery = await options.deliver(
      { reversePath: sender, recipient: target, eightBit, smtpUtf8 },
      outgoing,
    );
    reportDelivery(options.report, id, target, delivery);
    return delivery;
  });

  const reply = answerFor(recipient, deliveries);
  options.report({ event: "answered", id, reply: renderReply(reply) });
  return reply;
}

function reportArrival(options: ReceiveOptions, command: MailCommand, id: string, accepted: Accepted): void {
  const { recipient, route, sender, message } = accepted;
  const { client } = command;
  const reversePath = renderReversePath(command.reversePath);
  options.report({
    event: "received",
    id,
    session: client.session,
    client: client.address,
    helo: client.helo,
    reversePath,
    recipient: renderMailbox(recipient),
    octets: message.length,
  });
  if (route.kind === "bounce") {
    const to = renderMailbox(route.to);
    options.report({ event: "unwrapped", id, recipient: renderMailbox(recipient), srs: route.srs, to });
    return;
  }
  const newReversePath = renderReversePath(sender);
  options.report({
    event: "forwarded",
    id,
    alias: renderMailbox(recipient),
    targets: route.targets.map(renderMailbox),
    reversePath,
    newReversePath,
    rewritten: newReversePath !== reversePath,
  });
}

function reportDelivery(report: Report, id: string, target: Mailbox, delivery: Delivery): void {
  const common = { id, target: renderMailbox(target) };
  if (delivery.kind === "delivered")
    report({ event: "delivered", ...common, hop: delivery.hop, detail: delivery.detail });
  else {
    const { hop, code, enhanced, detail } = delivery;
    report({ event: "not-delivered", ...common, hop, code, enhanced, detail });
  }
}

interface Refusal {
  readonly stage: "mail" | "rcpt" | "data";
  readonly recipient?: Mailbox;
  readonly reason: string;
  readonly reply: Reply;
}

function reportRefusal(options: ReceiveOptions, command: MailCommand, refusal: Refusal): void {
  options.report({
    event: "refused",
    session: command.client.session,
    client: command.client.address,
    stage: refusal.stage,
    reversePath: renderReversePath(command.reversePath),
    ...(refusal.recipient ? { recipient: renderMailbox(refusal.recipient) } : {}),
    reason: refusal.reason,
    reply: renderReply(refusal.reply),
  });
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
