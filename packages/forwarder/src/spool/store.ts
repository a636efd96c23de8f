// The operations of the spool on its database, one at a time. Runs in the writer thread, inside the transaction of a
// batch. Called by batch.ts and housekeeping.ts.
import type { DatabaseSync } from "node:sqlite";
import { createClaims, createMessageReader } from "./claims.ts";
import { MESSAGE_COLUMNS, RECIPIENT_COLUMNS } from "./database.ts";
import { createMessageStore } from "./message-store.ts";
import { createNoteStore, hasConditions } from "./note-store.ts";
import type { Listed, Operation, Put, Row, Value } from "./operations.ts";

/** 2 MB, a few milliseconds. */
const CHUNKS_AT_ONCE = 8;

export interface Store {
  run(operation: Operation, body: Uint8Array | undefined): Value;
  /** A step of removing chunks that nothing refers to; false when there are none. */
  sweep(): boolean;
  lastNumber(): number;
  expireLeases(): void;
  withdraw(message: number): void;
  endLeases(message: number): void;
  /** It is asked again, and was done before. */
  wasStored(operation: Operation): boolean;
}

export function createStore(db: DatabaseSync): Store {
  const orphans = orphanedChunks(db);
  const messages = createMessageStore(db, (message) => orphans.add(message));
  const claims = createClaims(db);
  const notes = createNoteStore(db);
  const queue = createQueueReader(db);
  const readMessage = createMessageReader(db);
  const readChunk = db.prepare("SELECT body FROM chunks WHERE message = ? AND place = ?");
  // Asked again at the last moment: the transaction that removed the message may have been rolled back.
  const removeChunks = db.prepare(
    `DELETE FROM chunks WHERE rowid IN (SELECT rowid FROM chunks WHERE message = ? AND message NOT IN (SELECT number FROM messages) LIMIT ${CHUNKS_AT_ONCE})`,
  );

  /** All or none of them. */
  const wasStored = (operation: Operation): boolean => {
    if (operation.kind !== "put" && operation.kind !== "put-all") return false;
    if (!operation.maybeAgain) return false;
    const puts = operation.kind === "put" ? [operation.put] : operation.puts;
    if (puts.length === 0) return notes.areWritten(operation.notes);
    return puts.some(({ message }) => messages.has(message));
  };

  return {
    run(operation, body) {
      switch (operation.kind) {
        case "put": {
          // Before its notes are asked, which would be in their own way.
          if (wasStored(operation)) return "stored";
          if (!notes.allow(operation.notes)) return "conflict";
          const stored = messages.put(operation.put, body);
          if (stored === "stored") notes.change(operation.notes);
          return stored;
        }
        case "put-all": {
          const { puts, octets } = operation;
          if (wasStored(operation)) return "stored";
          if (!notes.allow(operation.notes)) return "conflict";
          if (!puts.every(messages.hasChunks)) return "chunks-gone";
          const bodies = piecesOf(body, puts, octets);
          for (const [at, put] of puts.entries()) messages.put(put, bodies[at]);
          notes.change(operation.notes);
          return "stored";
        }
        case "chunk":
          if (body === undefined) throw new Error("a chunk without octets");
          messages.chunk(operation.message, operation.place, body);
          return undefined;
        case "forget":
          orphans.add(operation.message);
          return undefined;
        case "claim":
          return claims.claim(operation);
        case "retry":
          return messages.retry(operation.lease, operation.deferral, operation.dsn, body);
        case "finish": {
          // Whatever became of an attempt is written down, under no condition.
          if (hasConditions(operation.notes)) throw new Error("a recipient is settled with conditions");
          const settled = messages.finish(operation.lease, operation.dsn, body);
          if (settled === true) notes.change(operation.notes);
          return settled;
        }
        case "next-due":
          return claims.nextDue();
        case "list":
          return queue.page(operation.after, operation.limit);
        case "show":
          return queue.show(operation.id);
        case "content": {
          const number = queue.numberOf(operation.id);
          return number === undefined ? undefined : readMessage(number);
        }
        case "read":
          return readChunk.get(operation.message, operation.place)?.body as
            | Uint8Array<ArrayBuffer>
            | undefined;
        case "drop":
          return messages.drop(operation.id);
        case "retry-now":
          return messages.retryNow(operation.id, operation.now);
        case "note":
          notes.write(operation.note, operation.now);
          return undefined;
        case "change-notes":
          if (!notes.allow(operation.notes)) return "conflict";
          notes.change(operation.notes);
          return "changed";
        case "find-note":
          return notes.find(operation.of, operation.key, operation.now);
        case "take-note":
          return notes.take(operation.of, operation.key, operation.now);
        case "notes":
          return notes.page(operation.of, operation.after, operation.limit);
      }
    },
    sweep() {
      const [message] = orphans;
      if (message === undefined) return false;
      if (removeChunks.run(message).changes < CHUNKS_AT_ONCE) orphans.delete(message);
      return true;
    },
    lastNumber: () =>
      Number(
        db
          .prepare(
            "SELECT max(ifnull((SELECT max(number) FROM messages), 0), ifnull((SELECT max(message) FROM chunks), 0)) AS last",
          )
          .get()?.last,
      ),
    expireLeases: claims.expireAll,
    withdraw: messages.withdraw,
    endLeases: claims.end,
    wasStored,
  };
}

/** Each body by itself; undefined where it lies in chunks. */
function piecesOf(
  body: Uint8Array | undefined,
  puts: readonly Put[],
  octets: readonly number[],
): readonly (Uint8Array | undefined)[] {
  let end = 0;
  return puts.map(({ chunks }, at) => {
    const start = end;
    end += octets[at] ?? 0;
    return chunks > 0 ? undefined : body?.subarray(start, end);
  });
}

/** Left by a process that ended between the chunks of a message and the message, or before it had removed them. */
function orphanedChunks(db: DatabaseSync): Set<number> {
  const rows = db
    .prepare("SELECT DISTINCT message FROM chunks WHERE message NOT IN (SELECT number FROM messages)")
    .all();
  return new Set(rows.map(({ message }) => Number(message)));
}

interface QueueReader {
  page(after: number, limit: number): readonly Listed[];
  show(id: string): Listed | undefined;
  numberOf(id: string): number | undefined;
}

function createQueueReader(db: DatabaseSync): QueueReader {
  const page = db.prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE number > ? ORDER BY number LIMIT ?`);
  const one = db.prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE id = ?`);
  const recipients = db.prepare(
    `SELECT ${RECIPIENT_COLUMNS} FROM recipients WHERE message = ? ORDER BY recipient`,
  );
  for (const statement of [page, one, recipients]) statement.setReturnArrays(true);
  const listed = (row: Row): Listed => ({
    row,
    recipients: recipients.all(Number(row[0])) as unknown as Row[],
  });
  const find = (id: string): Row | undefined => one.get(id) as unknown as Row | undefined;

  return {
    page: (after, limit) => (page.all(after, limit) as unknown as Row[]).map(listed),
    show(id) {
      const row = find(id);
      return row && listed(row);
    },
    numberOf(id) {
      const row = find(id);
      return row && Number(row[0]);
    },
  };
}
