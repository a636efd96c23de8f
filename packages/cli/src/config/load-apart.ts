// The configuration, read in a process that ends: what reads it, YAML and schema, takes 20 MB, and a small service that runs
// for months has no use for it. (A thread that ends leaves its memory behind.) Called by `homing adapters`.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CommandFailure, type FailureReason } from "../failure.ts";
import type { Config } from "./schema.ts";

export type LoadedApart =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string };

/** As `loadConfig`, with the same failures. */
export async function loadConfigApart(path: string): Promise<Config> {
  const program = fileURLToPath(new URL("./load-apart-process.ts", import.meta.url));
  // Advanced: values that JSON does not have stay what they are.
  const reader = fork(program, [path], { serialization: "advanced" });
  const ended = once(reader, "exit").then(([code, signal]) => {
    throw new Error(`what reads ${path} ended by itself: ${signal ?? `exit code ${code}`}`);
  });
  ended.catch(() => {});
  const [loaded] = (await Promise.race([once(reader, "message"), ended])) as [LoadedApart];
  if (loaded.ok) return loaded.config;
  throw new CommandFailure(loaded.reason, loaded.message);
}
