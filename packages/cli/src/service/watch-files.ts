// Tells when one of some files has changed. The folders are watched, because editors and package managers replace files
// instead of writing into them. Called by table-reload.ts, which polls beside: a watch does not see everything.
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

export interface FileWatch {
  /** These files from now on, in the folders that have their names now. */
  files(paths: readonly string[]): void;
  close(): void;
}

/** Whoever changes a file writes it in several steps. */
const QUIET_MS = 300;

/** @param failed is told of a folder that cannot be watched, once until it can */
export function watchFiles(changed: () => void, failed: (folder: string, error: Error) => void): FileWatch {
  const watchers = new Map<string, FSWatcher>();
  const failing = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const notice = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET_MS);
  };
  const fail = (folder: string, error: Error): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
    if (!failing.has(folder)) failed(folder, error);
    failing.add(folder);
  };
  const begin = (folder: string, names: ReadonlySet<string>): void => {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || names.has(name)) notice();
      });
      watcher.on("error", (error) => fail(folder, error));
      watchers.set(folder, watcher);
      failing.delete(folder);
    } catch (error) {
      fail(folder, error as Error);
    }
  };
  const forget = (): void => {
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };

  return {
    files(paths) {
      // All anew: a watch stays with a folder that was moved away.
      forget();
      const byFolder = Map.groupBy(paths, (path) => dirname(path));
      for (const folder of failing) if (!byFolder.has(folder)) failing.delete(folder);
      for (const [folder, inFolder] of byFolder)
        begin(folder, new Set(inFolder.map((path) => basename(path))));
    },
    close() {
      clearTimeout(timer);
      forget();
    },
  };
}
