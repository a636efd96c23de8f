// A submitted message that the policy has made ready, on its way into the queue: a copy for each destination, our Received field
// on top. It is on the disk before the client hears 250. Called by submission-handler.ts.
import { type Content, type Reply, readTrace, receivedField, type Trace } from "@homing/mail";
import {
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  renderMailbox,
  renderReversePath,
  type UnixSeconds,
} from "@homing/srs-core";
import { isReturnPath, type SentMail } from "../bounces/sent-mail.ts";
import { type Copies, type CopyOptions, copiesOfSent } from "../copies.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import type { Report } from "../events.ts";
import { NOT_KEPT } from "../hand-over/hand-over.ts";
import type { Incoming, Lead } from "../hand-over/incoming.ts";
import { notesOfDiscarded } from "../posted-mail.ts";
import { keptCopies, type ReceiveOptions } from "../receive.ts";
import type { Route } from "../routes.ts";
import type { ClientPresence, MailCommand } from "../smtp-session.ts";
import type { Note, NoteChanges } from "../spool/notes.ts";
import type { ReadyMail, Submitter } from "./submission-policy.ts";

export interface HandInOptions
  extends CopyOptions,
    Pick<
      ReceiveOptions,
      "hostname" | "loopTokens" | "headerMarks" | "keptSenders" | "isOurServer" | "now" | "newId"
    > {
  /** Also where nothing is to be sent. */
  readonly keep: (mail: Incoming, notes?: NoteChanges) => Promise<Reply>;
  /** Mail of sites, which comes back to return domains. */
  readonly sentMail?: Pick<SentMail, "rewriters" | "settled"> | undefined;
  readonly report: Report;
}

/** A recipient that was taken. */
export interface Named {
  readonly recipient: Mailbox;
  /** Undefined outside: the mail goes to the recipient itself. */
  readonly route: Extract<Route, { kind: "alias" | "discard" }> | undefined;
  readonly dsn: RcptDsn | undefined;
}

export interface HandedIn {
  readonly id: string;
  readonly command: MailCommand;
  readonly submitter: Submitter;
  readonly client: ClientPresence;
  readonly named: readonly Named[];
  /** By the client. */
  readonly asSent: Content;
  readonly ready: ReadyMail;
}

type Outcome =
  | { readonly kind: "answered"; readonly reply: Reply }
  | { readonly kind: "refuse"; readonly reason: string; readonly reply: Reply };

export async function handIn(options: HandInOptions, handed: HandedIn): Promise<Outcome> {
  let outcome: Outcome | undefined;
  try {
    outcome = await queued(options, handed);
    return outcome;
  } finally {
    handed.ready.settled?.(settledAs(outcome));
  }
}

function settledAs(outcome: Outcome | undefined): "kept" | "not-kept" | "unknown" {
  if (outcome?.kind === "refuse") return "not-kept";
  if (outcome === undefined || outcome.reply.code === NOT_KEPT.code) return "unknown";
  return outcome.reply.code < 300 ? "kept" : "not-kept";
}

async function queued(options: HandInOptions, handed: HandedIn): Promise<Outcome> {
  const { id, command, client, named, asSent, ready } = handed;
  const thrownAway: Note[] = [];
  const leads: Lead[] = [];
  const trace = readTrace(ready.content.start, 1);
  for (const [index, one] of named.entries()) {
    const given = ready.copies[index];
    if (!given) throw new Error("a recipient without a copy");
    const { reversePath, fields = "" } = given;
    const copies = await copiesFor(options, command, one, reversePath);
    if (!copies.ok) return { kind: "refuse", reason: copies.reason, reply: copies.reply };
    const { recipient } = one;
    if (one.route?.kind === "discard")
      thrownAway.push(...notesOfDiscarded(options, { id, reversePath, recipient }));
    const written = receivedFor(options, handed, { one, reversePath, trace });
    leads.push({
      recipient,
      copies: copies.copies,
      trace: () => written,
      top: () => fields,
      isApart: isReturnPath(options.sentMail, reversePath),
      dsn: one.dsn,
    });
  }
  tell(options, handed, leads);
  const told: MailCommand = { ...command, reversePath: ready.sender };
  const mail: Incoming = { id, command: told, client, content: ready.content, asSent, leads };
  return {
    kind: "answered",
    reply: await options.keep(mail, withNotes(ready.notes, thrownAway, options.now())),
  };
}

function withNotes(
  notes: NoteChanges | undefined,
  more: readonly Note[],
  now: UnixSeconds,
): NoteChanges | undefined {
  const { write, ...rest } = notes ?? { now, write: [], remove: [] };
  return notes || more.length > 0 ? { ...rest, write: [...write, ...more] } : undefined;
}

async function copiesFor(
  options: HandInOptions,
  { client }: MailCommand,
  { recipient, route }: Named,
  reversePath: ReversePath,
): Promise<Copies> {
  if (!route) return { ok: true, copies: [{ mailbox: recipient, reversePath, stays: false }] };
  if (route.kind === "discard") return { ok: true, copies: [] };
  if (isReturnPath(options.sentMail, reversePath))
    return { ok: true, copies: copiesOfSent(route.destinations, reversePath, options.isOurDomain) };
  return await keptCopies(options, { reversePath, client }, { route, recipient, now: options.now() });
}

function receivedFor(
  { hostname, loopTokens, headerMarks, now }: HandInOptions,
  { id, command, ready: { sender } }: HandedIn,
  { one, reversePath, trace }: { one: Named; reversePath: ReversePath; trace: Trace },
): string {
  const { recipient, route } = one;
  // Only mail whose bounces come back here needs one: what is forwarded, and what has an SRS address of ours from the start.
  const comesBack = route?.kind === "alias" || reversePath !== sender;
  return receivedField({
    from: command.client,
    protocol: command.client.protocol,
    by: hostname,
    id,
    loopToken: loopTokens.mint(recipient, trace.messageId),
    headerMark: sender !== NULL_PATH && comesBack ? headerMarks.mint(sender, recipient, trace.identity) : "",
    recipient,
    now: now(),
  });
}

function tell({ report }: HandInOptions, handed: HandedIn, leads: readonly Lead[]): void {
  const { id, command, submitter, named, ready } = handed;
  const { session, address: client, helo } = command.client;
  const { octets } = ready.content;
  const reversePath = renderReversePath(ready.sender);
  report({
    event: "submitted",
    id,
    session,
    user: submitter.name,
    reversePath,
    recipients: named.length,
    octets,
  });
  for (const [index, { recipient, route }] of named.entries()) {
    const { copies = [] } = leads[index] ?? {};
    const address = renderMailbox(recipient);
    report({ event: "received", id, session, client, helo, reversePath, recipient: address, octets });
    if (route?.kind === "discard") report({ event: "discarded", id, recipient: address });
    // Of mail that goes to its recipient itself only an envelope sender of its own is news.
    const first = copies.find(({ stays }) => !stays);
    const newReversePath = first ? renderReversePath(first.reversePath) : reversePath;
    const rewritten = newReversePath !== reversePath;
    if (route?.kind !== "alias" && !rewritten) continue;
    const targets = copies.map(({ mailbox }) => renderMailbox(mailbox));
    report({ event: "forwarded", id, alias: address, targets, reversePath, newReversePath, rewritten });
  }
}
