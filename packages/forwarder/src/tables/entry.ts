// Entries of the route tables, and where they stand. Called by the readers in this folder and by those who follow entries.
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import type { Place } from "./placed-text.ts";
import { type PlacedTarget, parseTargets } from "./target.ts";

export interface Entry {
  /** The file's path, for messages. */
  readonly file: string;
  /** 0 where it was not kept: `TableFiles.everyLine` keeps all. */
  readonly line: number;
  /**
   * One mailbox, or one name, as text: the usual entry of a large table, kept small. Several targets, as they stand in the
   * line, from the blank before them on. Or targets of any kind.
   */
  readonly targets: string | readonly LoadedTarget[];
  /** Where text begins. */
  readonly column?: number;
  /** The one mailbox is at no domain of ours: its look-up ends here. */
  readonly away: boolean;
  /** There is no such file: what it would decide is what holds without it. */
  readonly absent?: true;
  /** `owner-NAME`, where that is an alias too: what leaves is sent as from it. */
  readonly owner?: string;
}

/** As `homing route` shows it. */
export interface FilePlace {
  readonly file: string;
  /** 0 where it is not known. */
  readonly line: number;
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
 * half the memory. So are other targets that need no further look at the tables: from the blank before them on, to be
 * parsed by whoever asks, for a quarter of it.
 */
export type Slot = Entry | string;

/** @param file of the table that holds the slot */
export function entryOf(slot: Slot, file: string): Entry {
  if (typeof slot !== "string") return slot;
  if (!isBlank(slot)) return { file, line: 0, targets: slot, away: true };
  return { file, line: 0, targets: slot, away: false };
}

function isBlank(text: string): boolean {
  return text.startsWith(" ") || text.startsWith("\t");
}

/** It was parsed when the table was loaded, and nothing was wrong. */
function parsedAgain(text: string, line: number, column: number): readonly LeafTarget[] {
  const place = (at: number): Place => ({ line, column: column + at });
  const targets = parseTargets({ text, place }, 0, (_at, message) => {
    throw new Error(message);
  });
  return targets.filter((target): target is LeafTarget => target.kind !== "include");
}

/** A mistake in a table, with its file. */
export interface TableProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export function targetsOf(entry: Entry): readonly LoadedTarget[] {
  const { targets, line, column = 1 } = entry;
  if (typeof targets !== "string") return targets;
  if (isBlank(targets)) return parsedAgain(targets, line, column);
  // No name has an @.
  if (!targets.includes("@")) return [{ kind: "name", name: targets, line, column }];
  return [{ kind: "mailbox", mailbox: storedMailbox(targets), line, column }];
}

/**
 * Every target of an entry, those of its lists in their place. Lists are acyclic: their reader has seen to that.
 * @param isNew false for a list whose targets are known already; hears where the list is named
 * @param visit hears the file that the target stands in
 */
export function eachLeaf(
  entry: Pick<IncludedList, "file"> & { readonly targets: readonly LoadedTarget[] },
  isNew: (list: IncludedList, place: FilePlace) => boolean,
  visit: (target: LeafTarget, file: string) => void,
): void {
  for (const target of entry.targets) {
    if (target.kind !== "list") visit(target, entry.file);
    else if (isNew(target.list, { file: entry.file, line: target.line })) eachLeaf(target.list, isNew, visit);
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
