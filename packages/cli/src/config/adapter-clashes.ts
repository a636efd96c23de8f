// Two listeners at one place: the second would find it taken, and call that another program's. Called by check-together.ts.
import { posix } from "node:path";

interface Taken {
  /** As in the file: adapters.policy.listen, or listen. */
  readonly path: readonly PropertyKey[];
  readonly place: unknown;
}

type UnsureMap = Readonly<Record<string, unknown>>;

const MAPS = ["forward", "reverse", "reject"];

/** @param config other settings may be wrong in any way */
export function adapterClashes(
  config: UnsureMap,
): readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] {
  const others: Taken[] = [{ path: ["listen"], place: config.listen }];
  if (isMap(config.http)) others.push({ path: ["http", "listen"], place: config.http.listen });
  const adapters = isMap(config.adapters) ? Object.entries(config.adapters) : [];
  return adapters.flatMap(placesOf).flatMap((own) => {
    const other = others.find(({ place }) => isSame(place, own.place));
    others.push(own);
    if (!other) return [];
    const name = other.path.filter((step) => typeof step === "string").join(".");
    return [{ path: own.path, message: `is where ${name} listens: choose another place` }];
  });
}

function placesOf([name, adapter]: readonly [string, unknown]): readonly Taken[] {
  if (!isMap(adapter)) return [];
  const { listen } = adapter;
  const many = Array.isArray(listen) ? listen : [];
  return [
    ...many.map((place, at) => ({ path: ["adapters", name, "listen", at], place })),
    ...MAPS.map((map) => ({ path: ["adapters", name, map], place: adapter[map] })),
  ];
}

/** Port 0 is another one each time. */
function isSame(a: unknown, b: unknown): boolean {
  if (!isMap(a) || !isMap(b)) return false;
  if (typeof a.path === "string" && typeof b.path === "string")
    return posix.normalize(a.path) === posix.normalize(b.path);
  if (typeof a.host !== "string" || typeof b.host !== "string") return false;
  return a.port === b.port && a.port !== 0 && (covers(a.host, b.host) || covers(b.host, a.host));
}

/** `::` has IPv4, too. */
function covers(wide: string, host: string): boolean {
  return wide === host || wide === "::" || (wide === "0.0.0.0" && !host.includes(":"));
}

function isMap(value: unknown): value is UnsureMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
