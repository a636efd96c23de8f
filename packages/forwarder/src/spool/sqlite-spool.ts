// The spool on SQLite: its interface in terms of operations for the writer thread. Called by open-spool.ts.
import { partsOf } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import { Register } from "../register.ts";
import { CHUNK_OCTETS, chunksOf, storedContent } from "./chunks.ts";
import type { Answer, NoteChanges, Put } from "./operations.ts";
import { deferralRow, job, messageRow, queueEntry, recipientRow, storedMessage } from "./rows.ts";
import {
  type Lease,
  MAX_PUT_ALL,
  type NewMessage,
  type PutAllOutcome,
  type PutOptions,
  type PutOutcome,
  type Spool,
} from "./spool.ts";
import { createTurns } from "./turns.ts";
import type { Writer } from "./writer.ts";

/** While the storage is away: claiming again sooner would give nothing. */
const AWAY_SECONDS = 5;
/** Large messages that are written at the same time: with 50 of 25 MB at once their chunks took 50 MB more, and no less time. */
const LARGE_AT_A_TIME = 8;
/** What one transaction takes with the rows of several messages: a batch. */
const TOGETHER_OCTETS = 8 * 1024 * 1024;

export function createSqliteSpool(writer: Writer): Spool {
  const puts = new Register<Promise<unknown>>();
  const track = <T>(outcome: Promise<T>): Promise<T> => {
    const number = puts.add(outcome);
    return outcome.finally(() => puts.delete(number));
  };
  const turns = createTurns(LARGE_AT_A_TIME);
  let closed = false;

  return {
    put(message, options = {}) {
      if (closed) return Promise.resolve(CLOSED);
      const isLarge = message.content.octets > CHUNK_OCTETS;
      const outcome = isLarge ? turns(() => put(writer, message, options)) : put(writer, message, options);
      // One that waits may wait for ever: whoever closes the spool does not.
      return options.waits ? outcome : track(outcome);
    },

    putAll(messages, notes) {
      if (closed) return Promise.resolve(CLOSED);
      if (messages.length > MAX_PUT_ALL)
        return Promise.reject(new RangeError(`${messages.length} messages at once: at most ${MAX_PUT_ALL}`));
      const rowOctets = rowOctetsOf(messages);
      const hasLarge = messages.some(({ content }) => content.octets > rowOctets);
      const work = () => putAll(writer, messages, { notes, rowOctets });
      return track(hasLarge ? turns(work) : work());
    },

    async claim({ now, leaseUntil, limit, leaveOut = [] }) {
      const answer = await writer.ask({ kind: "claim", now, leaseUntil, limit, leaveOut });
      if (answer.kind !== "done") return [];
      const messages = new Map(
        answer.value.messages.map((one) => [one.row[0], storedMessage(one.row, storedContent(writer, one))]),
      );
      return answer.value.recipients.flatMap((row) => {
        const message = messages.get(row[0] ?? null);
        return message ? [job(row, message)] : [];
      });
    },

    retry: (lease, deferral, dsn) =>
      settle(writer, dsn, (put, body) =>
        writer.ask(
          {
            kind: "retry",
            lease: keyOf(lease),
            deferral: deferralRow(deferral),
            ...(put ? { dsn: put } : {}),
          },
          { body, waits: true },
        ),
      ),
    done: (lease, dsn, notes) => finish(writer, lease, dsn, notes),
    fail: (lease, dsn, notes) => finish(writer, lease, dsn, notes),

    async nextDue(now: UnixSeconds) {
      const answer = await writer.ask({ kind: "next-due" });
      return answer.kind === "done" ? answer.value : now + AWAY_SECONDS;
    },

    async list({ after = 0, limit }) {
      return valueOrThrow(await writer.ask({ kind: "list", after, limit })).map(queueEntry);
    },
    async show(id) {
      const listed = valueOrThrow(await writer.ask({ kind: "show", id }));
      return listed && queueEntry(listed);
    },
    async content(id) {
      const row = valueOrThrow(await writer.ask({ kind: "content", id }));
      return row && storedContent(writer, row);
    },
    drop: async (id) => valueOrThrow(await writer.ask({ kind: "drop", id })),
    retryNow: async (id, now) => valueOrThrow(await writer.ask({ kind: "retry-now", id, now })),

    async close() {
      closed = true;
      await Promise.allSettled(puts);
      // What was asked for in this turn of the event loop has reached the writer by its end.
      await new Promise((resolve) => setImmediate(resolve));
      await writer.close();
    },
  };
}

async function put(
  writer: Writer,
  message: NewMessage,
  { notes, waits = false }: PutOptions,
): Promise<PutOutcome> {
  for (;;) {
    const prepared = await prepare(writer, message, { waits });
    if (prepared.kind !== "prepared") return prepared;
    const extras = { ...(notes ? { notes } : {}), ...(waits ? { maybeAgain: true as const } : {}) };
    const operation = { kind: "put", put: prepared.put, ...extras } as const;
    const answer = await writer.ask(operation, { body: prepared.body, waits });
    if (answer.kind === "done" && answer.value === "stored")
      return { kind: "stored", leases: leasesOf(message, prepared.put.message) };
    forget(writer, prepared.put);
    if (answer.kind !== "done") return trouble(answer);
    if (answer.value === "conflict") return CONFLICT;
    // Who waits has its chunks written again.
    if (!waits) return CHUNKS_GONE;
  }
}

async function putAll(
  writer: Writer,
  messages: readonly NewMessage[],
  { notes, rowOctets }: { readonly notes: NoteChanges | undefined; readonly rowOctets: number },
): Promise<PutAllOutcome> {
  const all: Extract<Prepared, { kind: "prepared" }>[] = [];
  const forgetAll = (): void => {
    for (const { put } of all) forget(writer, put);
  };
  for (const message of messages) {
    const prepared = await prepare(writer, message, { rowOctets });
    if (prepared.kind !== "prepared") {
      forgetAll();
      return prepared;
    }
    all.push(prepared);
  }
  const puts = all.map(({ put }) => put);
  const octets = all.map(({ body }) => body?.reduce((sum, { length }) => sum + length, 0) ?? 0);
  const extras = notes ? { notes } : {};
  const answer = await writer.ask(
    { kind: "put-all", puts, octets, ...extras },
    { body: all.flatMap(({ body }) => body ?? []) },
  );
  if (answer.kind === "done" && answer.value === "stored")
    return {
      kind: "stored",
      leases: messages.map((message, at) => leasesOf(message, puts[at]?.message ?? 0)),
    };
  // Those of messages that are there stay.
  forgetAll();
  if (answer.kind !== "done") return trouble(answer);
  return answer.value === "conflict" ? CONFLICT : CHUNKS_GONE;
}

/** Up to which size each goes with its row. Where that is too much together, more of them come in pieces before it. */
function rowOctetsOf(messages: readonly NewMessage[]): number {
  const small = messages.map(({ content }) => content.octets).filter((octets) => octets <= CHUNK_OCTETS);
  const together = small.reduce((sum, octets) => sum + octets, 0);
  return together <= TOGETHER_OCTETS ? CHUNK_OCTETS : TOGETHER_OCTETS / MAX_PUT_ALL;
}

type Prepared =
  | { readonly kind: "prepared"; readonly put: Put; readonly body: readonly Buffer[] | undefined }
  | Exclude<PutOutcome, { kind: "stored" }>;

interface Preparing {
  readonly waits?: boolean;
  /** A larger one is cut up. */
  readonly rowOctets?: number;
}

/** All but the row that makes the message visible: the chunks of a large one are on the disk afterwards. */
async function prepare(
  writer: Writer,
  message: NewMessage,
  { waits = false, rowOctets = CHUNK_OCTETS }: Preparing = {},
): Promise<Prepared> {
  const number = writer.nextNumber();
  const recipients = message.recipients.map((one, place) => recipientRow(one, number, place));
  const prepared = (chunks: number, body?: readonly Buffer[]): Prepared => ({
    kind: "prepared",
    put: { message: number, chunks, row: messageRow(message, number, chunks), recipients },
    body,
  });
  const { content } = message;
  const parts = partsOf(content);
  if (parts && content.octets <= rowOctets) return prepared(0, parts);

  let place = 0;
  let octets = 0;
  const givenUp = (outcome: Exclude<PutOutcome, { kind: "stored" }>): Prepared => {
    if (place > 0) void writer.ask({ kind: "forget", message: number });
    return outcome;
  };
  try {
    for await (const body of chunksOf(content)) {
      const answer = await writer.ask({ kind: "chunk", message: number, place }, { body: [body], waits });
      if (answer.kind !== "done") return givenUp(trouble(answer));
      place++;
      octets += body.length;
    }
  } catch (error) {
    return givenUp(failed(`the message cannot be read: ${(error as Error).message}`));
  }
  if (octets === content.octets) return prepared(place);
  return givenUp(failed(`the message should have ${content.octets} octets and has ${octets}`));
}

function finish(writer: Writer, lease: Lease, dsn?: NewMessage, notes?: NoteChanges): Promise<boolean> {
  return settle(writer, dsn, (put, body) => {
    const extras = { ...(put ? { dsn: put } : {}), ...(notes ? { notes } : {}) };
    return writer.ask({ kind: "finish", lease: keyOf(lease), ...extras }, { body, waits: true });
  });
}

/** A recipient and its DSN, in one transaction. Chunks that were lost meanwhile are written again. */
async function settle(
  writer: Writer,
  dsn: NewMessage | undefined,
  ask: (
    put: Put | undefined,
    body: readonly Buffer[] | undefined,
  ) => Promise<Answer<boolean | "chunks-gone">>,
): Promise<boolean> {
  for (;;) {
    const prepared = dsn && (await prepare(writer, dsn, { waits: true }));
    if (prepared && prepared.kind !== "prepared") return false;
    const answer = await ask(prepared?.put, prepared?.body);
    if (answer.kind !== "done" && prepared) forget(writer, prepared.put);
    if (answer.kind === "refused") throw new Error(`the spool does not take this: ${answer.cause}`);
    if (answer.kind !== "done") return false;
    if (answer.value !== "chunks-gone") return answer.value;
  }
}

function forget(writer: Writer, { message, chunks }: Put): void {
  if (chunks > 0) void writer.ask({ kind: "forget", message });
}

function leasesOf({ id, recipients }: NewMessage, message: number): (Lease | undefined)[] {
  return recipients.map(({ leasedUntil }, recipient) =>
    leasedUntil === undefined ? undefined : { messageId: id, message, recipient, attempt: 1 },
  );
}

function keyOf({ message, recipient, attempt }: Lease) {
  return { message, recipient, attempt };
}

function trouble(answer: Exclude<Answer, { kind: "done" }>): Exclude<PutOutcome, { kind: "stored" }> {
  return answer.kind === "no-room" ? answer : failed(answer.cause);
}

function failed(cause: string): Extract<PutOutcome, { kind: "failed" }> {
  return { kind: "failed", cause };
}

const CLOSED = failed("the spool is closed");
const CONFLICT = { kind: "conflict", cause: "the notes forbid it" } as const;
const CHUNKS_GONE = failed("the storage was away while the message was written");

function valueOrThrow<V>(answer: Answer<V>): V {
  if (answer.kind === "done") return answer.value;
  throw new Error(`the spool cannot be asked now: ${answer.cause}`);
}
