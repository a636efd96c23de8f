// A message as it is remembered: one row with what was sent, and rows of their own for what became of each recipient, which are
// written without reading anything. Called by messages.ts and returns.ts.
import { type Mailbox, parseMailbox, type UnixSeconds } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import type { RecipientStatus, SentMessage } from "../on-behalf.ts";
import type { Fact, FactName, OnBehalfStore } from "../store.ts";

/** As long as events. */
const KEPT_SECONDS = 30 * 86_400;
const ID = /^msg_[A-Za-z0-9_-]{1,100}$/;

export interface Outcome {
  readonly status: Exclude<RecipientStatus, "queued">;
  readonly enhanced?: string;
  readonly at: UnixSeconds;
}

/** Of all queue ids of a message the part before the hyphen is one: `messageIdOf` finds it again. */
export function queueIdOf(base: string, place: number): string {
  return `${base}-${place}`;
}

/** Of a queue id of ours, or of any other. */
export function messageIdOf(queueId: string): string {
  return `msg_${queueId.replace(/-\d{1,6}$/, "")}`;
}

export function recordFact(site: string, message: SentMessage): Fact {
  const value = JSON.stringify({ site, message });
  return { of: "ob-message", key: message.id, value, expires: message.createdAt + KEPT_SECONDS };
}

/** What our own attempts came to, or what a bounce says: each has its row, for nobody knows which is written first. */
export function outcomeFact(
  messageId: string,
  recipient: Mailbox,
  by: "attempt" | "bounce",
  outcome: Outcome,
): Fact {
  const expires = outcome.at + KEPT_SECONDS;
  return { ...outcomeName(messageId, recipient, by), value: JSON.stringify(outcome), expires };
}

/** With what became of it. Undefined where the site has no such message. */
export async function findRecord(
  store: Pick<OnBehalfStore, "find">,
  site: string,
  id: string,
  now: UnixSeconds,
): Promise<SentMessage | undefined | "away"> {
  // Also of the rows of recipients, none can be asked for.
  if (!ID.test(id)) return undefined;
  const fact = await store.find({ of: "ob-message", key: id }, now);
  if (fact === undefined || fact === "away") return fact;
  const record = JSON.parse(fact.value) as { readonly site: string; readonly message: SentMessage };
  if (record.site !== site) return undefined;
  const recipients: SentMessage["recipients"][number][] = [];
  for (const { address } of record.message.recipients) {
    const outcome = await findOutcome(store, id, address, now);
    if (outcome === "away") return "away";
    recipients.push({ address, ...(outcome ?? { status: "queued" }) });
  }
  return { ...record.message, recipients };
}

async function findOutcome(
  store: Pick<OnBehalfStore, "find">,
  id: string,
  address: string,
  now: UnixSeconds,
): Promise<Outcome | undefined | "away"> {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return undefined;
  // A server that took the message may still send it back.
  for (const by of ["bounce", "attempt"] as const) {
    const fact = await store.find(outcomeName(id, parsed.mailbox, by), now);
    if (fact === "away") return "away";
    if (fact) return JSON.parse(fact.value) as Outcome;
  }
  return undefined;
}

function outcomeName(messageId: string, recipient: Mailbox, by: "attempt" | "bounce"): FactName {
  return { of: "ob-message", key: `${messageId} ${by} ${addressKey(recipient)}` };
}
