// Reads homing.yaml: all mistakes in one run, in the order of the file, each as `file:line:col setting: what, why, fix`.
// Called by `homing serve` and `homing config`.
import { readFile } from "node:fs/promises";
import { systemFailure } from "../failure.ts";
import { configFailure } from "./config-problem.ts";
import { type ConfigSource, type PlacedMessage, readConfigSource } from "./config-source.ts";
import { problemsOfIssues } from "./issue-problems.ts";
import { type Config, configSchema } from "./schema.ts";
import { settingTree } from "./setting-tree.ts";

export { configFailure } from "./config-problem.ts";

export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly source: ConfigSource }
  /** At least one. */
  | { readonly ok: false; readonly problems: readonly PlacedMessage[] };

export async function loadConfig(path: string): Promise<Config> {
  return parseConfig(await readConfigText(path), path);
}

export function readConfigText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`configuration ${path}`, error);
  });
}

/** @param path for messages */
export function parseConfig(text: string, path: string): Config {
  return readOrThrow(text, path).config;
}

/** @param path for messages */
export function readOrThrow(text: string, path: string): Extract<ReadConfig, { ok: true }> {
  const read = readConfig(text);
  if (read.ok) return read;
  throw configFailure(read.problems.map((problem) => ({ file: path, ...problem })));
}

export function readConfig(text: string): ReadConfig {
  const read = readConfigSource(text);
  if (!read.ok) return { ok: false, problems: inOrder(read.problems) };
  const { source } = read;
  const parsed = configSchema.safeParse(source.value);
  const issues = parsed.error?.issues ?? [];
  const problems = [...source.problems, ...problemsOfIssues(issues, source, settingTree(configSchema))];
  if (parsed.success && problems.length === 0) return { ok: true, config: parsed.data, source };
  return { ok: false, problems: inOrder(problems) };
}

function inOrder(problems: readonly PlacedMessage[]): PlacedMessage[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
