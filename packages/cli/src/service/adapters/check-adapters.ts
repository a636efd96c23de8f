// What would prevent the adapters from starting, beside ports that are taken: accounts and files that the configuration names,
// and folders of their sockets. Called by `homing config check`.
import { dirname, resolve } from "node:path";
import { ADAPTER_NAMES } from "../../config/adapter-places.ts";
import type { Config } from "../../config/schema.ts";
import { CommandFailure, obstacleAt } from "../../failure.ts";
import { placesOf, renderPlace } from "./adapter-places.ts";
import { watchOwnDomains } from "./own-domains.ts";

/** Rejects with the CommandFailure of the start. */
export async function checkAdapters(config: Config, configPath: string): Promise<void> {
  const { adapters } = config;
  if (!adapters) return;
  for (const name of ADAPTER_NAMES) {
    for (const { place, setting } of await placesOf(adapters, name)) {
      const path = "path" in place ? place.path : undefined;
      // Folders there are made by the unit when it starts (RuntimeDirectory=).
      const obstacle = path === undefined || path.startsWith("/run/") ? undefined : obstacleAt(path);
      if (obstacle !== undefined)
        throw new CommandFailure("config", `${setting}: ${renderPlace(place)}: ${obstacle}`);
    }
  }
  const own = await watchOwnDomains({ config, folder: dirname(resolve(configPath)), log: () => {} });
  own.close();
}
