// Tells when one of some files has changed. The folders are watched, because editors and package managers replace files
// instead of writing into them. Called by `homing serve`.
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

export interface FileWatch {
  /** Other files from now on. */
  files(paths: readonly string[]): void;
  close(): void;
}

/** Whoever changes a file writes it in several steps. */
const QUIET_MS = 300;

/** @param failed is told of a folder that cannot be watched: SIGHUP remains */
export function watchFiles(changed: () => void, failed: (folder: string, error: Error) => void): FileWatch {
  const watched = new Map<string, { readonly watcher: FSWatcher; names: ReadonlySet<string> }>();
  let timer: NodeJS.Timeout | undefined;

  const notice = (folder: string, name: string | null): void => {
    if (name !== null && watched.get(folder)?.names.has(name) !== true) return;
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET_MS);
  };
  const forget = (folder: string): void => {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  };
  const begin = (folder: string, names: ReadonlySet<string>): void => {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => notice(folder, name));
      watcher.on("error", (error) => {
        forget(folder);
        failed(folder, error);
      });
      watched.set(folder, { watcher, names });
    } catch (error) {
      failed(folder, error as Error);
    }
  };

  return {
    files(paths) {
      const byFolder = Map.groupBy(paths, (path) => dirname(path));
      for (const folder of watched.keys()) if (!byFolder.has(folder)) forget(folder);
      for (const [folder, inFolder] of byFolder) {
        const names = new Set(inFolder.map((path) => basename(path)));
        const known = watched.get(folder);
        if (known) known.names = names;
        else begin(folder, names);
      }
    },
    close() {
      clearTimeout(timer);
      for (const folder of [...watched.keys()]) forget(folder);
    },
  };
}
