// Compiled code is kept on the disk from one start to the next: a command starts in half the time, and the service takes
// some 35 MB less memory, since nothing has to be translated from TypeScript. Who can write such a folder decides what we
// run: only one that is ours alone is used. Called by homing.js.
import { mkdirSync, statSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { isAbsolute, join } from "node:path";
import process from "node:process";

/** A service that is killed keeps its code, too. */
const FLUSH_MS = 10_000;
const WRITABLE_BY_OTHERS = 0o022;

export function keepCode() {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = process.env;
  // Node keeps it already, or must not.
  if (NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE) return;
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
  if (ofService) return made(ofService, "code");
  return XDG_CACHE_HOME ? made(XDG_CACHE_HOME, "homing/code") : HOME && made(HOME, ".cache/homing/code");
}

function made(base, path) {
  const folder = join(base, path);
  try {
    if (!isOurs(base)) return undefined;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOurs(folder) ? folder : undefined;
  } catch {
    // A disk that is full, or read-only: it goes without.
    return undefined;
  }
}

/** And nobody else can change what is in it: who is root by sudo may have the home of another. */
function isOurs(folder) {
  const { uid, mode } = statSync(folder);
  return isAbsolute(folder) && uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
}
