// The process of load-apart.ts: reads one configuration, tells it to its parent, and ends.
import process from "node:process";
import { CommandFailure } from "../failure.ts";
import type { LoadedApart } from "./load-apart.ts";
import { loadConfig } from "./load-config.ts";

async function loaded(path: string): Promise<LoadedApart> {
  try {
    return { ok: true, config: await loadConfig(path) };
  } catch (error) {
    if (error instanceof CommandFailure) return { ok: false, reason: error.reason, message: error.message };
    throw error;
  }
}

const [path = ""] = process.argv.slice(2);
process.send?.(await loaded(path), () => process.disconnect());
