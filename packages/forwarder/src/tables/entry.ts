// Entries of the route tables, and where they stand. Called by the readers in this folder and by those who follow entries.
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import type { Place } from "./placed-text.ts";
import type { PlacedTarget } from "./target.ts";

export interface Entry {
  /** The file's path, for messages. */
  readonly file: string;
  /** 0 where it was not kept: `TableFiles.everyLine` keeps all. */
  readonly line: number;
  /** One mailbox as text: the usual entry of a large table, kept small. Or targets of any kind. */
  readonly targets: string | readonly LoadedTarget[];
  /** The one mailbox is at no domain of ours: its look-up ends here. */
  readonly away: boolean;
  /** `owner-NAME`, where that is an alias too: what leaves is sent as from it. */
  readonly owner?: string;
}

/** What a target is once the lists are read. */
export type LoadedTarget =
  | LeafTarget
  | (Place & {
      readonly kind: "list";
      readonly list: IncludedList;
    });

export type LeafTarget = Exclude<PlacedTarget, { kind: "include" }>;

/** An `:include:` list: read once, and one object however many entries name it. */
export interface IncludedList {
  readonly file: string;
  readonly targets: readonly LoadedTarget[];
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

export function targetsOf(entry: Entry): readonly LoadedTarget[] {
  if (typeof entry.targets !== "string") return entry.targets;
  return [{ kind: "mailbox", mailbox: storedMailbox(entry.targets), line: entry.line, column: 1 }];
}

/**
 * Every target of an entry, those of its lists in their place. Lists are acyclic: their reader has seen to that.
 * @param isNew false for a list whose targets are known already
 * @param visit hears the file that the target stands in
 */
export function eachLeaf(
  entry: Pick<IncludedList, "file"> & { readonly targets: readonly LoadedTarget[] },
  isNew: (list: IncludedList) => boolean,
  visit: (target: LeafTarget, file: string) => void,
): void {
  for (const target of entry.targets) {
    if (target.kind !== "list") visit(target, entry.file);
    else if (isNew(target.list)) eachLeaf(target.list, isNew, visit);
  }
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
