// Tells what was folded, when it is due: one DSN about many failures to each sender, one digest to the postmaster. What is told is
// stored in the transaction that empties its bucket. Called by bounces.ts.
import { composeFoldedNotice, composePostmasterDigest } from "@homing/bounce-handler";
import { memoryContent } from "@homing/mail";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { SignMessage } from "../authenticate.ts";
import type { Report } from "../events.ts";
import type { Cancel, Clock } from "../outbound/clock.ts";
import { within } from "../outbound/within.ts";
import type { LeadsTo } from "../queue/dsn-message.ts";
import type { Buckets, Notice } from "../spool/buckets.ts";
import type { NoteChanges } from "../spool/notes.ts";
import type { Spool } from "../spool/spool.ts";
import type { FailureState } from "../state.ts";
import { failureNote } from "./failure-events.ts";
import type { TraceOf } from "./give-back.ts";
import { needsSmtpUtf8, ownMessage } from "./own-message.ts";
import { parseAbout } from "./return-keys.ts";

export interface NoticeOptions {
  readonly hostname: string;
  readonly failures: FailureState;
  readonly spool: Spool;
  /** Of a notice, in seconds. */
  readonly life: number;
  readonly leadsTo: LeadsTo;
  readonly sign: SignMessage;
  readonly traceOf: TraceOf;
  readonly now: () => UnixSeconds;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly report: Report;
  /** A notice is in the queue. */
  readonly queued: () => void;
  readonly failed: (error: unknown) => void;
}

export interface Notices {
  start(): void;
  /** Resolves when what is being told is stored, or the disk takes too long: then it is told after the next start. */
  close(): Promise<void>;
}

/** How late a notice may be. */
const LOOK_SECONDS = 30;
/** While the disk is full, what is being told waits for it. */
const CLOSE_SECONDS = 5;

type TellNotice = (options: NoticeOptions, notice: Notice, notes: NoteChanges) => Promise<boolean>;

export function createNotices(options: NoticeOptions): Notices {
  const { failures, clock, now } = options;
  let closed = false;
  let cancel: Cancel = () => {};
  let telling: Promise<void> = Promise.resolve();

  /** What cannot be told of one sort keeps no other waiting. */
  const tellAll = async (): Promise<void> => {
    await tell(failures.bounces, tellFailures).catch(options.failed);
    await tell(failures.own, tellFailures).catch(options.failed);
    await tell(failures.double, tellPostmaster).catch(options.failed);
  };
  const tell = async (buckets: Buckets, store: TellNotice): Promise<void> => {
    const due = closed ? undefined : await buckets.nextDue(now());
    if (due === undefined || due > now()) return;
    const told = await buckets.tellDue(
      now(),
      async (notice, notes) => !closed && (await store(options, notice, notes)),
    );
    if (told > 0) options.queued();
  };
  const look = (): void => {
    telling = tellAll().finally(() => {
      if (!closed) cancel = clock.after(LOOK_SECONDS * 1000, look);
    });
  };
  return {
    start: look,
    async close() {
      closed = true;
      cancel();
      await within(clock, CLOSE_SECONDS, telling);
    },
  };
}

async function tellFailures(options: NoticeOptions, notice: Notice, notes: NoteChanges): Promise<boolean> {
  const { hostname, life, leadsTo } = options;
  const {
    to,
    srs,
    alias,
    enhanced,
    class: bounceClass,
    isForOwner,
    isCountedElsewhere,
  } = parseAbout(notice.about);
  const addresses = await leadsTo(to);
  if (addresses === "later") return false;
  const [id, now] = [options.newId(), options.now()];
  const { count, messageIds } = notice;
  const event = failureNote({
    ...{ at: now, id, alias, destination: undefined, action: "failed", enhanced },
    ...{ class: bounceClass ?? "hard", count, trustworthy: false },
  } as const);
  // One for all.
  const written = isCountedElsewhere ? notes : { ...notes, write: [...notes.write, event] };
  if (addresses.length === 0) return await dropped(options, to, count, written);
  const smtpUtf8 = needsSmtpUtf8(to);
  const octets = composeFoldedNotice({
    ...{ hostname, id, now, to, alias, count, messageIds, enhanced, smtpUtf8, isForOwner },
    class: bounceClass,
  });
  const content = memoryContent(await options.sign(octets));
  const trace = srs ? options.traceOf({ id, srs, to, now }) : "";
  const message = ownMessage({ id, now, life, content, to, addresses, trace });
  return await stored(options, message, written, { to, count });
}

async function tellPostmaster(options: NoticeOptions, notice: Notice, notes: NoteChanges): Promise<boolean> {
  const { hostname, life, leadsTo } = options;
  const to = { localPart: "postmaster", domain: hostname };
  const addresses = await leadsTo(to);
  if (addresses === "later") return false;
  const { count, messageIds: lines } = notice;
  if (addresses.length === 0) return await dropped(options, to, count, notes);
  const [id, now] = [options.newId(), options.now()];
  const octets = composePostmasterDigest({ hostname, id, now, to, count, lines });
  const content = memoryContent(await options.sign(octets));
  const message = ownMessage({ id, now, life, content, to, addresses });
  return await stored(options, message, notes, { to, count });
}

interface Addressed {
  readonly to: Mailbox;
  readonly count: number;
}

async function stored(
  { spool, report }: NoticeOptions,
  message: Parameters<Spool["put"]>[0],
  notes: NoteChanges,
  { to, count }: Addressed,
): Promise<boolean> {
  const put = await spool.put(message, { notes, waits: true });
  if (put.kind === "stored") report({ event: "notice", id: message.id, to: renderMailbox(to), count });
  return put.kind === "stored";
}

/** Nobody is there to be told: that is told in the log alone. */
async function dropped(
  { failures, report }: NoticeOptions,
  to: Mailbox,
  count: number,
  notes: NoteChanges,
): Promise<boolean> {
  const isStored = await failures.notes.change(notes);
  if (isStored) report({ event: "nobody-told", id: "", count, to: renderMailbox(to) });
  return isStored;
}
