// Reads the tables for a reload. An operator's word takes the files as they are; a change that was merely seen is read
// only when it looks finished: programs that write into a file in place leave half a table for a moment. Called by
// table-reload.ts.
import { CommandFailure } from "../failure.ts";
import type { ReadTables } from "../route-tables.ts";
import { type FileStates, sameStates, statesOf } from "./file-state.ts";
import { AS_IT_IS, AS_THEY_ARE, type Disk, unfinishedFiles, untilQuiet } from "./finished-files.ts";
import type { ReloadCause, ReloadOutcome } from "./reload.ts";

export interface TableReaderOptions extends Disk {
  /** Of the tables that hold now. */
  readonly files: readonly string[];
  /** When the reading of those began: what changed later is a change. */
  readonly readSince: number;
  /** Rejects with what is wrong, one line for each mistake; `opened` hears of each file, also then. */
  readonly read: (opened: (path: string) => void) => Promise<ReadTables>;
}

export interface TableReader {
  /** @param unwanted ends the waiting for writers: another reload has to run */
  read(cause: ReloadCause, unwanted: AbortSignal): Promise<ReloadOutcome<ReadTables>>;
  /** Those of the tables that hold, and those that the last reading asked for. */
  files(): readonly string[];
  /** Whether one of them is not as it was when it was read. */
  changed(): Promise<boolean>;
}

const MAX_READINGS = 5;

interface Reading {
  readonly outcome: ReloadOutcome<ReadTables>;
  /** No file changed meanwhile. */
  readonly steady: boolean;
  readonly unfinished: readonly string[];
}

export async function createTableReader(options: TableReaderOptions): Promise<TableReader> {
  const { fileSystem, clock, readSince } = options;
  let held = await statesOf(fileSystem, options.files);
  let seen: FileStates = new Map(
    [...held].map(([path, state]) => [path, state && state.changedAt < readSince ? state : undefined]),
  );

  const readOnce = async (): Promise<Reading> => {
    const before = await statesOf(fileSystem, seen.keys());
    const opened = new Set<string>();
    const outcome = await outcomeOf(options.read((path) => opened.add(path)));
    const unfinished = await unfinishedFiles(fileSystem, opened, before, held);
    const after = await statesOf(fileSystem, new Set([...held.keys(), ...opened]));
    // Of a file that was not known before, there is no earlier state.
    seen = new Map([...after].map(([path, state]) => [path, before.has(path) ? before.get(path) : state]));
    const steady = [...after.keys()].every((path) => before.has(path)) && sameStates(seen, after);
    return { outcome, steady, unfinished };
  };
  const hold = (outcome: ReloadOutcome<ReadTables>): ReloadOutcome<ReadTables> => {
    if (outcome.kind === "read") {
      const { files } = outcome.tables;
      held = new Map(files.map((path) => [path, seen.get(path)]));
      seen = held;
    }
    return outcome;
  };
  const changed = async (): Promise<boolean> =>
    !sameStates(seen, await statesOf(fileSystem, [...seen.keys()]));

  const readSettled = async (unwanted: AbortSignal): Promise<ReloadOutcome<ReadTables>> => {
    for (let readings = 0; readings < MAX_READINGS; readings++) {
      const busy = await untilQuiet({ fileSystem, clock }, [...seen.keys()], unwanted);
      if (unwanted.aborted) return { kind: "nothing" };
      if (busy !== undefined)
        return wrong(`table ${busy} is still being written: its next change is waited for, ${AS_IT_IS}`);
      const { outcome, steady, unfinished } = await readOnce();
      if (!steady) continue;
      return unfinished.length > 0 ? wrong(...unfinished) : hold(outcome);
    }
    return wrong(
      `the tables changed each of ${MAX_READINGS} times that they were read: their next change is waited for, ${AS_THEY_ARE}`,
    );
  };

  return {
    async read(cause, unwanted) {
      if (cause === "signal") return hold((await readOnce()).outcome);
      // The change was read already, by a reload that was under way when it was noticed.
      return (await changed()) ? await readSettled(unwanted) : { kind: "nothing" };
    },
    files: () => [...seen.keys()],
    changed,
  };
}

/** Nothing that is wrong with a table may end the service. */
async function outcomeOf(reading: Promise<ReadTables>): Promise<ReloadOutcome<ReadTables>> {
  try {
    return { kind: "read", tables: await reading };
  } catch (error) {
    return wrong(...(error instanceof CommandFailure ? error.message : String(error)).split("\n"));
  }
}

function wrong(...problems: readonly string[]): ReloadOutcome<ReadTables> {
  return { kind: "wrong", problems };
}
