// Mail of the queue that we give up: told one by one up to a budget, then folded; of an alias with several destinations told to
// its owner until all of them have failed; a bounce of ours that fails is a double bounce, and goes into the postmaster's digest.
// Each with its event, in the transaction that takes the recipient from the queue. Called by queue/conclude.ts.
import { type BounceClass, messageIdOf, ownFailureKey } from "@homing/bounce-handler";
import { type Mailbox, NULL_PATH, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Report } from "../events.ts";
import type { Failure } from "../spool/buckets.ts";
import type { Note, NoteChanges } from "../spool/notes.ts";
import type { Job, NewMessage, NotifyParty, Recipient, Spool } from "../spool/spool.ts";
import type { FailureState } from "../state.ts";
import { failureNote } from "./failure-events.ts";
import type { TargetsOf } from "./give-back.ts";
import { messageKeyOf, type PartialFailures } from "./partial-failures.ts";
import { renderAbout } from "./return-keys.ts";

export interface OwnFailures {
  giveUp(job: Job, failure: OwnFailure): Promise<GivenUp>;
  /** Whoever hears that it takes time. */
  toldOfDelay(recipient: Recipient): Promise<NotifyParty>;
}

export interface OwnFailure {
  readonly enhanced: string;
  readonly class: BounceClass;
  readonly now: UnixSeconds;
  /** Noted with it, whoever is told. */
  readonly notes: readonly Note[];
  /** Whom a DSN goes to, if anybody is to be told. */
  readonly toldTo: (notify: NotifyParty) => Mailbox | undefined;
  /** Undefined where there is nobody to take it; `later` where that is not known now. */
  readonly compose: (notify: NotifyParty) => Promise<NewMessage | "later" | undefined>;
}

export type GivenUp =
  | {
      readonly kind: "settled";
      /** The lease was valid: it is stored. */
      readonly isStored: boolean;
      readonly to?: Mailbox | undefined;
      readonly dsn?: NewMessage | undefined;
      readonly folded?: boolean;
    }
  /** Who must hear of it cannot be found now: nothing was stored. */
  | { readonly kind: "later" };

export interface OwnFailuresOptions {
  readonly spool: Pick<Spool, "fail" | "put">;
  readonly failures: FailureState;
  readonly partial: PartialFailures;
  readonly targetsOf: TargetsOf;
  /** Hears of what fails of an alias with several destinations, where the tables name no owner. */
  readonly ownerOf: (alias: Mailbox) => Mailbox;
  readonly report: Report;
}

const LATER: GivenUp = { kind: "later" };

export function createOwnFailures(options: OwnFailuresOptions): OwnFailures {
  return {
    toldOfDelay: async (recipient) =>
      isShared(recipient) ? ownerParty(options, recipient.alias) : recipient.notify,

    async giveUp(job, failure) {
      const { message, recipient } = job;
      if (isBounce(job)) return await doubleBounce(options, job, failure);
      if (!isShared(recipient) || message.sender === NULL_PATH)
        return await tell(options, job, failure, { notify: recipient.notify, notes: [] });
      return await tellOfShared(options, job, failure, message.sender);
    },
  };
}

/** Nothing returns to it. Mail of which nobody wants to hear has a reverse-path all the same, or says so. */
function isBounce({ message, recipient }: Job): boolean {
  const { reversePath, dsn } = recipient;
  return message.sender === NULL_PATH && reversePath === NULL_PATH && dsn?.notify !== "never";
}

/** Its alias has several destinations, and the tables name no owner who hears of each. */
function isShared({ targets, notify }: Recipient): boolean {
  return targets > 1 && notify.kind !== "mailbox";
}

function ownerParty({ ownerOf }: OwnFailuresOptions, alias: Mailbox): NotifyParty {
  return { kind: "mailbox", mailbox: ownerOf(alias) };
}

interface Plan {
  readonly notify: NotifyParty;
  readonly notes: NoteChanges["write"];
}

async function tellOfShared(
  options: OwnFailuresOptions,
  job: Job,
  failure: OwnFailure,
  sender: Mailbox,
): Promise<GivenUp> {
  const { message, recipient } = job;
  const { alias, mailbox, notify } = recipient;
  const destinations = await options.targetsOf(alias);
  if (destinations === "later") return LATER;
  const ownerAlone = ownerParty(options, alias);
  const failed = {
    ...{ sender, alias, destinations },
    message: messageKeyOf(message.content.start, message.id),
    failed: [renderMailbox(mailbox)],
  };
  return await options.partial.add(failed, failure.now, async (added) => {
    if (added === "away") return LATER;
    const notes = added.note ? [added.note] : [];
    if (!added.allFailed) return await tell(options, job, failure, { notify: ownerAlone, notes });
    // The owner first: what is made again tells him twice, and nobody else.
    if (!(await tellOwnerToo(options, job, failure, ownerAlone))) return LATER;
    return await tell(options, job, failure, { notify, notes });
  });
}

/** @returns whether he is told, or never will be */
async function tellOwnerToo(
  { spool, failures, report }: OwnFailuresOptions,
  job: Job,
  failure: OwnFailure,
  party: NotifyParty,
): Promise<boolean> {
  const to = failure.toldTo(party);
  const dsn = await failure.compose(party);
  if (dsn === "later") return false;
  if (!to || !dsn) return true;
  const isKept = await failures.own.spend(
    countedFor(to, job, failure, party),
    failure.now,
    async (decision, notes) => {
      if (decision === "fold") return await failures.notes.change(notes);
      const isStored = (await spool.put(dsn, { notes })).kind === "stored";
      if (isStored)
        report({ event: "dsn", id: dsn.id, about: job.message.id, to: renderMailbox(to), action: "failed" });
      return isStored;
    },
  );
  return isKept === true;
}

async function tell(
  { spool, failures }: OwnFailuresOptions,
  job: Job,
  failure: OwnFailure,
  plan: Plan,
): Promise<GivenUp> {
  const { lease } = job;
  const { now } = failure;
  const to = failure.toldTo(plan.notify);
  const write = [...plan.notes, eventNote(job, failure), ...failure.notes];
  const unheard = async (): Promise<GivenUp> => {
    const isStored = await spool.fail(lease, undefined, { now, write, remove: [] });
    return { kind: "settled", isStored, to };
  };
  if (!to) return await unheard();
  const counted = countedFor(to, job, failure, plan.notify);
  const given = await failures.own.spend<GivenUp>(counted, now, async (decision, spent) => {
    const notes = { ...spent, write: [...spent.write, ...write] };
    if (decision === "fold")
      return { kind: "settled", isStored: await spool.fail(lease, undefined, notes), to, folded: true };
    const dsn = await failure.compose(plan.notify);
    if (dsn === "later") return LATER;
    if (!dsn) return await unheard();
    return { kind: "settled", isStored: await spool.fail(lease, dsn, notes), to, dsn };
  });
  return given === "away" ? LATER : given;
}

function countedFor(
  to: Mailbox,
  { message, recipient }: Job,
  failure: OwnFailure,
  told: NotifyParty,
): Failure {
  const { alias } = recipient;
  const { enhanced, class: bounceClass } = failure;
  const isForOwner = told.kind === "mailbox";
  // Each has its event already.
  const about = renderAbout({
    ...{ to, alias, enhanced, class: bounceClass, isForOwner },
    isCountedElsewhere: true,
  });
  return { key: ownFailureKey(to, alias), about, messageId: messageIdOf(message.content.start) ?? "" };
}

/**
 * RFC 5321 §4.5.5: nothing is told of what tells of a failure. The postmaster hears which they were; of what he cannot be told,
 * the log alone: a digest about digests would never end.
 */
async function doubleBounce(
  { spool, failures, report }: OwnFailuresOptions,
  job: Job,
  failure: OwnFailure,
): Promise<GivenUp> {
  const { message, recipient, lease } = job;
  const { now, enhanced } = failure;
  const target = renderMailbox(recipient.mailbox);
  const fail = (notes: NoteChanges) => spool.fail(lease, undefined, notes);
  const line = `${message.id}:${target}:${enhanced}`;
  const counted = { key: "postmaster", about: "", messageId: line };
  const isStored = isForPostmaster(job)
    ? await fail({ now, write: [], remove: [] })
    : await failures.double.spend(counted, now, (_, spent) => fail(spent));
  if (isStored === "away") return LATER;
  if (isStored) report({ event: "double-bounce", id: message.id, target, enhanced });
  return { kind: "settled", isStored };
}

/** We wrote it to our own postmaster: the domain of its Message-ID is our name. */
function isForPostmaster({ message, recipient }: Job): boolean {
  const { localPart, domain } = recipient.alias;
  return localPart === "postmaster" && messageIdOf(message.content.start) === `<${message.id}@${domain}>`;
}

function eventNote({ message, recipient, lease }: Job, { now, enhanced, class: bounceClass }: OwnFailure) {
  const { alias, mailbox } = recipient;
  const note = failureNote({
    ...{ at: now, id: message.id, alias, destination: renderMailbox(mailbox), action: "failed", enhanced },
    ...{ class: bounceClass, count: 1, trustworthy: true },
  } as const);
  // Several recipients of one message may fail in the same second.
  return { ...note, key: `${note.key} ${lease.recipient}` };
}
