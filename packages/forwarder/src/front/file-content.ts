// A message too large for memory: its first octets in memory, the others in a file that has no name any more, so that
// nothing is left behind however we end. Written by read-message.ts; whoever delivers reads it as a Content.
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Content, countedHolds } from "@homing/mail";

const READ_OCTETS = 64 * 1024;
/** Names that a process of the same number may have left, if it ended between two system calls. */
const MAX_LEFT_BEHIND = 1000;

let files = 0;

/** Creates a file that only its handle knows. Rejects with the system's error. */
export async function openNamelessFile(folder: string): Promise<FileHandle> {
  for (let tries = 1; ; tries++) {
    const path = join(folder, `.message-${process.pid}-${++files}`);
    try {
      // Exclusive: a symbolic link that waits there is not followed.
      const file = await open(path, "wx+", 0o600);
      try {
        await unlink(path);
        return file;
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries >= MAX_LEFT_BEHIND) throw error;
    }
  }
}

/** @param start the octets before those in the file */
export function fileContent(start: Buffer, file: FileHandle, octets: number, letGo: () => void): Content {
  return {
    octets,
    start,
    async *pieces() {
      yield start;
      const inFile = octets - start.length;
      for (let at = 0; at < inFile; ) {
        const piece = Buffer.allocUnsafe(Math.min(READ_OCTETS, inFile - at));
        // At a place of its own, so that several can read at the same time.
        const { bytesRead } = await file.read(piece, 0, piece.length, at);
        if (bytesRead === 0) throw new Error("a message's temporary file is shorter than what was written");
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    },
    ...countedHolds(() => {
      // Nothing was promised about it: that it cannot be closed hurts nobody.
      void file.close().catch(() => {});
      letGo();
    }),
  };
}
