// Messages, their chunks and their recipients as rows: storing, settling, removing. Runs in the writer thread, inside the
// transaction of a batch. Called by store.ts.
import type { DatabaseSync } from "node:sqlite";
import { MESSAGE_COLUMNS, RECIPIENT_COLUMNS } from "./database.ts";
import type { LeaseKey, Put, Row } from "./operations.ts";

export interface MessageStore {
  put(put: Put, body: Uint8Array | undefined): "stored" | "chunks-gone";
  /** All of them; true without any. */
  hasChunks(put: Put): boolean;
  /** By its number, which is never used twice. */
  has(message: number): boolean;
  chunk(message: number, place: number, body: Uint8Array): void;
  retry(lease: LeaseKey, deferral: Row, dsn: Put | undefined, body: Uint8Array | undefined): Settled;
  finish(lease: LeaseKey, dsn: Put | undefined, body: Uint8Array | undefined): Settled;
  drop(id: string): boolean;
  retryNow(id: string, now: number): number;
  withdraw(message: number): void;
}

/** False: the lease is another attempt's by now. */
export type Settled = boolean | "chunks-gone";

/** @param orphaned hears of messages whose chunks may go: the transaction may yet be rolled back */
export function createMessageStore(db: DatabaseSync, orphaned: (message: number) => void): MessageStore {
  const insertMessage = db.prepare(`INSERT INTO messages (${MESSAGE_COLUMNS}, body) VALUES (${marks(13)})`);
  const insertRecipient = db.prepare(`INSERT INTO recipients (${RECIPIENT_COLUMNS}) VALUES (${marks(24)})`);
  // After a failure the same chunk may come again.
  const insertChunk = db.prepare("INSERT OR REPLACE INTO chunks (message, place, body) VALUES (?, ?, ?)");
  const countChunks = db.prepare("SELECT count(*) AS count FROM chunks WHERE message = ?");
  const mine = "message = ? AND recipient = ? AND attempt = ? AND leased_until IS NOT NULL";
  const isMine = db.prepare(`SELECT 1 FROM recipients WHERE ${mine}`);
  const defer = db.prepare(
    `UPDATE recipients SET leased_until = NULL, due = ?, delay_told = coalesce(?, delay_told), code = ?, enhanced = ?, detail = ? WHERE ${mine}`,
  );
  const remove = db.prepare(`DELETE FROM recipients WHERE ${mine}`);
  const anyRecipient = db.prepare("SELECT 1 FROM recipients WHERE message = ? LIMIT 1");
  const removeMessage = db.prepare("DELETE FROM messages WHERE number = ? RETURNING chunks");
  const removeRecipients = db.prepare("DELETE FROM recipients WHERE message = ?");
  const exists = db.prepare("SELECT 1 FROM messages WHERE number = ?");
  const numberOf = db.prepare("SELECT number FROM messages WHERE id = ?");
  const makeDue = db.prepare(
    "UPDATE recipients SET due = ? WHERE message = ? AND leased_until IS NULL AND due > ?",
  );

  const hasChunks = ({ message, chunks }: Put): boolean =>
    chunks === 0 || countChunks.get(message)?.count === chunks;

  const put: MessageStore["put"] = (message, body) => {
    if (!hasChunks(message)) return "chunks-gone";
    insertMessage.run(...message.row, body ?? null);
    for (const recipient of message.recipients) insertRecipient.run(...recipient);
    return "stored";
  };

  /** The lease is asked first: a DSN of an attempt that is fenced off must not be stored. */
  const settle = (
    { message, recipient, attempt }: LeaseKey,
    dsn: Put | undefined,
    body: Uint8Array | undefined,
    change: () => number | bigint,
  ): Settled => {
    if (!dsn) return change() === 1;
    if (isMine.get(message, recipient, attempt) === undefined) {
      if (dsn.chunks > 0) orphaned(dsn.message);
      return false;
    }
    if (put(dsn, body) === "chunks-gone") return "chunks-gone";
    return change() === 1;
  };

  const removeWhole = (message: number): void => {
    const removed = removeMessage.get(message);
    if (removed && Number(removed.chunks) > 0) orphaned(message);
  };

  const withdraw = (message: number): void => {
    removeRecipients.run(message);
    removeWhole(message);
  };

  return {
    put,
    hasChunks,
    has: (message) => exists.get(message) !== undefined,
    chunk(message, place, body) {
      insertChunk.run(message, place, body);
    },
    retry: (lease, deferral, dsn, body) =>
      settle(
        lease,
        dsn,
        body,
        () => defer.run(...deferral, lease.message, lease.recipient, lease.attempt).changes,
      ),
    finish: (lease, dsn, body) =>
      settle(lease, dsn, body, () => {
        const { changes } = remove.run(lease.message, lease.recipient, lease.attempt);
        if (changes === 1 && anyRecipient.get(lease.message) === undefined) removeWhole(lease.message);
        return changes;
      }),
    drop(id) {
      const found = numberOf.get(id);
      if (found) withdraw(Number(found.number));
      return found !== undefined;
    },
    retryNow(id, now) {
      const found = numberOf.get(id);
      return found ? Number(makeDue.run(now, Number(found.number), now).changes) : 0;
    },
    withdraw,
  };
}

function marks(count: number): string {
  return Array(count).fill("?").join(", ");
}
