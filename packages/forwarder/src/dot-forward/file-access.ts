// The few file operations that reading a .forward needs, so that tests can have a disk fail. Linux: a file is first held
// by O_PATH, which opens nothing, then opened through /proc/self/fd. Called by read-forward.ts and homes.ts.
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";

export interface FileStatus {
  readonly kind: "file" | "directory" | "other";
  readonly uid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Names that the file has. None: it was removed. */
  readonly links: number;
  readonly octets: number;
  /** When its content was changed, in Unix milliseconds. */
  readonly modifiedMs: number;
  /** The same only while it is the same file with the same content. */
  readonly version: string;
}

export interface FileHold {
  /** Of what is held, whatever its name leads to by now. */
  status(): Promise<FileStatus>;
  /** Where it is now, without any symbolic link. */
  realPath(): Promise<string>;
  /** The same file, to be read. */
  open(): Promise<OpenFile>;
  close(): Promise<void>;
}

export interface OpenFile {
  status(): Promise<FileStatus>;
  /** No more than the first `maxOctets`, each time from the beginning. */
  read(maxOctets: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Every method rejects with the system's error. */
export interface FileAccess {
  /** Follows symbolic links. No device notices, and a FIFO does not wait for a writer. */
  hold(path: string): Promise<FileHold>;
  /** For a file that the operator named. */
  open(path: string): Promise<OpenFile>;
}

/** Linux, all machines that Node runs on; node:fs does not name it. */
const O_PATH = 0x200000;
// Nothing but a regular file is opened. These make sure that nothing else could make us wait or give us a terminal.
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export const systemFiles: FileAccess = {
  async hold(path) {
    const handle = await open(path, O_PATH);
    // The kernel's own name for what this descriptor holds.
    const name = `/proc/self/fd/${handle.fd}`;
    return {
      status: () => statusOf(handle),
      realPath: () => readlink(name),
      open: async () => opened(await open(name, READ)),
      close: () => handle.close(),
    };
  },
  async open(path) {
    return opened(await open(path, READ));
  },
};

function opened(handle: FileHandle): OpenFile {
  return {
    status: () => statusOf(handle),
    read: (maxOctets) => readUpTo(handle, maxOctets),
    close: () => handle.close(),
  };
}

/** Its size is what somebody said: what is read is counted. */
async function readUpTo(handle: FileHandle, maxOctets: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let left = maxOctets;
  while (left > 0) {
    const piece = Buffer.alloc(Math.min(left, 64 * 1024));
    const { bytesRead, buffer } = await handle.read(piece, 0, piece.length, maxOctets - left);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(parts);
}

async function statusOf(handle: FileHandle): Promise<FileStatus> {
  const stat = await handle.stat({ bigint: true });
  return {
    kind: kindOf(stat),
    uid: Number(stat.uid),
    mode: Number(stat.mode & 0o7777n),
    links: Number(stat.nlink),
    octets: Number(stat.size),
    modifiedMs: Number(stat.mtimeMs),
    version: [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(":"),
  };
}

function kindOf(stat: BigIntStats): FileStatus["kind"] {
  if (stat.isFile()) return "file";
  return stat.isDirectory() ? "directory" : "other";
}
