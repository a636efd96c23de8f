// To whom the mail went whose return path an SRS address is: without it a bounce would find the user and nobody would know which
// recipient it is about. Called by admissions.ts and returns.ts.
import { asciiLower, type Mailbox, parseMailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { foldedAddress } from "../address-key.ts";
import type { SentFor } from "../on-behalf.ts";
import type { Changes, Fact, FactName, OnBehalfStore } from "../store.ts";

export interface SentCopy {
  readonly srs: Mailbox;
  readonly recipient: Mailbox;
  /** The address has a mark of the recipient; where the user's address is long it has not, and is one for all of a day. */
  readonly isMarked: boolean;
}

/** As long as an SRS address is good (21 days after the one on which it was made), and the day of whoever is late. */
const KEPT_SECONDS = 23 * 86_400;

/** An address without a mark is of one user and day; he may send about so many. */
const MAX_COPIES = 20;

interface Row {
  readonly site: string;
  /** One of each recipient, oldest first. Where there are several, the address does not say which a bounce is about. */
  readonly copies: readonly CopyRow[];
}

interface CopyRow {
  readonly messageId: string;
  readonly recipient: string;
  readonly reference?: string;
}

export type SentChanges = Required<Pick<Changes, "write" | "absent">>;

/** Rows for a message. Those of marked addresses are written over older ones; others are looked at before. */
export async function sentChanges(
  store: Pick<OnBehalfStore, "find">,
  copies: readonly SentCopy[],
  sent: { readonly site: string; readonly messageId: string; readonly reference?: string | undefined },
  now: UnixSeconds,
): Promise<SentChanges | "away"> {
  const write: Fact[] = [];
  const absent: FactName[] = [];
  const { site, messageId, reference } = sent;
  for (const [key, group] of groupedBySrs(copies)) {
    const name: FactName = { of: "ob-sent", key };
    const rows = group.map(({ recipient }) => ({
      messageId,
      recipient: renderMailbox(recipient),
      ...(reference !== undefined && { reference }),
    }));
    const written = (all: readonly CopyRow[]): Fact => ({
      ...name,
      value: JSON.stringify({ site, copies: all } satisfies Row),
      expires: now + KEPT_SECONDS,
    });
    if (group.every(({ isMarked }) => isMarked)) {
      write.push(written(rows));
      continue;
    }
    const older = await store.find(name, now);
    if (older === "away") return "away";
    const all = older ? joined((JSON.parse(older.value) as Row).copies, rows) : rows;
    if (!older) absent.push(name);
    if (!older || all.length > 1) write.push(written(all));
  }
  return { write, absent };
}

/**
 * For an address without a mark. The first row is written only where none is, and over one there is only written what names
 * several recipients: so no order of transactions can name the wrong one, though of those who come together one may be lost.
 */
function joined(older: readonly CopyRow[], newer: readonly CopyRow[]): readonly CopyRow[] {
  const again = new Set(newer.map(({ recipient }) => foldedAddress(recipient)));
  const kept = older.filter(({ recipient }) => !again.has(foldedAddress(recipient)));
  return [...kept, ...newer].slice(-MAX_COPIES);
}

/** Undefined where nothing is known. */
export async function findSent(
  store: Pick<OnBehalfStore, "find">,
  srs: Mailbox,
  now: UnixSeconds,
): Promise<SentFor | undefined | "away"> {
  const fact = await store.find({ of: "ob-sent", key: srsKey(srs) }, now);
  if (fact === undefined || fact === "away") return fact;
  const row = JSON.parse(fact.value) as Row;
  const copies = row.copies.flatMap(({ recipient, ...copy }) => {
    const parsed = parseMailbox(recipient);
    return parsed.ok ? [{ ...copy, recipient: parsed.mailbox }] : [];
  });
  const [first] = row.copies.length === 1 ? copies : [];
  return { site: row.site, recipient: first?.recipient, copies };
}

function groupedBySrs(copies: readonly SentCopy[]): ReadonlyMap<string, readonly SentCopy[]> {
  return Map.groupBy(copies, ({ srs }) => srsKey(srs));
}

/** Servers on the way fold ASCII alone, if any; and the tag is over exactly these letters. */
function srsKey(srs: Mailbox): string {
  return asciiLower(renderMailbox(srs));
}
