// Mail that is sent from here for somebody: into the queue, in the transaction that stores what is known of it. Recipients of ours
// go where the tables lead, all others to themselves. Called by the composition root, through forwarder.ts.
import { type BounceGate, NOT_A_BOUNCE } from "@homing/bounce-handler";
import { type Content, type Reply, readTrace, receivedField } from "@homing/mail";
import {
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  renderMailbox,
  renderReversePath,
} from "@homing/srs-core";
import type { SentMail } from "./bounces/sent-mail.ts";
import { copiesOfSent } from "./copies.ts";
import type { Delivery } from "./deliver.ts";
import type { Report } from "./events.ts";
import type { HeaderMarks } from "./header-mark.ts";
import type { LoopTokens } from "./loop-token.ts";
import type { QueueOptions, Running, Taken } from "./queue/queue.ts";
import type { Routes } from "./routes.ts";
import type { Note, NoteChanges } from "./spool/notes.ts";
import type { NewMessage, NewRecipient } from "./spool/spool.ts";
import type { Destination } from "./tables/followed.ts";
import { reportDelivery } from "./transaction-report.ts";

/** To one recipient. Many at once go in one transaction, with limits of their own (`MAX_PUT_ALL`). */
export interface PostedMail {
  /** Queue id, which no other message has. */
  readonly id: string;
  /** Who is told where we cannot deliver it; the null path: nobody. */
  readonly sender: ReversePath;
  /** On the wire. */
  readonly reversePath: ReversePath;
  readonly recipient: Mailbox;
  /** Whole and signed; our Received field goes on top. */
  readonly content: Content;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
}

/**
 * `stored`: mail and notes are on the disk, and what there is room for is served at once. `conflict`: `present` or `absent` of
 * the notes forbid it, `no-room`: nothing was changed. `failed`: all of it may turn up later, or nothing, as after a crash;
 * also without a state folder, and while it is not known where a recipient of ours leads: then nothing was changed.
 */
export type Post = (mails: readonly PostedMail[], notes: NoteChanges) => Promise<Taken["kind"]>;

export interface PostOptions extends Pick<QueueOptions, "now" | "report"> {
  readonly hostname: string;
  readonly takeAll: (
    messages: readonly NewMessage[],
    notes: NoteChanges,
    running: readonly Running[],
  ) => Promise<Taken>;
  readonly routes: Routes;
  readonly gate: Pick<BounceGate, "judges">;
  /** Neither a domain of ours nor a name of this machine, nor a domain of SRS addresses. */
  readonly isElsewhere: (domain: string) => boolean;
  readonly isOurDomain: (domain: string) => boolean;
  readonly headerMarks: Pick<HeaderMarks, "mint">;
  readonly loopTokens: Pick<LoopTokens, "mint">;
  readonly sentMail?: Pick<SentMail, "settled"> | undefined;
  /** In the queue, in seconds. */
  readonly life: number;
}

/** Where one recipient's mail goes. */
export type Place =
  | { readonly kind: "destinations"; readonly destinations: readonly Destination[] }
  | { readonly kind: "discard" }
  | { readonly kind: "refuse"; readonly reply: Reply }
  /** It is not known now. */
  | { readonly kind: "later" };

export function createPost(options: PostOptions): Post {
  return async (mails, notes) => {
    const placed: Placed[] = [];
    for (const mail of mails) {
      const place = await placeOf(options, mail);
      if (place.kind === "later") return "failed";
      placed.push({ mail, place });
    }
    const thrownAway = placed.flatMap(({ mail, place }) =>
      place.kind === "discard" ? notesOfDiscarded(options, mail) : [],
    );
    const write = [...notes.write, ...thrownAway];
    const kept = placed.filter(isKept);
    const taken = await options.takeAll(
      kept.map((one) => newMessage(options, one)),
      { ...notes, write },
      kept.map(runningOf),
    );
    if (taken.kind === "stored") for (const one of placed) tellPosted(options.report, one);
    return taken.kind;
  };
}

interface Placed<P extends Place = Exclude<Place, { kind: "later" }>> {
  readonly mail: PostedMail;
  readonly place: P;
}

type Kept = Placed<Extract<Place, { kind: "destinations" | "refuse" }>>;

function isKept(placed: Placed): placed is Kept {
  return placed.place.kind !== "discard";
}

async function placeOf(
  { routes, gate, isElsewhere, now }: PostOptions,
  { recipient, reversePath }: PostedMail,
): Promise<Place> {
  if (isElsewhere(recipient.domain)) return { kind: "destinations", destinations: [{ mailbox: recipient }] };
  // Bounces come by SMTP, and whoever may post is no oracle for tags.
  if (gate.judges(recipient)) return { kind: "refuse", reply: NOT_A_BOUNCE };
  const route = await routes.route(recipient, reversePath, { now: now(), network: undefined });
  if (route.kind === "refuse") return route.reply.code < 500 ? { kind: "later" } : route;
  return route.kind === "discard" ? route : { kind: "destinations", destinations: route.destinations };
}

function newMessage(options: PostOptions, { mail, place }: Kept): NewMessage {
  const { id, sender, content, eightBit, smtpUtf8 } = mail;
  const now = options.now();
  const trace = traceOf(options, mail);
  const isForNobody = sender === NULL_PATH;
  const notifySender = { kind: isForNobody ? "nobody" : "sender" } as const;
  // Refused: it is given up by the attempt that is over already.
  const destinations = place.kind === "refuse" ? [{ mailbox: mail.recipient }] : place.destinations;
  const isOurs = (domain: string): boolean => place.kind !== "refuse" && options.isOurDomain(domain);
  const recipients = copiesOfSent(destinations, mail.reversePath, isOurs).map(
    ({ owner, ...copy }): NewRecipient => ({
      ...copy,
      ...{ trace, due: now, alias: mail.recipient, targets: destinations.length },
      notify: owner ? { kind: "mailbox", mailbox: owner } : notifySender,
      // Else it would be taken for a bounce, of which the postmaster hears.
      ...(isForNobody ? { dsn: { notify: "never" } } : {}),
    }),
  );
  return {
    ...{ id, received: now, expires: now + options.life, sender, eightBit, smtpUtf8, content },
    recipients,
  };
}

/** A bounce that returns it proves which header the message had; and mail to an alias that comes back is known. */
function traceOf({ hostname, headerMarks, loopTokens, now }: PostOptions, mail: PostedMail): string {
  const { id, sender, recipient, content } = mail;
  const { messageId, identity } = readTrace(content.start, 1);
  return receivedField({
    ...{ from: undefined, protocol: undefined, by: hostname, id, recipient, now: now() },
    loopToken: loopTokens.mint(recipient, messageId),
    headerMark: sender === NULL_PATH ? "" : headerMarks.mint(sender, recipient, identity),
  });
}

function runningOf({ place }: Kept): Running {
  return place.kind === "refuse" ? [Promise.resolve(refused(place.reply))] : [];
}

function refused({ code, enhanced, text }: Reply): Extract<Delivery, { kind: "failed" }> {
  return { kind: "failed", code, enhanced, hop: "", detail: text, reply: { code, enhanced } };
}

/** Of mail that is thrown away: as if it were delivered, for the sender is not to know. */
export function notesOfDiscarded(
  { sentMail, now }: Pick<PostOptions, "sentMail" | "now">,
  { id, reversePath, recipient }: Pick<PostedMail, "id" | "reversePath" | "recipient">,
): readonly Note[] {
  if (!sentMail || reversePath === NULL_PATH) return [];
  return sentMail.settled({ id, reversePath, recipient, outcome: { kind: "delivered" }, now: now() });
}

function tellPosted(report: Report, { mail, place }: Placed): void {
  const { id, content } = mail;
  const recipient = renderMailbox(mail.recipient);
  if (place.kind === "discard") {
    report({ event: "discarded", id, recipient });
    return;
  }
  const targets =
    place.kind === "refuse" ? [] : place.destinations.map(({ mailbox }) => renderMailbox(mailbox));
  const reversePath = renderReversePath(mail.reversePath);
  report({ event: "posted", id, reversePath, recipient, targets, octets: content.octets });
  if (place.kind === "refuse") reportDelivery(report, id, mail.recipient, refused(place.reply));
}
