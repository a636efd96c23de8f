// Whether files look as if whoever writes them were done: programs that write in place leave half a file for a moment.
// Called by table-reader.ts.
import { type FileState, type FileStates, statesOf, type TableFileSystem } from "./file-state.ts";

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends early, and does not reject, when it is not wanted any more. */
  readonly wait: (milliseconds: number, unwanted: AbortSignal) => Promise<void>;
}

/** Where files are, and when. */
export interface Disk {
  readonly fileSystem: TableFileSystem;
  readonly clock: Clock;
}

/** No file may have changed so lately. */
export const QUIET_MS = 2_000;
/** A file that is written all the time must be told of. */
const MAX_WAIT_MS = 60_000;
const LF = 0x0a;

/** How an operator has it otherwise. */
export const AS_IT_IS = "or send SIGHUP, as homing reload does, to take it as it is";
export const AS_THEY_ARE = "or send SIGHUP, as homing reload does, to take them as they are";

/** Gives the file that does not come to rest. */
export async function untilQuiet(
  { fileSystem, clock }: Disk,
  paths: readonly string[],
  unwanted: AbortSignal,
): Promise<string | undefined> {
  for (let waited = 0; ; ) {
    const [youngest] = [...(await statesOf(fileSystem, paths))]
      // A clock ahead of ours must not have us wait until we are there.
      .map(([path, state]) => ({ path, age: state ? Math.abs(clock.now() - state.changedAt) : QUIET_MS }))
      .sort((a, b) => a.age - b.age);
    if (!youngest || youngest.age >= QUIET_MS || unwanted.aborted) return undefined;
    if (waited >= MAX_WAIT_MS) return youngest.path;
    const pause = Math.ceil(QUIET_MS - youngest.age);
    await clock.wait(pause, unwanted);
    waited += pause;
  }
}

/** Of the files that are not as they hold: those that somebody may not have finished. */
export async function unfinishedFiles(
  fileSystem: TableFileSystem,
  opened: Iterable<string>,
  now: FileStates,
  held: FileStates,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const path of opened) {
    const [state, before] = [now.get(path), held.get(path)];
    if (!state || state.identity === before?.identity) continue;
    const problem = await unfinished(fileSystem, path, state, before);
    if (problem !== undefined) problems.push(`table ${path} ${problem}, ${AS_IT_IS}`);
  }
  return problems;
}

async function unfinished(
  fileSystem: TableFileSystem,
  path: string,
  { octets }: FileState,
  before: FileState | undefined,
): Promise<string | undefined> {
  if (octets === 0) {
    return before && before.octets > 0 ? "is empty, and was not before: write it again" : undefined;
  }
  if ((await fileSystem.lastOctet(path, octets)) === LF) return undefined;
  return "ends without a line end, as if half of it were missing: end its last line";
}
