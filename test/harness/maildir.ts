// Reads what was delivered into a maildir.
// Called by postfix.ts, and by other programs that deliver to maildirs.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./wait.ts";

export interface MaildirWait {
  /** How many messages must be there at least. Default 1. */
  readonly count?: number;
  /** Default 10. */
  readonly seconds?: number;
  /** Put behind the error message when they do not come: the end of a log. */
  readonly explain?: () => Promise<string>;
}

/** The messages in `new`, oldest first, once there are enough of them. */
export async function waitForMaildir(folder: string, options: MaildirWait = {}): Promise<Buffer[]> {
  const { count = 1, seconds = 30, explain = async () => "" } = options;
  let seen = 0;
  return waitFor(
    async () => {
      // Messages enter `new` by rename, so whatever is listed is complete.
      const names = await readdir(join(folder, "new")).catch(() => []);
      seen = names.length;
      return seen >= count ? readAll(join(folder, "new"), names) : undefined;
    },
    { seconds, otherwise: async () => `${seen} of ${count} messages in ${folder}${await explain()}` },
  );
}

async function readAll(folder: string, names: readonly string[]): Promise<Buffer[]> {
  const files = names.map(async (name) => {
    const path = join(folder, name);
    const { mtimeNs } = await stat(path, { bigint: true });
    return { mtimeNs, message: await readFile(path) };
  });
  // A maildir name sorts by second and then by inode, which is no order of arrival.
  const ordered = (await Promise.all(files)).sort((a, b) => (a.mtimeNs < b.mtimeNs ? -1 : 1));
  return ordered.map(({ message }) => message);
}
