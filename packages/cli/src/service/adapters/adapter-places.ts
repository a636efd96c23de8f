// From the settings of an adapter to the places where it listens. Called by adapters.ts.
import type { AdapterName, AdapterPlace } from "@homing/mta-adapters";
import type { AdapterSettings, Place } from "../../config/adapter-settings.ts";
import { accountId } from "./account-ids.ts";

/** A place, and the map that is there where the place tells it. */
export interface NamedPlace {
  readonly place: AdapterPlace;
  readonly map?: "forward" | "reverse" | "reject";
}

/** None where the adapter is not configured. */
export async function placesOf(adapters: AdapterSettings, name: AdapterName): Promise<readonly NamedPlace[]> {
  const settings = adapters[name];
  if (!settings) return [];
  const owner = await idOf("user", settings.owner, `adapters.${name}.owner`);
  const group = await idOf("group", settings.group, `adapters.${name}.group`);
  const mode = Number.parseInt(settings.mode, 8);
  const at = (place: Place): AdapterPlace => ("path" in place ? { ...place, mode, owner, group } : place);
  if ("listen" in settings) return settings.listen.map((place) => ({ place: at(place) }));
  return (["forward", "reverse", "reject"] as const).flatMap((map) => {
    const place = settings[map];
    return place ? [{ place: at(place), map }] : [];
  });
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
