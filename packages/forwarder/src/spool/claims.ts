// Which recipients an attempt may start for: due ones, destinations in turn, leased as they are handed out. Runs in the
// writer thread. Called by store.ts.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MESSAGE_COLUMNS, RECIPIENT_COLUMNS } from "./database.ts";
import type { Claimed, MessageRow, Operation, Row } from "./operations.ts";

/** Looked at in one claim: 1,000 take about 3 ms. The next claim goes on behind them. */
const MAX_DESTINATIONS = 1000;
/** What one claim brings into memory, but for its last message. */
const MAX_CLAIM_OCTETS = 8 * 1024 * 1024;

const COLUMN = { message: 0, recipient: 1, attempt: 14 } as const;

export interface Claims {
  claim(wanted: Extract<Operation, { kind: "claim" }>): Claimed;
  nextDue(): number | undefined;
  /** At the start of a process: whoever had these leases is gone. */
  expireAll(): void;
  /** Of one message. */
  end(message: number): void;
}

export function createClaims(db: DatabaseSync): Claims {
  const expire = db.prepare("UPDATE recipients SET leased_until = NULL WHERE leased_until <= ?");
  const expireAll = db.prepare(
    "UPDATE recipients SET leased_until = NULL, due = min(due, (SELECT received FROM messages WHERE number = message)) WHERE leased_until IS NOT NULL",
  );
  const endOf = db.prepare("UPDATE recipients SET leased_until = NULL WHERE message = ?");
  const firstDue = db.prepare("SELECT min(due) AS due FROM recipients WHERE leased_until IS NULL");
  const firstLease = db.prepare(
    "SELECT min(leased_until) AS due FROM recipients WHERE leased_until IS NOT NULL",
  );
  const nextDestination = db.prepare(
    "SELECT destination, due FROM recipients WHERE leased_until IS NULL AND destination > ? ORDER BY destination, due LIMIT 1",
  );
  const dueAt = db.prepare(
    `SELECT ${RECIPIENT_COLUMNS} FROM recipients WHERE leased_until IS NULL AND destination = ? AND due <= ? ORDER BY due LIMIT ?`,
  );
  dueAt.setReturnArrays(true);
  const lease = db.prepare(
    "UPDATE recipients SET attempt = attempt + 1, leased_until = ? WHERE message = ? AND recipient = ?",
  );
  const readMessage = createMessageReader(db);
  let lastDestination = "";

  const due = (statement: StatementSync): number | undefined => {
    const value = statement.get()?.due;
    return typeof value === "number" ? value : undefined;
  };

  /** From where the last claim ended, once around. */
  const dueDestinations = (now: number, limit: number, leaveOut: ReadonlySet<string>): string[] => {
    const found: string[] = [];
    const start = lastDestination;
    let wrapped = false;
    for (let looked = 0; looked < MAX_DESTINATIONS && found.length < limit; looked++) {
      const row = nextDestination.get(lastDestination);
      if (row === undefined) {
        if (wrapped) break;
        wrapped = true;
        lastDestination = "";
        continue;
      }
      lastDestination = String(row.destination);
      if (wrapped && lastDestination > start) break;
      if (Number(row.due) <= now && !leaveOut.has(lastDestination)) found.push(lastDestination);
    }
    return found;
  };

  return {
    claim({ now, leaseUntil, limit, leaveOut }) {
      expire.run(now);
      const recipients: Row[] = [];
      const messages = new Map<number, MessageRow>();
      let octets = 0;
      const take = (row: Row): void => {
        const message = Number(row[COLUMN.message]);
        lease.run(leaseUntil, message, Number(row[COLUMN.recipient]));
        recipients.push(row.with(COLUMN.attempt, Number(row[COLUMN.attempt]) + 1));
        if (messages.has(message)) return;
        const read = readMessage(message);
        messages.set(message, read);
        octets += read.start.length;
      };
      const mayTake = (): boolean => recipients.length < limit && octets < MAX_CLAIM_OCTETS;
      let destinations =
        (due(firstDue) ?? Number.POSITIVE_INFINITY) <= now
          ? dueDestinations(now, limit, new Set(leaveOut))
          : [];
      while (destinations.length > 0 && mayTake()) {
        const share = Math.ceil((limit - recipients.length) / destinations.length);
        destinations = destinations.filter((destination) => {
          const rows = mayTake() ? (dueAt.all(destination, now, share) as unknown as Row[]) : [];
          for (const row of rows) if (mayTake()) take(row);
          return rows.length === share;
        });
      }
      return { messages: [...messages.values()], recipients };
    },
    nextDue() {
      const times = [due(firstDue), due(firstLease)].filter((time) => time !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    expireAll() {
      expireAll.run();
    },
    end(message) {
      endOf.run(message);
    },
  };
}

/** A message that a recipient refers to, with the beginning of its octets. */
export function createMessageReader(db: DatabaseSync): (number: number) => MessageRow {
  const select = db.prepare(
    `SELECT ${MESSAGE_COLUMNS}, coalesce(body, (SELECT body FROM chunks WHERE message = number AND place = 0)) FROM messages WHERE number = ?`,
  );
  select.setReturnArrays(true);
  return (number) => {
    const row = select.get(number) as unknown as
      | (string | number | null | Uint8Array<ArrayBuffer>)[]
      | undefined;
    const start = row?.pop();
    if (row === undefined || !(start instanceof Uint8Array))
      throw new Error(`message ${number} of the spool has no content`);
    return { row: row as unknown as Row, start };
  };
}
