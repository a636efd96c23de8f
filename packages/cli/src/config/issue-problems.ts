// What the schema finds wrong, in words and with the place in the file. Called by load-config.ts.
import { printable } from "@homing/srs-core";
import type * as z from "zod";
import type { ConfigSource, Place, PlacedMessage } from "./config-source.ts";
import { nearestName } from "./nearest-name.ts";
import { everySetting, isOfOurs, namesIn, type Setting, settingAt } from "./setting-tree.ts";

const MAX_SHOWN = 300;
const TOP: Place = { line: 1, column: 1 };

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** @param root the settings that there are */
export function problemsOfIssues(
  issues: readonly Issue[],
  source: ConfigSource,
  root: Setting,
): PlacedMessage[] {
  return issues.flatMap((issue) => {
    const { path } = issue;
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => unknownKey([...path, key], source, root));
      case "invalid_key":
        return issue.issues.map((inner) => told(path, source.namePlace(path), plain(inner)));
      case "invalid_union":
        return problemsOfIssues(inside(path, farthest(issue.errors)), source, root);
      default:
        return [wrongValue(issue, source)];
    }
  });
}

function unknownKey(path: Path, source: ConfigSource, root: Setting): PlacedMessage {
  return told(path, source.namePlace(path), `there is no such setting${insteadOf(path, root)}`);
}

function wrongValue(issue: Issue, source: ConfigSource): PlacedMessage {
  const { path } = issue;
  const place = source.valuePlace(path);
  // A check of ours has words of its own for what is missing.
  if (!place && issue.code !== "custom") return told(path, above(path, source), "is missing: add it");
  const isList = issue.code === "invalid_type" && issue.expected === "string" && source.isBracketed(path);
  const hint = isList ? ": brackets are a list to YAML: put the value in quotes" : "";
  return told(
    path,
    place ?? above(path, source),
    `${plain(issue, path.reduce(member, source.value))}${hint}`,
  );
}

/** Of several forms the one that was meant: where it goes wrong deepest inside. */
function farthest(forms: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (form: readonly Issue[]) => Math.max(...form.map(({ path }) => path.length));
  return forms.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
}

function inside(path: Path, issues: readonly Issue[]): Issue[] {
  return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

/** The name of the map that lacks a setting. */
function above(path: Path, source: ConfigSource): Place {
  if (path.length <= 1) return TOP;
  const parent = path.slice(0, -1);
  return source.namePlace(parent) ?? above(parent, source);
}

/** The setting that was meant; where none is near, those that there are. */
function insteadOf(path: Path, root: Setting): string {
  const key = String(path.at(-1));
  const names = namesIn(settingAt(root, path.slice(0, -1)));
  const beside = nearestName(key, names);
  const near = beside === undefined ? elsewhere(key, root) : [...path.slice(0, -1), beside].join(".");
  if (near !== undefined) return `: did you mean ${printable(near, MAX_SHOWN)}?`;
  return ` (here: ${names.join(", ")}): take it out or correct it`;
}

/** The full name of a setting that stands in another map. */
function elsewhere(key: string, root: Setting): string | undefined {
  for (const [name] of everySetting(root)) {
    if (name.endsWith(`.${key}`) && isOfOurs(name)) return name;
  }
  return undefined;
}

/** Checks of ours have words of their own; these are the schema's. */
function plain(issue: Issue, input?: unknown): string {
  return printable(wordsOf(issue, input), MAX_SHOWN);
}

function wordsOf(issue: Issue, input: unknown): string {
  const { message } = issue;
  if (issue.code === "invalid_value" && message.startsWith("Invalid option: "))
    return noneOf(input, issue.values.map(String));
  if (issue.code === "invalid_type" && message.startsWith("Invalid input: ")) {
    if (issue.expected === "object" || issue.expected === "record")
      return "is no map of settings: write them below it, each as NAME: VALUE";
    if (issue.expected === "array") return "is no list: write it in brackets, as [ONE, ANOTHER]";
  }
  return message.replace(/^Invalid input: /, "");
}

function noneOf(input: unknown, values: readonly string[]): string {
  const near = typeof input === "string" ? nearestName(input, values) : undefined;
  const write = near === undefined ? "write one of them" : `did you mean ${near}?`;
  return `is not one of ${values.map((value) => value || '""').join(", ")}: ${write}`;
}

function member(map: unknown, name: PropertyKey): unknown {
  const isMap = typeof map === "object" && map !== null && Object.hasOwn(map, name);
  return isMap ? (map as Readonly<Record<PropertyKey, unknown>>)[name] : undefined;
}

function told(path: Path, place: Place | undefined, words: string): PlacedMessage {
  const name = printable(path.map(String).join("."), MAX_SHOWN) || "configuration";
  return { ...(place ?? TOP), message: `${name}: ${words}` };
}
