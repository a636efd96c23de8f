// What tells whether a file is still the one that was read. Called by table-reader.ts and
// finished-files.ts, which have the file system as an argument.
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";

export interface FileState {
  /** The same only for the same file with the same content and rights. */
  readonly identity: string;
  readonly octets: number;
  /** Milliseconds since 1970: when its content changed last. */
  readonly changedAt: number;
}

/** By path; undefined where there is no file, or none that this user may see. */
export type FileStates = ReadonlyMap<string, FileState | undefined>;

export interface TableFileSystem {
  /** Follows links. */
  state(path: string): Promise<FileState | undefined>;
  /** undefined where it cannot be read. */
  lastOctet(path: string, octets: number): Promise<number | undefined>;
}

export const tableFileSystem: TableFileSystem = {
  async state(path) {
    const status = await stat(path, { bigint: true }).catch(() => undefined);
    if (!status) return undefined;
    // With the time of the last chmod: a file that may be read now is another one.
    const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = status;
    return {
      identity: [dev, ino, size, mtimeNs, ctimeNs].join(":"),
      octets: Number(size),
      changedAt: Number(mtimeMs),
    };
  },
  async lastOctet(path, octets) {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
    if (!file) return undefined;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, octets - 1);
      return bytesRead === 1 ? buffer[0] : undefined;
    } catch {
      return undefined;
    } finally {
      await file.close();
    }
  },
};

/** One after the other: a file system that does not answer shall hold up one thread, not all that mail needs. */
export async function statesOf(files: TableFileSystem, paths: Iterable<string>): Promise<FileStates> {
  const states = new Map<string, FileState | undefined>();
  for (const path of paths) states.set(path, await files.state(path));
  return states;
}

/** Of all paths that either of them has. */
export function sameStates(a: FileStates, b: FileStates): boolean {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return [...paths].every(
    (path) => a.has(path) && b.has(path) && a.get(path)?.identity === b.get(path)?.identity,
  );
}
