// Reads homing.yaml: all mistakes in one run, in the order of the file, each as `file:line:col setting: what, why, fix`.
// Called by `homing serve` and `homing config`.
import { readFile } from "node:fs/promises";
import { systemFailure } from "../failure.ts";
import { configFailure } from "./config-problem.ts";
import { type ConfigSource, type Place, type PlacedMessage, readConfigSource } from "./config-source.ts";
import { fileClashes } from "./file-clashes.ts";
import { type GoodParts, goodParts } from "./good-parts.ts";
import { problemsOfIssues } from "./issue-problems.ts";
import { type Config, configSchema } from "./schema.ts";
import { settingTree } from "./setting-tree.ts";

export { configFailure } from "./config-problem.ts";

export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly source: ConfigSource }
  | {
      readonly ok: false;
      /** At least one. */
      readonly problems: readonly PlacedMessage[];
      readonly goodParts: GoodParts;
    };

export async function loadConfig(path: string): Promise<Config> {
  return parseConfig(await readConfigText(path), path);
}

export function readConfigText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`configuration ${path}`, error);
  });
}

/** Where a setting stands in the file as it is now; undefined where it does not. */
export async function settingPlace(path: string, setting: string): Promise<Place | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const read = readConfigSource(text);
  return read.ok ? read.source.valuePlace([setting]) : undefined;
}

/** @param path for messages */
export function parseConfig(text: string, path: string): Config {
  return readOrThrow(text, path).config;
}

/** @param path for messages */
export function readOrThrow(text: string, path: string): Extract<ReadConfig, { ok: true }> {
  const read = readConfig(text, path);
  if (read.ok) return read;
  throw configFailure(read.problems.map((problem) => ({ file: path, ...problem })));
}

/** @param path a file that the configuration names must not be the configuration itself */
export function readConfig(text: string, path: string): ReadConfig {
  const read = readConfigSource(text);
  if (!read.ok) return { ok: false, problems: inOrder(read.problems), goodParts: {} };
  const { source } = read;
  const parsed = configSchema.safeParse(source.value);
  const issues = parsed.error?.issues ?? [];
  const problems = [
    ...source.problems,
    ...problemsOfIssues(issues, source, settingTree(configSchema)),
    ...fileClashes(source, path),
  ];
  if (parsed.success && problems.length === 0) return { ok: true, config: parsed.data, source };
  return { ok: false, problems: inOrder(problems), goodParts: goodParts(source.value, issues) };
}

export function inOrder(problems: readonly PlacedMessage[]): PlacedMessage[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
