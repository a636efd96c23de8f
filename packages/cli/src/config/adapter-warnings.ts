// What is allowed in the map `adapters`, and seldom meant. Told at the start and by `homing config check`.
import type { AdapterName } from "@homing/mta-adapters";
import { ADAPTER_NAMES, configuredPlaces } from "./adapter-places.ts";
import type { AdapterSettings } from "./adapter-settings.ts";

/** What they answer makes any sender one of ours. */
const SIGNING: readonly AdapterName[] = ["socketmap", "tcpTables", "milter", "readsocket"];
const OF_SOCKETS = ["owner", "group"] as const;
const DEFAULT_MODE = "0660";

/** @param names those that are started @returns in words */
export function adapterWarnings(
  adapters: AdapterSettings | undefined,
  names: readonly AdapterName[] = ADAPTER_NAMES,
): readonly string[] {
  if (!adapters) return [];
  return names.flatMap((name) => [...openWarnings(adapters, name), ...modeWarnings(adapters, name)]);
}

function openWarnings(adapters: AdapterSettings, name: AdapterName): readonly string[] {
  if (!SIGNING.includes(name)) return [];
  return configuredPlaces(adapters, name).flatMap(({ setting, place }) =>
    "path" in place || isLoopback(place.host)
      ? []
      : [
          `warning: ${setting}: ${place.host} is open to other machines, and whoever may ask can have any sender signed: ` +
            "write 127.0.0.1 or unix:/path, or let a firewall choose who asks",
        ],
  );
}

function modeWarnings(adapters: AdapterSettings, name: AdapterName): readonly string[] {
  const settings = adapters[name];
  const places = configuredPlaces(adapters, name);
  if (!settings || places.length === 0 || places.some(({ place }) => "path" in place)) return [];
  const set = OF_SOCKETS.filter((one) => settings[one] !== undefined);
  const all = settings.mode === DEFAULT_MODE ? set : ["mode", ...set];
  if (all.length === 0) return [];
  return [
    `warning: adapters.${name}: ${all.join(", ")}: of UNIX sockets, and here are TCP ports alone, which every user of ` +
      "the machine may ask: write unix:/path, or take that out",
  ];
}

/** Another name may be any machine's. */
function isLoopback(host: string): boolean {
  return host === "::1" || host === "localhost" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
