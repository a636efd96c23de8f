// One message into one maildir, durably: when this says "stored", the message survives a power failure. Readers look
// into `new` at any moment, so a message appears there whole or not at all. Called by local-delivery.ts.
import { join } from "node:path";
import { type MaildirFiles, SYSTEM_FILES } from "./maildir-files.ts";
import type { MaildirFolder } from "./maildir-folder.ts";

export interface MaildirTask {
  readonly folder: MaildirFolder;
  /** The octets of the file, from the beginning each time it is called. */
  readonly content: () => AsyncIterable<Buffer>;
  /** A file name that no message has had in any maildir; another one each time. */
  readonly newName: () => string;
  /** Nobody waits any longer: the message must not appear after that. */
  readonly timeIsUp?: AbortSignal | undefined;
  readonly files?: MaildirFiles;
}

export type MaildirOutcome =
  | { readonly kind: "stored"; readonly name: string }
  /** An errno name of the file system, such as ENOSPC; ETIMEDOUT when the time is up. Nothing is in `new`. */
  | { readonly kind: "failed"; readonly code: string; readonly detail: string };

export async function storeInMaildir(task: MaildirTask): Promise<MaildirOutcome> {
  const files = task.files ?? SYSTEM_FILES;
  try {
    return await store(task, files);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") return failed(error);
  }
  // The first message of a mailbox, or somebody took a folder away. Asking before each message would cost more.
  try {
    await makeMaildir(task.folder, files);
    return await store(task, files);
  } catch (error) {
    return failed(error);
  }
}

async function store(
  { folder, content, newName, timeIsUp }: MaildirTask,
  files: MaildirFiles,
): Promise<MaildirOutcome> {
  const maildir = join(folder.base, ...folder.names);
  const name = newName();
  const written = join(maildir, "tmp", name);
  const stored = join(maildir, "new", name);
  await files.write(written, content());
  try {
    if (timeIsUp?.aborted)
      return { kind: "failed", code: "ETIMEDOUT", detail: "no time left for the delivery" };
    // Not a rename, which would replace a message of the same name.
    await files.link(written, stored);
    await files.sync(join(maildir, "new")).catch(async (error) => {
      await files.remove(stored);
      throw error;
    });
    return { kind: "stored", name };
  } finally {
    await files.remove(written);
  }
}

/**
 * `tmp` comes last: who finds it takes the short way, and may rely on it that the folders around are on disk. A folder
 * that is there already may be another delivery's, not on disk yet.
 */
async function makeMaildir({ base, names }: MaildirFolder, files: MaildirFiles): Promise<void> {
  let folder = base;
  for (const name of names) {
    await files.makeFolder(join(folder, name));
    await files.sync(folder);
    folder = join(folder, name);
  }
  for (const name of ["cur", "new"]) await files.makeFolder(join(folder, name));
  await files.sync(folder);
  await files.makeFolder(join(folder, "tmp"));
}

function failed(error: unknown): MaildirOutcome {
  const code = systemCode(error);
  // Anything else is a bug, and not the file system's word.
  if (code === undefined) throw error;
  return { kind: "failed", code, detail: error instanceof Error ? error.message : code };
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : undefined;
}
