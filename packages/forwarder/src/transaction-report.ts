// Tells what happens in one mail transaction, as events. Called by receive.ts, which decides; nothing is decided here.
import { type Reply, renderReply } from "@homing/mail";
import { type Mailbox, renderMailbox, renderReversePath } from "@homing/srs-core";
import type { Copy } from "./copies.ts";
import type { Delivery } from "./deliver.ts";
import type { ForwarderEvent, Report } from "./events.ts";
import type { Route } from "./routes.ts";
import type { MailCommand } from "./smtp-session.ts";
import type { Dropped } from "./tables/followed.ts";

/** A message whose recipient leads somewhere. */
export interface Accepted {
  readonly recipient: Mailbox;
  readonly route: Exclude<Route, { kind: "refuse" }>;
  /** One for each destination of the route; none where the message is thrown away. */
  readonly copies: readonly Copy[];
}

export interface Refusal {
  readonly stage: Extract<ForwarderEvent, { event: "refused" }>["stage"];
  readonly recipient?: Mailbox;
  readonly reason: string;
  readonly reply: Reply;
  readonly dropped?: readonly Dropped[] | undefined;
}

export interface TransactionReport {
  refused(refusal: Refusal): void;
  received(id: string, accepted: Accepted, octets: number): void;
  answered(id: string, reply: Reply): void;
}

/** Of a list whose members are all wrong. */
const MAX_DROPPED = 100;

export function createTransactionReport(report: Report, command: MailCommand): TransactionReport {
  const { client } = command;
  const reversePath = renderReversePath(command.reversePath);

  const reportDropped = (recipient: Mailbox, dropped: readonly Dropped[] = [], id?: string): void => {
    if (dropped.length === 0) return;
    report({
      event: "dropped",
      session: client.session,
      ...(id === undefined ? {} : { id }),
      recipient: renderMailbox(recipient),
      dropped: dropped.slice(0, MAX_DROPPED),
    });
  };

  return {
    refused({ stage, recipient, reason, reply, dropped }) {
      const { session, address } = client;
      if (recipient) reportDropped(recipient, dropped);
      const named = recipient ? { recipient: renderMailbox(recipient) } : {};
      report({
        event: "refused",
        session,
        client: address,
        stage,
        reversePath,
        ...named,
        reason,
        reply: renderReply(reply),
      });
    },

    received(id, accepted, octets) {
      const recipient = renderMailbox(accepted.recipient);
      const { session, address, helo } = client;
      report({ event: "received", id, session, client: address, helo, reversePath, recipient, octets });
      report(routed(id, accepted, reversePath));
      if (accepted.route.kind !== "discard") reportDropped(accepted.recipient, accepted.route.dropped, id);
    },

    answered(id, reply) {
      report({ event: "answered", id, reply: renderReply(reply) });
    },
  };
}

/** Of an attempt, whoever waited for it. */
export function reportDelivery(report: Report, id: string, mailbox: Mailbox, delivery: Delivery): void {
  const target = renderMailbox(mailbox);
  const { hop, detail } = delivery;
  if (delivery.kind === "delivered") {
    const { tls, sts } = delivery;
    report({
      event: "delivered",
      id,
      target,
      hop,
      detail,
      ...(tls ? { tls } : {}),
      ...(sts ? { sts } : {}),
    });
    return;
  }
  const { code, enhanced } = delivery;
  report({ event: "not-delivered", id, target, hop, code, enhanced, detail });
}

function routed(id: string, { recipient, route, copies }: Accepted, reversePath: string): ForwarderEvent {
  const address = renderMailbox(recipient);
  if (route.kind === "bounce") {
    const { srs, to } = route.unwrapped;
    return { event: "unwrapped", id, recipient: address, srs, to: renderMailbox(to) };
  }
  if (route.kind === "discard") return { event: "discarded", id, recipient: address };
  // Copies that stay keep their sender, and lists have their owners': told is the one that leaves first.
  const leaving = copies.find(({ stays }) => !stays);
  const newReversePath = leaving ? renderReversePath(leaving.reversePath) : reversePath;
  const rewritten = newReversePath !== reversePath;
  const targets = copies.map(({ mailbox }) => renderMailbox(mailbox));
  return { event: "forwarded", id, alias: address, targets, reversePath, newReversePath, rewritten };
}
