// Tells what happens in one mail transaction, as events. Called by receive.ts, which decides; nothing is decided here.
import { type Reply, renderReply } from "@homing/mail";
import { type Mailbox, type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import type { Delivery } from "./deliver.ts";
import type { ForwarderEvent, Report } from "./events.ts";
import type { Route } from "./routes.ts";
import type { MailCommand } from "./smtp-session.ts";

/** A message whose recipient leads somewhere, and the envelope sender that it leaves with. */
export interface Accepted {
  readonly recipient: Mailbox;
  readonly route: Exclude<Route, { kind: "refuse" }>;
  readonly sender: ReversePath;
}

export interface Refusal {
  readonly stage: Extract<ForwarderEvent, { event: "refused" }>["stage"];
  readonly recipient?: Mailbox;
  readonly reason: string;
  readonly reply: Reply;
}

export interface TransactionReport {
  refused(refusal: Refusal): void;
  received(id: string, accepted: Accepted, octets: number): void;
  delivery(id: string, target: Mailbox, delivery: Delivery): void;
  answered(id: string, reply: Reply): void;
}

export function createTransactionReport(report: Report, command: MailCommand): TransactionReport {
  const { client } = command;
  const reversePath = renderReversePath(command.reversePath);

  return {
    refused({ stage, recipient, reason, reply }) {
      const { session, address } = client;
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
    },

    delivery(id, mailbox, delivery) {
      const target = renderMailbox(mailbox);
      const { hop, detail } = delivery;
      if (delivery.kind === "delivered") report({ event: "delivered", id, target, hop, detail });
      else {
        const { code, enhanced } = delivery;
        report({ event: "not-delivered", id, target, hop, code, enhanced, detail });
      }
    },

    answered(id, reply) {
      report({ event: "answered", id, reply: renderReply(reply) });
    },
  };
}

function routed(id: string, { recipient, route, sender }: Accepted, reversePath: string): ForwarderEvent {
  const address = renderMailbox(recipient);
  if (route.kind === "bounce") {
    return { event: "unwrapped", id, recipient: address, srs: route.srs, to: renderMailbox(route.to) };
  }
  if (route.kind === "discard") return { event: "discarded", id, recipient: address };
  const newReversePath = renderReversePath(sender);
  const rewritten = newReversePath !== reversePath;
  const targets = route.destinations.map(({ mailbox }) => renderMailbox(mailbox));
  return { event: "forwarded", id, alias: address, targets, reversePath, newReversePath, rewritten };
}
