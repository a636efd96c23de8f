// What would prevent the adapters from starting, beside their ports: accounts and files that the configuration names. Called by
// `homing config check`.
import { dirname, resolve } from "node:path";
import type { Config } from "../../config/schema.ts";
import { placesOf } from "./adapter-places.ts";
import { ADAPTER_NAMES } from "./adapters.ts";
import { watchOwnDomains } from "./own-domains.ts";

/** Rejects with the CommandFailure of the start. */
export async function checkAdapters(config: Config, configPath: string): Promise<void> {
  const { adapters } = config;
  if (!adapters) return;
  for (const name of ADAPTER_NAMES) await placesOf(adapters, name);
  const own = await watchOwnDomains({ config, folder: dirname(resolve(configPath)), log: () => {} });
  own.close();
}
