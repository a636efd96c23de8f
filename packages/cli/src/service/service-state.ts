// The state directory of the service. Called by `homing serve`, before the port is opened.
import { dirname, resolve } from "node:path";
import type { KeptSendersAlarm, State } from "@homing/forwarder";
import type { Config } from "../config/schema.ts";
import { CommandFailure, systemFailure } from "../failure.ts";
import { unixNow } from "../time.ts";

export interface StateEvents {
  /** Told when the disk fails, with the cause, and when it is back. */
  readonly trouble?: (cause: string | undefined) => void;
  /** Told when there is little room for kept senders. */
  readonly manyKeptSenders?: (alarm: KeptSendersAlarm) => void;
}

/** Undefined without a `stateDirectory`. */
export async function openServiceState(
  config: Config,
  configPath: string,
  { trouble = () => {}, manyKeptSenders = () => {} }: StateEvents = {},
): Promise<State | undefined> {
  const folder = stateFolder(config, configPath);
  if (folder === undefined) return undefined;
  // Only here: commands that ask for the folder keep nothing in it.
  const { openState } = await import("@homing/forwarder");
  try {
    const { srs, limits } = config;
    return await openState({
      folder,
      maxAgeDays: srs.maxAgeDays,
      keptSenders: {
        maxSenders: srs.keptSenders,
        maxSendersOfNetwork: srs.keptSendersPerNetwork,
        alarm: manyKeptSenders,
      },
      minFreeOctets: limits.freeOctets,
      now: unixNow,
      trouble,
    });
  } catch (error) {
    const what = `stateDirectory ${folder}`;
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new CommandFailure(
        "config",
        `${what}: the folder above it is not there: make it, or correct the name`,
      );
    if (error instanceof Error && "syscall" in error) throw systemFailure(what, error);
    throw new CommandFailure("unavailable", `${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Relative to the folder of the configuration. */
export function stateFolder({ stateDirectory }: Config, configPath: string): string | undefined {
  return stateDirectory === undefined ? undefined : resolve(dirname(configPath), stateDirectory);
}
