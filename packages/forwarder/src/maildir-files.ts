// What a maildir asks of the file system, as an argument: tests let a disk be full. Called by maildir.ts.
import { mkdir, link as nodeLink, open, unlink } from "node:fs/promises";

/** All reject with a system error, but `remove`. */
export interface MaildirFiles {
  /** Makes a new file that its owner alone may read, and returns when all of it is on disk. Leaves nothing on an error. */
  write(path: string, content: AsyncIterable<Buffer>): Promise<void>;
  link(from: string, to: string): Promise<void>;
  /** For the owner alone. One that is there is as good. */
  makeFolder(path: string): Promise<void>;
  /** Returns when the entries of a folder are on disk. */
  sync(folder: string): Promise<void>;
  /** Best effort. Readers clear what is left in `tmp` after 36 hours. */
  remove(path: string): Promise<void>;
}

export const SYSTEM_FILES: MaildirFiles = {
  async write(path, content) {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
      // NFS may tell here that the quota is used up.
      await file.close();
    } catch (error) {
      await file.close().catch(() => {});
      await SYSTEM_FILES.remove(path);
      throw error;
    }
  },

  link: nodeLink,

  async makeFolder(path) {
    try {
      await mkdir(path, 0o700);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  },

  async sync(folder) {
    const opened = await open(folder, "r");
    try {
      await opened.sync();
    } finally {
      await opened.close();
    }
  },

  async remove(path) {
    await unlink(path).catch(() => {});
  },
};
