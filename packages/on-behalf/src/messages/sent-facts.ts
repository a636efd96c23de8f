// To whom the mail went whose return path an SRS address is: without it a bounce would find the user and nobody would know which
// recipient it is about. Called by admissions.ts and returns.ts.
import { type Mailbox, parseMailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
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

interface Row {
  readonly site: string;
  readonly messageId: string;
  readonly recipient: string;
  readonly reference?: string;
  /** Mail to several recipients has this return path: of a bounce to it, the recipient is not known. */
  readonly several?: true;
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
  for (const [key, group] of groupedBySrs(copies)) {
    const name: FactName = { of: "ob-sent", key };
    const [first] = group;
    if (!first) continue;
    const row: Row = {
      site: sent.site,
      messageId: sent.messageId,
      recipient: renderMailbox(first.recipient),
      ...(sent.reference !== undefined && { reference: sent.reference }),
      ...(group.length > 1 && { several: true as const }),
    };
    const expires = now + KEPT_SECONDS;
    if (first.isMarked) {
      write.push({ ...name, value: JSON.stringify(row), expires });
      continue;
    }
    const older = await store.find(name, now);
    if (older === "away") return "away";
    const change = unmarkedRow(row, older && (JSON.parse(older.value) as Row));
    if (change) write.push({ ...name, value: JSON.stringify(change), expires });
    if (!older) absent.push(name);
  }
  return { write, absent };
}

/**
 * What is written for an address without a mark. The first row is written only where none is, and over one there is nothing
 * written but that there are several recipients: so no order of transactions can name the wrong one.
 */
function unmarkedRow(row: Row, older: Row | undefined): Row | undefined {
  if (!older) return row;
  const isSame = older.recipient === row.recipient && !row.several;
  return isSame || older.several ? undefined : { ...row, several: true };
}

/** Undefined where nothing is known, or not to which of several recipients it belongs. */
export async function findSent(
  store: Pick<OnBehalfStore, "find">,
  srs: Mailbox,
  now: UnixSeconds,
): Promise<SentFor | undefined | "away"> {
  const fact = await store.find({ of: "ob-sent", key: addressKey(srs) }, now);
  if (fact === undefined || fact === "away") return fact;
  const { site, messageId, recipient, reference, several } = JSON.parse(fact.value) as Row;
  const parsed = parseMailbox(recipient);
  if (several || !parsed.ok) return undefined;
  return { site, messageId, recipient: parsed.mailbox, ...(reference !== undefined && { reference }) };
}

function groupedBySrs(copies: readonly SentCopy[]): ReadonlyMap<string, readonly SentCopy[]> {
  return Map.groupBy(copies, ({ srs }) => addressKey(srs));
}
