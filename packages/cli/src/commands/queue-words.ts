// The queue in words for a person at a terminal. What strangers wrote, addresses, headers and the replies of next hops,
// is printed so that it cannot move the cursor or turn the line around. Pure. Called by queue.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type {
  ListedMessage,
  ListedRecipient,
  QueueCounts,
  ShownMessage,
  ShownRecipient,
} from "../service/control/queue-questions.ts";
import { safe } from "../terminal-text.ts";

/** In one line; `homing queue show` has them all. */
const MAX_IN_LINE = 3;
/** RFC 5322 §2.1.1. */
const MAX_HEADER_LINE = 998;
const MAX_DETAIL = 500;

/** Whose recipients may not be all of the message's. */
export function listLine(entry: ListedMessage, now: UnixSeconds): string {
  const { id, received, octets, sender, recipients, counts } = entry;
  const shown = recipients.slice(0, MAX_IN_LINE);
  const others = recipientsIn(counts) - shown.length;
  const words = shown.map((one) => `${safe(one.recipient)} (${standing(one, now)})`);
  if (others > 0) words.push(`and ${others} more`);
  const age = duration(now - received).padStart(6);
  return `${safe(id)}  ${age}  ${size(octets).padStart(7)}  ${path(sender)}  →  ${words.join(", ")}`;
}

export interface Totals {
  readonly messages: number;
  readonly octets: number;
  readonly counts: QueueCounts;
}

export function totalsLine({ messages, octets, counts }: Totals): string {
  if (messages === 0) return "no messages";
  const { leased, due, waiting } = counts;
  const recipients = many(recipientsIn(counts), "recipient");
  return `${many(messages, "message")}, ${size(octets)}, ${recipients}: ${leased} being tried, ${due} due, ${waiting} waiting`;
}

export function* messageLines(
  message: ShownMessage,
  recipients: readonly ShownRecipient[],
  now: UnixSeconds,
): Generator<string> {
  const { id, received, expires, octets, sender, eightBit, smtpUtf8, header } = message;
  yield field("id", safe(id));
  yield field("received", `${moment(received)}, ${ago(received, now)}`);
  yield field("given up", `${moment(expires)}, ${ahead(expires, now)}`);
  const needs = [...(eightBit ? ["8BITMIME"] : []), ...(smtpUtf8 ? ["SMTPUTF8"] : [])];
  yield field("size", [`${octets} octets`, ...needs].join(", "));
  yield field("sender", path(sender));
  for (const one of recipients) yield* recipientLines(one, now);
  yield "header";
  for (const line of header.replace(/\r\n$/, "").split("\r\n")) yield `  ${safe(line, MAX_HEADER_LINE)}`;
}

function* recipientLines(one: ShownRecipient, now: UnixSeconds): Generator<string> {
  const { recipient, alias, reversePath, stays, delayToldAt, lastFailure, notify } = one;
  yield field("recipient", `${safe(recipient)}${stays ? " (stays here)" : ""}`);
  if (alias !== recipient) yield field("  alias", safe(alias));
  yield field("  sent as", path(reversePath));
  yield field("  state", standing({ ...one, lastFailure: undefined }, now));
  if (lastFailure) yield field("  answer", answerWords(lastFailure));
  if (delayToldAt !== undefined) yield field("  delay", `told ${ago(delayToldAt, now)}`);
  yield field("  failure", notify === "nobody" ? "nobody is told" : `is told to ${toldParty(notify)}`);
}

/** A reply has its codes in it; what is no reply, such as a connection that was lost, gets ours. */
function answerWords({ code, enhanced, detail }: NonNullable<ListedRecipient["lastFailure"]>): string {
  const text = detail.startsWith(`${code}`) ? detail : `${code} ${enhanced} ${detail}`.trimEnd();
  return safe(text, MAX_DETAIL);
}

function toldParty(notify: string): string {
  return notify === "sender" ? "the sender" : safe(notify);
}

function field(name: string, value: string): string {
  return `${name.padEnd(11)}${value}`;
}

function standing({ state, due, attempts, lastFailure }: ListedRecipient, now: UnixSeconds): string {
  const when = { leased: "being tried", due: "due now", waiting: `due in ${duration(due - now)}` }[state];
  const tries = attempts === 0 ? "not tried yet" : `${attempts} ${attempts === 1 ? "try" : "tries"}`;
  const answer = lastFailure ? [`${lastFailure.code} ${safe(lastFailure.enhanced)}`] : [];
  return [when, tries, ...answer].join(", ");
}

export function recipientsIn({ due, waiting, leased }: QueueCounts): number {
  return due + waiting + leased;
}

export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The null sender is `<>`. */
export function path(address: string): string {
  return address === "" ? "<>" : safe(address);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two digits at most: 90 s, 90 min, 47 h, then days. */
function duration(seconds: number): string {
  if (seconds < 2 * MINUTE) return `${Math.max(0, seconds)} s`;
  if (seconds < 2 * HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

function ago(time: UnixSeconds, now: UnixSeconds): string {
  return `${duration(now - time)} ago`;
}

function ahead(time: UnixSeconds, now: UnixSeconds): string {
  return time > now ? `in ${duration(time - now)}` : "at the next failure";
}

function moment(time: UnixSeconds): string {
  return new Date(time * 1000).toISOString().replace(".000", "");
}

function size(octets: number): string {
  if (octets < 1000) return `${octets} B`;
  if (octets < 1_000_000) return `${(octets / 1000).toFixed(1)} KB`;
  return `${(octets / 1_000_000).toFixed(1)} MB`;
}
