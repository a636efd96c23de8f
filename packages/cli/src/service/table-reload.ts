// Keeps the route tables of a running forwarder true: SIGHUP, or a change of a table's file, reads them again. Called by
// `homing serve`.
import process from "node:process";
import type { Forwarder } from "@homing/forwarder";
import { CommandFailure } from "../failure.ts";
import type { ReadTables } from "../route-tables.ts";
import { createReloader } from "./reload.ts";
import { watchFiles } from "./watch-files.ts";

export interface TableReloadOptions {
  readonly forwarder: Pick<Forwarder, "replaceTables">;
  /** Of the tables that hold now. */
  readonly files: readonly string[];
  readonly read: () => Promise<ReadTables>;
  readonly log: (event: object) => void;
}

export interface TableReload {
  /** Listens no more, and waits for the reload that runs. */
  close(): Promise<void>;
}

export function startTableReload({ forwarder, files, read, log }: TableReloadOptions): TableReload {
  const watching = watchFiles(
    () => reloader.request("file"),
    (folder, error) => log({ event: "not-watched", folder, message: error.message }),
  );
  const reloader = createReloader<ReadTables>({
    read,
    apply({ tables, files }) {
      forwarder.replaceTables(tables);
      watching.files(files);
    },
    done(cause, { tables, files }) {
      const { addresses, catchAlls, names, aliases } = tables;
      const entries = addresses.size + catchAlls.size + names.size + aliases.size;
      log({ event: "reloaded", cause, files: files.length, entries });
    },
    failed(cause, error) {
      const message = error instanceof CommandFailure ? error.message : String(error);
      log({ event: "not-reloaded", cause, problems: message.split("\n") });
    },
  });
  const hup = (): void => reloader.request("signal");
  process.on("SIGHUP", hup);
  watching.files(files);
  return {
    async close() {
      process.off("SIGHUP", hup);
      watching.close();
      await reloader.idle();
    },
  };
}
