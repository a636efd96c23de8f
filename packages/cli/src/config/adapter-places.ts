// The adapters and their places in the configuration, in one order. No schema: a service that runs has no use for one. Called by
// adapter-warnings.ts and by the service.
import type { AdapterName } from "@homing/mta-adapters";
import type { AdapterSettings, Place } from "./adapter-settings.ts";

export const ADAPTER_NAMES: readonly AdapterName[] = [
  "socketmap",
  "tcpTables",
  "policy",
  "milter",
  "spfd",
  "readsocket",
];

export interface ConfiguredPlace {
  readonly place: Place;
  /** For messages: `adapters.policy.listen`. */
  readonly setting: string;
  /** Where the place tells it. */
  readonly map?: "forward" | "reverse" | "reject";
}

/** None where the adapter is not configured. */
export function configuredPlaces(adapters: AdapterSettings, name: AdapterName): readonly ConfiguredPlace[] {
  const settings = adapters[name];
  if (!settings) return [];
  if ("listen" in settings)
    return settings.listen.map((place) => ({ place, setting: `adapters.${name}.listen` }));
  return (["forward", "reverse", "reject"] as const).flatMap((map) => {
    const place = settings[map];
    return place ? [{ place, setting: `adapters.${name}.${map}`, map }] : [];
  });
}
