// The files of one instance: its private /etc, /dev/log and /var, in a fresh folder of the temporary directory.
// Called by instance.ts; namespace.sh puts them in place. Paths here are those that the program sees.

import { chmod, chown, mkdir, mkdtemp, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { addAccounts } from "./accounts.ts";

/** Below /var, which is a plain folder: a socket cannot be connected to through an overlay such as /dev. */
export const SYSLOG_SOCKET = "/var/syslog";

export interface FolderContents {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  /** Text of files below /etc, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folders below /var to make, with the user who owns each. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Folders of this machine, by the name below /var/seen where the program finds them; it cannot write to them. */
  readonly seen?: Readonly<Record<string, string>>;
}

export async function createInstanceFolder(contents: FolderContents): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  // mkdtemp makes 0700, and programs that have changed their user must get in.
  await chmod(folder, 0o755);
  const accounts = addAccounts(
    { passwd: await readFile("/etc/passwd", "utf8"), group: await readFile("/etc/group", "utf8") },
    { users: contents.users ?? [], groups: contents.groups ?? [] },
  );
  const { passwd, group, ids } = accounts;
  await writeFiles(folder, { "/etc/passwd": passwd, "/etc/group": group, ...NO_NETWORK, ...contents.files });
  await makeFolders(folder, { "/var/tmp": "root", "/var/log": "root", ...contents.folders }, ids);
  await chmod(join(folder, "var/tmp"), 0o1777);
  await symlink("/run", join(folder, "var/run"));
  for (const [name, outside] of Object.entries(contents.seen ?? {})) {
    await mkdir(join(folder, "var/seen", name), { recursive: true });
    await mkdir(join(folder, "seen"), { recursive: true });
    await symlink(outside, join(folder, "seen", name));
  }
  await mkdir(join(folder, "dev"));
  await symlink(SYSLOG_SOCKET, join(folder, "dev/log"));
  return folder;
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  // Postfix takes a file that changed within the last seconds for half written, and waits 1.5 s at its start.
  const longAgo = new Date(Date.now() - 60_000);
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await utimes(file, longAgo, longAgo);
  }
}

async function makeFolders(
  folder: string,
  owners: Readonly<Record<string, string>>,
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [path, owner] of Object.entries(owners)) {
    const id = owner === "root" ? 0 : ids.get(owner);
    if (id === undefined) throw new Error(`${path} is to be owned by ${owner}, who is not among the users`);
    await mkdir(join(folder, path), { recursive: true });
    await chown(join(folder, path), id, id);
  }
}

// Names come from the hosts file only. A program that asks DNS itself is refused at once: nothing listens on
// port 53 of this address, whatever the resolvers of this machine listen on (127.0.0.1 and 127.0.0.53 are common).
const NO_NETWORK = {
  "/etc/resolv.conf": "nameserver 127.53.53.53\noptions timeout:1 attempts:1\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n",
  "/etc/hosts": "127.0.0.1 localhost\n",
};
