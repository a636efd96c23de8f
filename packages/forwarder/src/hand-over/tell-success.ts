// NOTIFY=SUCCESS (RFC 3461 §5.2): what is told before the client's 250. Only of senders who are verified: for any other it would
// be mail to whoever the sender may be. Called by verified.ts.
import { mayTell } from "@homing/bounce-handler";
import type { Delivery } from "../deliver.ts";
import type { Queue } from "../queue/queue.ts";
import type { HandOverOptions } from "./hand-over.ts";
import type { Incoming, Lead } from "./incoming.ts";
import { messageFacts } from "./new-message.ts";

type Success = Parameters<Queue["tell"]>[2];

/** The next hop, or our own mail store, took the one copy. Whoever took it is not asked to tell: it does not know the sender. */
export async function tellHandOff(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { lead, delivery }: { readonly lead: Lead; readonly delivery: Delivery },
): Promise<void> {
  if (delivery.kind !== "delivered" || !isAsked(lead)) return;
  await tell(options, queue, mail, lead, delivery.stored ? "delivered" : "relayed");
}

/** Aliases of several targets, which the queue has: once for each, and their copies are not told of (§5.2.7). */
export async function tellExpansions(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  kept: ReadonlySet<Lead>,
): Promise<void> {
  const expanded = [...kept].filter((lead) => lead.copies.length > 1 && isAsked(lead));
  await Promise.all(expanded.map((lead) => tell(options, queue, mail, lead, "expanded")));
}

function isAsked({ dsn }: Lead): boolean {
  return dsn !== undefined && mayTell(dsn.notify, "relayed");
}

function tell(
  { life, now }: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { recipient, copies, dsn }: Lead,
  success: Success,
): Promise<void> {
  const reversePath = copies[0]?.reversePath ?? mail.command.reversePath;
  const notify = { kind: "sender" } as const;
  const about: Parameters<Queue["tell"]>[1] = {
    alias: recipient,
    reversePath,
    notify,
    ...(dsn ? { dsn } : {}),
  };
  return queue.tell(messageFacts(mail, { now: now(), life, mayTellSender: true }), about, success);
}
