// One bounce on its way back, by the settings of its alias: to the original sender as a DSN of ours, to the alias's owner as it
// came, to both or to nobody. Called by bounce-desk.ts.
import type { BounceReport, Reissued } from "@homing/bounce-handler";
import { memoryContent, type Reply } from "@homing/mail";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { SignMessage } from "../authenticate.ts";
import type { Report } from "../events.ts";
import type { Incoming, Lead } from "../hand-over/incoming.ts";
import type { LeadsTo } from "../queue/dsn-message.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import type { Note } from "../spool/notes.ts";
import type { AliasFacts } from "./alias-of-bounce.ts";
import { ownerOf, type ReturnClass, type ReturnWay } from "./bounce-settings.ts";
import { failureNote } from "./failure-events.ts";
import { ownMessage } from "./own-message.ts";
import { type Added, type PartialFailures, returnedMessageKey } from "./partial-failures.ts";
import { renderAbout, returnKey } from "./return-keys.ts";
import { NO_NOTES, type Posted, type PostNotes, type ReturnPost } from "./return-post.ts";
import type { SentBounce } from "./sent-bounces.ts";

export interface GiveBackOptions {
  /** Ours. */
  readonly hostname: string;
  readonly targetsOf: TargetsOf;
  readonly leadsTo: LeadsTo;
  readonly post: ReturnPost;
  /** Without a disk nobody knows which destinations have failed. */
  readonly partial: PartialFailures | undefined;
  /** To the original sender as it came, while its client waits. */
  readonly passOn: (mail: Incoming) => Promise<Reply>;
  readonly sign: SignMessage;
  readonly traceOf: TraceOf;
  /** Of a DSN, in seconds. */
  readonly life: number;
  readonly now: () => UnixSeconds;
  readonly report: Report;
}

/** Our Received field on a DSN: if that comes to the same SRS address, it is known (ADR 0016). */
export type TraceOf = (dsn: {
  readonly id: string;
  readonly srs: Mailbox;
  readonly to: Mailbox;
  readonly now: UnixSeconds;
}) => string;

/** Where an alias leads now; "later" where that cannot be known. */
export type TargetsOf = (alias: Mailbox) => Promise<readonly Mailbox[] | "later">;

export interface Returning extends AliasFacts {
  readonly mail: Incoming;
  readonly lead: Lead;
  readonly unwrapped: UnwrappedSrs0;
  readonly report: BounceReport;
  readonly dsn: Extract<Reissued, { kind: "dsn" }>;
  /** Of whom it returns a header mark of ours: there was such a message, from this sender to this alias. In lower case. */
  readonly proven: Mailbox | undefined;
  /** False where the sender's NOTIFY is against it: he hears nothing, in whatever way. */
  readonly isAsked: boolean;
  /** To mail that was sent from here; undefined of an alias's. */
  readonly sent: SentBounce | undefined;
  /** Of the DSN. */
  readonly id: string;
  readonly now: UnixSeconds;
}

/** How it goes on, and what is noted with it. */
interface Plan {
  readonly way: ReturnWay;
  readonly owner: Mailbox;
  readonly notes: PostNotes;
}

const LATER: Reply = {
  code: 451,
  enhanced: "4.3.5",
  text: "it is not known now where the bounce goes, try again later",
};

export async function giveBack(options: GiveBackOptions, returning: Returning): Promise<Reply> {
  const { alias, settings, dsn, unwrapped, sent } = returning;
  if (sent) return await giveBackOfSent(options, returning, sent);
  const destinations = alias ? await options.targetsOf(alias) : [];
  if (destinations === "later") return LATER;
  const way = settings.ways[returnClassOf(dsn)];
  const owner = ownerOf(settings, alias ?? { domain: options.hostname });
  const told = [eventNote(returning)];
  if (!alias || destinations.length < 2 || !options.partial)
    return await carryOut(options, returning, { way, owner, notes: { told, always: [] } });
  const isForSender = way === "reissue" || way === "both";
  const partWay = isForSender ? "owner" : way;
  if (dsn.action !== "failed")
    return await carryOut(options, returning, { way: partWay, owner, notes: { told, always: [] } });
  const failure = {
    ...{ sender: unwrapped.to, alias, destinations },
    message: returnedMessageKey(returning.report.returned),
    failed: failedAddresses(returning.report),
  };
  return await options.partial.add(failure, returning.now, async (added) => {
    if (added === "away") return LATER;
    const notes = partialNotes(returning, told, added);
    // The owner hears of each, and the sender when nobody has the message.
    const isLast = isForSender && added.allFailed;
    return await carryOut(options, returning, { way: isLast ? "both" : partWay, owner, notes });
  });
}

/**
 * Whoever sent it chose the recipient: nothing about him is private, and there is no owner who would hear instead. Beyond the
 * budget nothing is noted: whoever holds the SRS address can write any number of bounces.
 */
async function giveBackOfSent(
  options: GiveBackOptions,
  returning: Returning,
  { to }: SentBounce,
): Promise<Reply> {
  const { settings, alias, unwrapped, dsn, proven, now } = returning;
  const { action, enhanced, class: bounceClass } = dsn;
  const about = proven && !to?.recipient ? { recipient: proven } : {};
  const returned =
    to?.returned({ user: unwrapped.to, action, enhanced, class: bounceClass, now, ...about }) ?? [];
  const notes = { told: [eventNote(returning), ...returned], always: [] };
  const owner = ownerOf(settings, alias ?? { domain: options.hostname });
  return await carryOut(options, returning, { way: "reissue", owner, notes });
}

/** Beyond the budget no forged bounce makes a note, or so many would push out those of others. */
function partialNotes({ proven }: Returning, told: readonly Note[], { note, isNew }: Added): PostNotes {
  if (!note) return { told, always: [] };
  return proven || !isNew ? { told, always: [note] } : { told: [...told, note], always: [] };
}

function returnClassOf({ action, class: bounceClass }: Returning["dsn"]): ReturnClass {
  if (action === "delayed") return "delay";
  if (action !== "failed") return "success";
  const isKnown = bounceClass === "soft" || bounceClass === "policy" || bounceClass === "spam";
  return isKnown ? bounceClass : "hard";
}

function failedAddresses({ recipients }: BounceReport): readonly string[] {
  return recipients
    .filter(({ final, class: bounceClass }) => final && bounceClass !== "success")
    .flatMap(({ finalRecipient, originalRecipient }) => [finalRecipient, originalRecipient])
    .filter((address) => address !== undefined);
}

/** Where the sender does not want to hear of it. */
const WITHOUT_SENDER: Readonly<Record<ReturnWay, ReturnWay>> = {
  reissue: "silent",
  verbatim: "silent",
  owner: "owner",
  both: "owner",
  silent: "silent",
};

async function carryOut(options: GiveBackOptions, returning: Returning, plan: Plan): Promise<Reply> {
  const { mail, unwrapped, alias, dsn, isAsked, id } = returning;
  const way = isAsked ? plan.way : WITHOUT_SENDER[plan.way];
  const isNotAsked = way === "silent" && plan.way !== "silent";
  const posted = await postBy[way](options, returning, { ...plan, way });
  options.report({
    event: "bounce",
    id: mail.id,
    to: renderMailbox(unwrapped.to),
    ...(alias ? { alias: renderMailbox(alias) } : {}),
    action: dsn.action,
    enhanced: dsn.enhanced,
    class: dsn.class,
    way,
    outcome: isNotAsked && posted.kind === "told" ? "not-asked" : posted.kind,
    ...(posted.kind === "told" && (way === "reissue" || way === "both") ? { dsn: id } : {}),
  });
  return posted.reply;
}

type PostBy = (options: GiveBackOptions, returning: Returning, plan: Plan) => Promise<Posted>;

const postBy: Readonly<Record<ReturnWay, PostBy>> = {
  reissue: tellSender,
  owner: tellOwner,
  async both(options, returning, plan) {
    // The sender's budget and events go with his DSN: a bounce that comes again tells the owner twice, and nobody else.
    const owner = await tellOwner(options, returning, { ...plan, notes: NO_NOTES });
    return owner.kind === "not-told" ? owner : await tellSender(options, returning, plan);
  },
  async silent({ post }, { unwrapped, alias, now }, { notes }) {
    const key = returnKey("silent", unwrapped, alias);
    return await post.note({ key, about: "", messageId: "" }, now, notes);
  },
  async verbatim({ post, passOn }, returning, { notes }) {
    const { mail, unwrapped, alias, dsn, now } = returning;
    const isFailure = dsn.action === "failed";
    const about = aboutOf(returning, unwrapped.to, {});
    const key = returnKey(isFailure ? "passed" : "passed-other", unwrapped, alias);
    const failure = { key, about, messageId: dsn.messageId ?? "" };
    const beyond = isFailure ? "notice" : "nobody";
    return await post.pass(failure, now, { pass: () => passOn(mail), notes, beyond });
  },
};

async function tellSender(options: GiveBackOptions, returning: Returning, { notes }: Plan): Promise<Posted> {
  const { mail, lead, unwrapped, alias, dsn, id, now } = returning;
  const { to } = unwrapped;
  const isFailure = dsn.action === "failed";
  const about = aboutOf(returning, to, {});
  const key = returnKey(isFailure ? "failed" : "other", unwrapped, alias);
  const failure = { key, about, messageId: dsn.messageId ?? "" };
  const message = async () => {
    const content = memoryContent(await options.sign(dsn.octets));
    const trace = options.traceOf({ id, srs: lead.recipient, to, now });
    return ownMessage({ id, now, life: options.life, content, to, addresses: lead.copies, trace });
  };
  return await options.post.send(failure, now, { message, notes, folds: isFailure, bounce: mail });
}

/** As it came: the owner set up the private address. */
async function tellOwner(options: GiveBackOptions, returning: Returning, plan: Plan): Promise<Posted> {
  const { mail, lead, unwrapped, alias, dsn, now } = returning;
  const { life, leadsTo } = options;
  const to = plan.owner;
  const addresses = await leadsTo(to);
  if (addresses === "later") return { kind: "not-told", reply: LATER };
  const isToo = plan.way === "both";
  const about = aboutOf(returning, to, { isForOwner: true, isCountedElsewhere: isToo });
  const key = returnKey(isToo ? "owner-too" : "owner", unwrapped, alias);
  const failure = { key, about, messageId: dsn.messageId ?? "" };
  if (addresses.length === 0) {
    const target = renderMailbox(lead.recipient);
    options.report({ event: "nobody-told", id: mail.id, target, to: renderMailbox(to) });
    return await options.post.note(failure, now, plan.notes);
  }
  const { eightBit, smtpUtf8 } = mail.command;
  const message = async () =>
    ownMessage({
      ...{ id: mail.id, now, life, content: mail.content, to, addresses },
      ...{ trace: lead.trace(), eightBit, smtpUtf8 },
    });
  const folds = dsn.action === "failed";
  return await options.post.send(failure, now, { message, notes: plan.notes, folds, bounce: mail });
}

function aboutOf(
  { lead, alias, dsn }: Returning,
  to: Mailbox,
  { isForOwner = false, isCountedElsewhere = false },
): string {
  const { enhanced, class: bounceClass } = dsn;
  const about = { to, srs: lead.recipient, alias, enhanced, class: bounceClass, isForOwner };
  return renderAbout({ ...about, isCountedElsewhere });
}

function eventNote({ mail, alias, report, dsn, now }: Returning): Note {
  const [destination] = failedAddresses(report);
  const { action, enhanced, class: bounceClass } = dsn;
  return failureNote({
    ...{ at: now, id: mail.id, alias, destination, action, enhanced, class: bounceClass },
    ...{ count: 1, trustworthy: false },
  });
}
