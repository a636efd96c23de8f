// Entries of the route tables, and where they stand. Called by the readers in this folder and by those who follow entries.
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import type { PlacedTarget } from "./target.ts";

export interface Entry {
  /** The file's path, for messages. */
  readonly file: string;
  /** 0 where it was not kept: `TableFiles.everyLine` keeps all. */
  readonly line: number;
  /** One mailbox as text: the usual entry of a large table, kept small. Or targets of any kind. */
  readonly targets: string | readonly PlacedTarget[];
  /** The one mailbox is at no domain of ours: its look-up ends here. */
  readonly away: boolean;
}

/**
 * As a table keeps it. A mailbox elsewhere, the entry of nearly every line of a large table, is kept as its text alone:
 * half the memory.
 */
export type Slot = Entry | string;

/** @param file of the table that holds the slot */
export function entryOf(slot: Slot, file: string): Entry {
  return typeof slot === "string" ? { file, line: 0, targets: slot, away: true } : slot;
}

/** A mistake in a table, with its file. */
export interface TableProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export function targetsOf(entry: Entry): readonly PlacedTarget[] {
  if (typeof entry.targets !== "string") return entry.targets;
  return [{ kind: "mailbox", mailbox: storedMailbox(entry.targets), line: entry.line, column: 1 }];
}

/** The text was made by `renderMailbox`, or read by `parseMailbox` and found to be the same. */
export function storedMailbox(text: string): Mailbox {
  if (text.startsWith('"')) {
    const parsed = parseMailbox(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.mailbox;
  }
  const at = text.lastIndexOf("@");
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) };
}
