// A pid file in the place of another file, which it would write over. Told beside other mistakes, so that it reads what
// stands in the file, and not what the schema makes of it. Called by load-config.ts.
import { dirname, resolve } from "node:path";
import type { ConfigSource, PlacedMessage } from "./config-source.ts";

/** All that the configuration names, and the service reads. */
const OTHERS: readonly (readonly string[])[] = [
  ["aliasesFile"],
  ["virtualFile"],
  ["srs", "secretsFile"],
  ["dotForward", "socket"],
  ["authentication", "trustedForwardersFile"],
  ["authentication", "arc", "keyFile"],
  ["submission", "usersFile"],
  ["onBehalf", "keysFile"],
];

/** @param path of the configuration */
export function fileClashes(source: ConfigSource, path: string): PlacedMessage[] {
  const folder = dirname(resolve(path));
  const whole = (steps: readonly string[]): string | undefined => {
    const file = valueAt(source.value, steps);
    return typeof file === "string" && file !== "" ? resolve(folder, file) : undefined;
  };
  const pidFile = whole(["pidFile"]);
  const place = source.valuePlace(["pidFile"]);
  if (pidFile === undefined || !place) return [];
  const other = OTHERS.find((steps) => whole(steps) === pidFile);
  const clash = pidFile === resolve(path) ? "the configuration itself" : other?.join(".");
  if (clash === undefined) return [];
  return [{ ...place, message: `pidFile: is ${clash}, and would be written over: name a file of its own` }];
}

function valueAt(value: unknown, [step, ...more]: readonly string[]): unknown {
  if (step === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return valueAt((value as Record<string, unknown>)[step], more);
}
