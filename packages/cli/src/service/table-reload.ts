// Keeps the route tables of a running forwarder true: SIGHUP, or a change of a table's file, reads them again. Called by
// `homing serve`.
import { setTimeout as delay } from "node:timers/promises";
import type { Forwarder } from "@homing/forwarder";
import type { ReadTables } from "../route-tables.ts";
import { unixMilliseconds } from "../time.ts";
import type { Hangups } from "../until-signal.ts";
import { tableFileSystem } from "./file-state.ts";
import type { Clock } from "./finished-files.ts";
import { pollFiles } from "./poll-files.ts";
import { createReloader } from "./reload.ts";
import { createTableReader, type TableReaderOptions } from "./table-reader.ts";
import { watchFiles } from "./watch-files.ts";

export interface TableReloadOptions extends Pick<TableReaderOptions, "files" | "readSince" | "read"> {
  readonly forwarder: Pick<Forwarder, "replaceTables">;
  readonly hangups: Hangups;
  readonly log: (event: object) => void;
  readonly pollMs?: number;
  readonly clock?: Clock;
}

export interface TableReload {
  /** Reads and swaps no more. Does not wait for a file that is being read: it may never answer. */
  close(): void;
  /** Resolves when no file is being looked at. */
  idle(): Promise<unknown>;
}

const POLL_MS = 10_000;

const systemClock: Clock = {
  now: unixMilliseconds,
  wait: (milliseconds, unwanted) => delay(milliseconds, undefined, { signal: unwanted }).catch(() => {}),
};

export async function startTableReload(options: TableReloadOptions): Promise<TableReload> {
  const { forwarder, hangups, log, pollMs = POLL_MS, clock = systemClock } = options;
  const reader = await createTableReader({ ...options, fileSystem: tableFileSystem, clock });
  const request = (): void => reloader.request("file");
  const watching = watchFiles(request, (folder, error) =>
    log({ event: "not-watched", folder, message: error.message }),
  );
  const reloader = createReloader<ReadTables>({
    read: reader.read,
    taken(cause, { tables, files }) {
      forwarder.replaceTables(tables);
      watching.files(files);
      const { addresses, catchAlls, names, aliases } = tables;
      const entries = addresses.size + catchAlls.size + names.size + aliases.size;
      log({ event: "reloaded", cause, files: files.length, entries });
    },
    refused(cause, problems) {
      watching.files(reader.files());
      log({ event: "not-reloaded", cause, problems });
    },
  });
  const polling = pollFiles(reader.changed, request, pollMs);
  watching.files(reader.files());
  hangups.listen(() => reloader.request("signal"));
  return {
    close() {
      polling.close();
      watching.close();
      reloader.close();
    },
    idle: () => Promise.all([polling.idle(), reloader.idle()]),
  };
}
