// Reads one user's .forward, with the lists that it includes, and checks each file as sendmail does: whose it is, who
// could have written it, where it really is. Called by the reader process (reader-server.ts).
//
// Race-free: a path is walked once, by an open that holds whatever was there (file-access.ts). The checks and the reading
// are of that held file, so a name that changes meanwhile changes nothing. Where the file is comes from the kernel, too:
// the path of the descriptor, without symbolic links, tells whether a link led out of the home.
import { dirname, normalize, relative } from "node:path/posix";
import { printable } from "@homing/srs-core";
import type { FileAccess, FileHold, FileStatus } from "./file-access.ts";
import { asUnavailable, isMissing } from "./file-error.ts";
import {
  type ForwardInclude,
  type ForwardTarget,
  MAX_FORWARD_OCTETS,
  MAX_FORWARD_TARGETS,
  parseForwardFile,
  TOO_MANY_TARGETS,
} from "./forward-file.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";
import type { FindHome, Home } from "./homes.ts";

export interface ReadForwardOptions {
  readonly findHome: FindHome;
  readonly files: FileAccess;
}

const FILE_NAME = ".forward";
/** As sendmail's MAXALIASRECURSION and Postfix's own limits: a chain of lists is no longer by hand. */
const MAX_INCLUDE_DEPTH = 10;
/** Files of one user, since each of them costs several system calls. */
const MAX_FILES = 100;
const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;
/** Of a path in an answer: a user chose it. */
const MAX_SHOWN = 300;

/** Never rejects for what is on the disk: every outcome is a value. */
export function createForwardReader({ findHome, files }: ReadForwardOptions): ForwardReader {
  return {
    async read(user) {
      const found = await findHome(user);
      if (found.kind !== "home") return found;
      const home = await openHome(files, found.home);
      return home.kind === "opened" ? await readAll(files, home) : home;
    },
  };
}

interface OpenedHome {
  readonly kind: "opened";
  /** As configured, for names that users write. */
  readonly name: string;
  /** Without symbolic links. */
  readonly path: string;
  readonly uid: number;
}

/** Above the home, links and modes are the administrator's. */
async function openHome(files: FileAccess, home: Home): Promise<OpenedHome | ForwardAnswer> {
  return await withHold(files, home.path, async (hold) => {
    const status = await hold.status();
    if (status.kind !== "directory") return { kind: "none" };
    return {
      kind: "opened",
      name: normalize(`${home.path}/.`),
      path: await hold.realPath(),
      uid: home.uid ?? status.uid,
    };
  });
}

interface Pending {
  readonly path: string;
  readonly depth: number;
  /** Where it is included; nothing for the .forward itself. */
  readonly from?: ForwardInclude & { readonly file: string };
}

/** The lists in turn, not one inside the other. */
async function readAll(files: FileAccess, home: OpenedHome): Promise<ForwardAnswer> {
  const targets: ForwardTarget[] = [];
  // Each file is read once, however often it is included: that ends circles, too.
  const seen = new Set<string>();
  const pending: Pending[] = [{ path: `${home.path}/${FILE_NAME}`, depth: 0 }];
  for (let next = pending.shift(); next; next = pending.shift()) {
    const { from, depth } = next;
    const read =
      from && !isNamedInside(home, next.path) ? leadsOut(next.path) : await readOne(files, home, next.path);
    if (read.kind === "none") return from ? unparsable(next, "the included file is not there") : read;
    if (read.kind !== "text") return read;
    if (seen.has(read.path)) continue;
    seen.add(read.path);

    const file = relative(home.path, read.path);
    const { problems, includes, ...parsed } = parseForwardFile(read.text);
    if (problems.length > 0)
      return { kind: "unparsable", problems: problems.map((problem) => ({ file, ...problem })) };
    targets.push(...parsed.targets);
    if (targets.length > MAX_FORWARD_TARGETS) return unparsable(next, TOO_MANY_TARGETS);
    if (includes.length > 0 && depth === MAX_INCLUDE_DEPTH) return unparsable(next, TOO_DEEP);
    if (seen.size + pending.length + includes.length > MAX_FILES) return unparsable(next, TOO_MANY_FILES);
    for (const include of includes)
      pending.push({ path: include.path, depth: depth + 1, from: { ...include, file } });
  }
  return { kind: "targets", targets };
}

const TOO_DEEP = "more than 10 lists, each included by the one before: write the addresses into one of them";
const TOO_MANY_FILES = "more than 100 lists are included: join them";

function unparsable({ from }: Pending, message: string): ForwardAnswer {
  const { file = FILE_NAME, line = 1, column = 1 } = from ?? {};
  return { kind: "unparsable", problems: [{ file, line, column, message }] };
}

type ReadFile = { readonly kind: "text"; readonly path: string; readonly text: string } | ForwardAnswer;

async function readOne(files: FileAccess, home: OpenedHome, path: string): Promise<ReadFile> {
  return await withHold<ReadFile>(files, path, async (hold) => {
    const real = await hold.realPath();
    if (!isInside(home.path, real)) return leadsOut(path);
    // Before it is opened: opening a device can already do something.
    const held = await hold.status();
    if (held.kind !== "file") return unsafe(path, NOT_REGULAR);
    const folder = await folderFault(files, home, real);
    if (folder) return folder;
    const file = await hold.open();
    try {
      const status = await file.status();
      if (status.links === 0) return { kind: "unavailable", cause: `${path}: replaced while it was read` };
      const fault = faultOf(status, home.uid);
      if (fault) return unsafe(path, fault);
      const content = await file.read(MAX_FORWARD_OCTETS + 1);
      if (content.length > MAX_FORWARD_OCTETS) return unsafe(path, TOO_LARGE);
      return { kind: "text", path: real, text: content.toString() };
    } finally {
      await file.close();
    }
  });
}

const NOT_REGULAR = "it is not a regular file";
const TOO_LARGE = "it is larger than 64 KiB";

function faultOf(status: FileStatus, uid: number): string | undefined {
  if (status.kind !== "file") return NOT_REGULAR;
  if (status.uid !== uid && status.uid !== ROOT) return "neither the user nor root owns it";
  // A user can give a second name to a file of root that he cannot read, and has us read it.
  if (status.uid !== uid && status.links > 1)
    return "it is root's and has another name elsewhere (hard link)";
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0) return "its group or others can write to it: chmod go-w";
  return status.octets > MAX_FORWARD_OCTETS ? TOO_LARGE : undefined;
}

/** From the file's folder up to the home: who may write to one of them may put another file there. */
async function folderFault(
  files: FileAccess,
  home: OpenedHome,
  real: string,
): Promise<ForwardAnswer | undefined> {
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    const status = await withHold(files, folder, (hold) => hold.status());
    if (!("mode" in status)) {
      // The file was in it a moment ago.
      return status.kind === "none"
        ? { kind: "unavailable", cause: `${folder}: moved while it was read` }
        : status;
    }
    if (status.uid !== home.uid && status.uid !== ROOT)
      return unsafe(folder, "neither the user nor root owns this folder");
    if ((status.mode & WRITABLE_BY_OTHERS) !== 0)
      return unsafe(folder, "its group or others can write to this folder: chmod go-w");
    if (folder === home.path || folder === "/") return undefined;
  }
}

/** By its name alone: what lies elsewhere is not even looked for. Links are followed later, and seen through. */
function isNamedInside(home: OpenedHome, path: string): boolean {
  const name = normalize(path);
  return isInside(home.path, name) || isInside(home.name, name);
}

function isInside(home: string, path: string): boolean {
  return path.startsWith(home.endsWith("/") ? home : `${home}/`);
}

function leadsOut(path: string): ForwardAnswer {
  return unsafe(path, "it leads out of the home");
}

function unsafe(path: string, why: string): ForwardAnswer {
  return { kind: "unsafe", path: printable(path, MAX_SHOWN), why };
}

/** The system's errors become values here; the hold ends in every case. */
async function withHold<T>(
  files: FileAccess,
  path: string,
  use: (hold: FileHold) => Promise<T>,
): Promise<T | ForwardAnswer> {
  const name = printable(path, MAX_SHOWN);
  let hold: FileHold;
  try {
    hold = await files.hold(path);
  } catch (error) {
    return isMissing(error) ? { kind: "none" } : asUnavailable(name, error);
  }
  try {
    return await use(hold);
  } catch (error) {
    // It was there: ENOENT from here on is not the user's wish, but for instance a /proc that is not mounted.
    return asUnavailable(name, error);
  } finally {
    await hold.close();
  }
}
