// Compiled code is kept on the disk from one start to the next: a command starts in half the time, and the service takes
// some 35 MB less memory, since nothing has to be translated from TypeScript. Who can write such a folder decides what we
// run: only one that is ours alone is used. Called by homing.js.
import { existsSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { basename, dirname, isAbsolute, join } from "node:path";
import process from "node:process";

/** A service that is killed keeps its code, too. */
const FLUSH_MS = 10_000;
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;
const STICKY = 0o1000;

export function keepCode() {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE } = process.env;
  // Node keeps it already, or must not; coverage of kept code is not exact.
  if (NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE || NODE_V8_COVERAGE) return;
  const folder = codeFolder(process.env);
  if (folder === undefined) return;
  enableCompileCache(folder);
  // For threads and child processes.
  process.env.NODE_COMPILE_CACHE = folder;
  setTimeout(flushCompileCache, FLUSH_MS).unref();
}

/** In the service manager's cache folder, or in the user's (XDG). */
function codeFolder({ CACHE_DIRECTORY, XDG_CACHE_HOME, HOME }) {
  const ofService = CACHE_DIRECTORY?.split(":")[0];
  if (ofService) return made(ofService, ["homing", "code"]);
  if (XDG_CACHE_HOME) return madeWithBase(XDG_CACHE_HOME);
  return HOME && made(HOME, [".cache", "homing", "code"]);
}

/** XDG Base Directory Specification: a folder that is missing is made, for its user alone; below one that is ours, as here. */
function madeWithBase(base) {
  if (!isAbsolute(base)) return undefined;
  const missing = [];
  let above = base;
  for (; !existsSync(above); above = dirname(above)) missing.unshift(basename(above));
  return made(above, [...missing, "homing", "code"]);
}

/** The folder below, made step by step; undefined where one of them is not ours, or others could change or swap it. */
function made(base, steps) {
  if (!isAbsolute(base)) return undefined;
  try {
    // The service manager's is a link where the user is a dynamic one.
    let folder = realpathSync(base);
    if (!isOurs(folder, WRITABLE_BY_OTHERS) || !isSafeAbove(folder)) return undefined;
    for (const step of steps) {
      folder = join(folder, step);
      make(folder);
      // Nobody else reaches what is in the last one, whatever modes Node gives it.
      const forbidden = step === steps.at(-1) ? OPEN_TO_OTHERS : WRITABLE_BY_OTHERS;
      if (!isOurs(folder, forbidden)) return undefined;
    }
    return folder;
  } catch {
    // A disk that is full, or read-only: it goes without.
    return undefined;
  }
}

function make(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}

/** Who is root by sudo may have the home of another. */
function isOurs(folder, forbidden) {
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & forbidden) === 0;
}

/** Nobody but root and us can put something else in its place: of others' names a sticky folder (/tmp) lets nobody dispose. */
function isSafeAbove(folder) {
  const above = dirname(folder);
  const { uid, mode } = lstatSync(above);
  const isSafe =
    (uid === 0 || uid === process.getuid?.()) && ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0);
  return isSafe && (above === folder || above === dirname(above) || isSafeAbove(above));
}
