// From the settings of an adapter to the places where it listens. Called by adapters.ts.
import type { AdapterName, AdapterPlace } from "@homing/mta-adapters";
import { type ConfiguredPlace, configuredPlaces } from "../../config/adapter-places.ts";
import type { AdapterSettings } from "../../config/adapter-settings.ts";
import { accountId } from "./account-ids.ts";

/** With the numbers of its accounts. */
export interface NamedPlace extends Omit<ConfiguredPlace, "place"> {
  readonly place: AdapterPlace;
}

/** None where the adapter is not configured. */
export async function placesOf(adapters: AdapterSettings, name: AdapterName): Promise<readonly NamedPlace[]> {
  const settings = adapters[name];
  if (!settings) return [];
  const owner = await idOf("user", settings.owner, `adapters.${name}.owner`);
  const group = await idOf("group", settings.group, `adapters.${name}.group`);
  const mode = Number.parseInt(settings.mode, 8);
  return configuredPlaces(adapters, name).map(({ place, ...named }) => ({
    ...named,
    place: "path" in place ? { ...place, mode, owner, group } : place,
  }));
}

async function idOf(
  kind: "user" | "group",
  account: string | number | undefined,
  setting: string,
): Promise<number | undefined> {
  return account === undefined ? undefined : await accountId(kind, account, setting);
}

export function renderPlace(place: AdapterPlace): string {
  if ("path" in place) return `unix:${place.path}`;
  return place.host.includes(":") ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}
