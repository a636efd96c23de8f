// Reads one user's .forward, with the lists that it includes, and checks each file as sendmail does: whose it is, who
// could have written it, where it really is. Called by the reader process (reader-server.ts).
//
// Race-free: a path is walked once, by an open that holds whatever was there (file-access.ts). The checks and the reading
// are of that held file, so a name that changes meanwhile changes nothing. Where the file is comes from the kernel, too:
// the path of the descriptor, without symbolic links, tells whether a link led out of the home.
//
// Answers name files as the user does, ~/.forward: a home's path would put the user's name into every log.
import { dirname, normalize } from "node:path/posix";
import { printable } from "@homing/srs-core";
import type { FileAccess, FileHold, FileStatus } from "./file-access.ts";
import { asUnavailable, isMissing, unavailable } from "./file-error.ts";
import {
  type ForwardInclude,
  MAX_FORWARD_OCTETS,
  MAX_FORWARD_TARGETS,
  type PlacedForwardTarget,
  parseForwardFile,
  TOO_MANY_TARGETS,
} from "./forward-file.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";
import type { FindHome, Home } from "./homes.ts";
import { readSettled } from "./read-settled.ts";

export interface ReadForwardOptions {
  readonly findHome: FindHome;
  readonly files: FileAccess;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const FILE_NAME = ".forward";
/** As sendmail's MAXALIASRECURSION and Postfix's own limits: a chain of lists is no longer by hand. */
const MAX_INCLUDE_DEPTH = 10;
/** Files of one user, since each of them costs several system calls. */
const MAX_FILES = 100;
const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;
/** Of a name in an answer: a user chose it. */
const MAX_SHOWN = 300;
/** Each of 1,000 targets has it. */
const MAX_PLACE_SHOWN = 60;

/** Never rejects for what is on the disk: every outcome is a value. */
export function createForwardReader({ findHome, ...disk }: ReadForwardOptions): ForwardReader {
  return {
    async read(user) {
      const found = await findHome(user);
      if (found.kind !== "home") return found;
      const opened = await openHome(disk, found.home);
      if (opened.kind === "opened") return await readAll(disk, opened);
      // Without a passwd file, the home is all that there is of a user.
      return opened.kind === "none" && found.home.uid === undefined ? { kind: "no-user" } : opened;
    },
  };
}

type Disk = Omit<ReadForwardOptions, "findHome">;

const HOME = "~";

interface OpenedHome {
  readonly kind: "opened";
  /** As configured, for names that users write. */
  readonly name: string;
  /** Without symbolic links. */
  readonly path: string;
  readonly uid: number;
}

/** Above the home, links and modes are the administrator's. */
async function openHome({ files }: Disk, home: Home): Promise<OpenedHome | ForwardAnswer> {
  return await withHold(files, { path: home.path, name: HOME }, async (hold) => {
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
async function readAll(disk: Disk, home: OpenedHome): Promise<ForwardAnswer> {
  const targets: PlacedForwardTarget[] = [];
  // Each file is read once, however often it is included: that ends circles, too.
  const seen = new Set<string>();
  const pending: Pending[] = [{ path: `${home.path}/${FILE_NAME}`, depth: 0 }];
  for (let next = pending.shift(); next; next = pending.shift()) {
    const { from, depth } = next;
    if (from && !isNamedInside(home, next.path)) return leadsOut(placeOf(from));
    const read = await readOne(disk, home, next.path);
    if (read.kind === "none") return from ? unparsable(next, "the included file is not there") : read;
    if (read.kind !== "text") return read;
    if (seen.has(read.path)) continue;
    seen.add(read.path);

    const file = shown(home, read.path);
    const { problems, includes, ...parsed } = parseForwardFile(read.text);
    if (problems.length > 0)
      return { kind: "unparsable", problems: problems.map((problem) => ({ file, ...problem })) };
    const placed = shown(home, read.path, MAX_PLACE_SHOWN);
    for (const { line, column, ...target } of parsed.targets)
      targets.push({ ...target, place: { file: placed, line, column } });
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

function placeOf({ file, line, column }: NonNullable<Pending["from"]>): string {
  return `${file}:${line}:${column}`;
}

function unparsable({ from }: Pending, message: string): ForwardAnswer {
  const { file = `${HOME}/${FILE_NAME}`, line = 1, column = 1 } = from ?? {};
  return { kind: "unparsable", problems: [{ file, line, column, message }] };
}

type ReadFile = { readonly kind: "text"; readonly path: string; readonly text: string } | ForwardAnswer;

async function readOne({ files, now }: Disk, home: OpenedHome, path: string): Promise<ReadFile> {
  const name = shown(home, path);
  return await withHold<ReadFile>(files, { path, name }, async (hold) => {
    const real = await hold.realPath();
    if (!isInside(home.path, real)) return leadsOut(name);
    // Before it is opened: opening a device can already do something.
    const held = await hold.status();
    if (held.kind !== "file") return unsafe(name, NOT_REGULAR);
    const folder = await folderFault(files, home, real);
    if (folder) return folder;
    const file = await hold.open();
    try {
      const read = await readSettled(file, {
        maxOctets: MAX_FORWARD_OCTETS,
        faultOf: (status) => faultOf(status, home.uid),
        now,
      });
      if (read.kind === "changing") return unavailable(name, "it is being written");
      if (read.kind === "fault") return unsafe(name, read.why);
      if (read.status.links === 0) return unavailable(name, "replaced while it was read");
      if (read.content.length > MAX_FORWARD_OCTETS) return unsafe(name, TOO_LARGE);
      return { kind: "text", path: real, text: read.content.toString() };
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
    const name = shown(home, folder);
    const status = await withHold(files, { path: folder, name }, (hold) => hold.status());
    if (!("mode" in status)) {
      // The file was in it a moment ago.
      return status.kind === "none" ? unavailable(name, "moved while it was read") : status;
    }
    if (status.uid !== home.uid && status.uid !== ROOT)
      return unsafe(name, "neither the user nor root owns this folder");
    if ((status.mode & WRITABLE_BY_OTHERS) !== 0)
      return unsafe(name, "its group or others can write to this folder: chmod go-w");
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

/** A path that is inside the home, by either of the home's names. */
function shown(home: OpenedHome, path: string, maxShown = MAX_SHOWN): string {
  const name = normalize(path);
  if (name === home.path) return HOME;
  const base = [home.path, home.name].find((base) => isInside(base, name)) ?? "";
  const rest = name.slice(base.endsWith("/") ? base.length : base.length + 1);
  return `${HOME}/${printable(rest, maxShown)}`;
}

function leadsOut(name: string): ForwardAnswer {
  return unsafe(name, "it leads out of the home");
}

function unsafe(path: string, why: string): ForwardAnswer {
  return { kind: "unsafe", path, why };
}

interface Named {
  readonly path: string;
  /** As it is told. */
  readonly name: string;
}

/** The system's errors become values here; the hold ends in every case. */
async function withHold<T>(
  files: FileAccess,
  { path, name }: Named,
  use: (hold: FileHold) => Promise<T>,
): Promise<T | ForwardAnswer> {
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
