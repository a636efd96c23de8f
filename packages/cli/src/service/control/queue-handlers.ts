// Answers questions about the queue from the spool. What changes it is in the log, and the queue sees it at once. Called by
// service-control.ts.
import type { QueuedRecipient, QueueEntry, Spool } from "@homing/forwarder";
import { asciiLower, renderMailbox, renderReversePath, type UnixSeconds } from "@homing/srs-core";
import { type Handlers, handler, type Items, NotNow } from "./control-handlers.ts";
import {
  contentQuestion,
  dropQuestion,
  type ListedMessage,
  type ListedRecipient,
  type ListQuestion,
  listQuestion,
  MAX_LISTED_RECIPIENTS,
  MAX_PAGE,
  type QueueCounts,
  retryAllQuestion,
  retryQuestion,
  type ShownRecipient,
  showQuestion,
} from "./queue-questions.ts";

export interface QueueHandlersOptions {
  readonly spool: Pick<Spool, "list" | "show" | "content" | "drop" | "retryNow">;
  /** Has the queue look at what is due. */
  readonly wake: () => void;
  /** Has the queue forget a message that it has in memory. */
  readonly dropped: (id: string) => void;
  readonly now: () => UnixSeconds;
  readonly log: (event: object) => void;
}

/** Looked at for one answer, where few of them fit: the client asks again, and mail goes on in between. */
const MAX_LOOKED_AT = 1000;
/** Read from the spool at a time: a message may have a thousand recipients. */
const READ_AT_A_TIME = 25;
/** In the log. */
const MAX_LOGGED_TARGETS = 100;

export function createQueueHandlers(options: QueueHandlersOptions): Handlers {
  return new Map([
    ["queue-list", handler(listQuestion, (question) => list(options, question))],
    ["queue-show", handler(showQuestion, ({ id }) => show(options, id))],
    ["queue-content", handler(contentQuestion, ({ id }) => content(options, id))],
    ["queue-retry", handler(retryQuestion, ({ id }) => retry(options, id))],
    ["queue-retry-all", handler(retryAllQuestion, ({ after }) => retryPage(options, after))],
    ["queue-drop", handler(dropQuestion, ({ id }) => drop(options, id))],
  ]);
}

async function* list({ spool, now }: QueueHandlersOptions, question: ListQuestion): Items {
  const fits = filterOf(question);
  let { after } = question;
  let found = 0;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += READ_AT_A_TIME) {
    const entries = await orNotNow(spool.list({ after, limit: READ_AT_A_TIME }));
    for (const entry of entries) {
      after = entry.position;
      const recipients = fits(entry);
      if (!recipients) continue;
      yield listed(entry, recipients, now());
      if (++found === question.limit) return { next: after };
    }
    if (entries.length < READ_AT_A_TIME) return {};
  }
  return { next: after };
}

/** The recipients that are asked for; undefined where the message is not. */
function filterOf({ recipient, sender }: ListQuestion) {
  const hasSender = partOf(sender);
  const hasRecipient = partOf(recipient);
  return (entry: QueueEntry): readonly QueuedRecipient[] | undefined => {
    if (!hasSender(renderReversePath(entry.sender))) return undefined;
    const recipients = entry.recipients.filter(
      ({ mailbox, alias }) => hasRecipient(renderMailbox(mailbox)) || hasRecipient(renderMailbox(alias)),
    );
    return recipients.length > 0 ? recipients : undefined;
  };
}

/** In angle brackets, so that these make it a whole address, and `<>` is the null sender. */
function partOf(text: string | undefined): (address: string) => boolean {
  if (text === undefined) return () => true;
  const wanted = asciiLower(text);
  return (address) => asciiLower(`<${address}>`).includes(wanted);
}

async function* show({ spool, now }: QueueHandlersOptions, id: string): Items {
  // Asked for in one turn: the spool answers in order, with nothing in between.
  const [entry, stored] = await orNotNow(Promise.all([spool.show(id), spool.content(id)]));
  if (!entry || !stored) return {};
  const at = now();
  for (const one of entry.recipients) yield shownRecipient(one, at);
  const { eightBit, smtpUtf8 } = entry;
  return { message: { ...facts(entry, at), eightBit, smtpUtf8, header: headerOf(stored.start) } };
}

/** With its last CRLF. A message may begin with the empty line, which is then all there is. */
function headerOf(start: Buffer): string {
  if (start.subarray(0, 2).toString("latin1") === "\r\n") return "";
  const end = start.indexOf("\r\n\r\n");
  return start.toString("utf8", 0, end < 0 ? start.length : end + 2);
}

async function* content({ spool }: QueueHandlersOptions, id: string): Items {
  const stored = await orNotNow(spool.content(id));
  if (!stored) return { found: false };
  const pieces = stored.pieces()[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await orNotNow(pieces.next());
    if (done) return { found: true };
    yield { octets: value.toString("base64") };
  }
}

async function retry({ spool, wake, now, log }: QueueHandlersOptions, id: string): Promise<object> {
  const at = now();
  const [entry, retried] = await orNotNow(Promise.all([spool.show(id), spool.retryNow(id, at)]));
  if (retried > 0) log({ event: "queue-retried", id, recipients: retried });
  wake();
  const { due, leased } = countsOf(entry?.recipients ?? [], at);
  return { found: entry !== undefined, retried, due, leased };
}

async function retryPage({ spool, wake, now, log }: QueueHandlersOptions, after: number): Promise<object> {
  const entries = await orNotNow(spool.list({ after, limit: MAX_PAGE }));
  const at = now();
  const numbers = await orNotNow(Promise.all(entries.map(({ id }) => spool.retryNow(id, at))));
  const retried = entries
    .map(({ id }, index) => ({ id, recipients: numbers[index] ?? 0 }))
    .filter(({ recipients }) => recipients > 0);
  for (const one of retried) log({ event: "queue-retried", ...one });
  wake();
  const last = entries.length < MAX_PAGE ? undefined : entries.at(-1);
  return {
    messages: retried.length,
    retried: retried.reduce((sum, { recipients }) => sum + recipients, 0),
    ...(last ? { next: last.position } : {}),
  };
}

async function drop({ spool, dropped, now, log }: QueueHandlersOptions, id: string): Promise<object> {
  const [entry, isDropped] = await orNotNow(Promise.all([spool.show(id), spool.drop(id)]));
  if (!entry || !isDropped) return {};
  dropped(id);
  const targets = entry.recipients.slice(0, MAX_LOGGED_TARGETS).map(({ mailbox }) => renderMailbox(mailbox));
  log({ event: "queue-dropped", id, reversePath: renderReversePath(entry.sender), targets });
  return { message: listed(entry, entry.recipients, now()) };
}

function listed(entry: QueueEntry, recipients: readonly QueuedRecipient[], now: UnixSeconds): ListedMessage {
  return {
    ...facts(entry, now),
    recipients: recipients.slice(0, MAX_LISTED_RECIPIENTS).map((one) => listedRecipient(one, now)),
  };
}

function facts(entry: QueueEntry, now: UnixSeconds): Omit<ListedMessage, "recipients"> {
  const { id, received, expires, octets, sender, recipients } = entry;
  const counts = countsOf(recipients, now);
  return { id, received, expires, octets, sender: renderReversePath(sender), counts };
}

function countsOf(recipients: readonly QueuedRecipient[], now: UnixSeconds): QueueCounts {
  const counts = { due: 0, waiting: 0, leased: 0 };
  for (const one of recipients) counts[stateOf(one, now)]++;
  return counts;
}

function stateOf({ leasedUntil, due }: QueuedRecipient, now: UnixSeconds): keyof QueueCounts {
  if (leasedUntil !== undefined && leasedUntil > now) return "leased";
  return due <= now ? "due" : "waiting";
}

function listedRecipient(one: QueuedRecipient, now: UnixSeconds): ListedRecipient {
  const { mailbox, alias, due, attempts, delayToldAt, lastFailure } = one;
  return {
    recipient: renderMailbox(mailbox),
    alias: renderMailbox(alias),
    state: stateOf(one, now),
    due,
    attempts,
    ...(delayToldAt === undefined ? {} : { delayToldAt }),
    ...(lastFailure ? { lastFailure } : {}),
  };
}

function shownRecipient(one: QueuedRecipient, now: UnixSeconds): ShownRecipient {
  const { reversePath, stays, notify, trace } = one;
  return {
    ...listedRecipient(one, now),
    reversePath: renderReversePath(reversePath),
    stays,
    notify: notify.kind === "mailbox" ? renderMailbox(notify.mailbox) : notify.kind,
    trace,
  };
}

/** What the spool rejects with is for people: its disk is away, or the message went while it was read. */
async function orNotNow<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new NotNow(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
