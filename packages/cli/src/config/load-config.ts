// Reads homing.yaml: all mistakes in one run, each as `file:line:col path: what, why, fix`. Called by `homing serve`.
import { readFile } from "node:fs/promises";
import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type * as z from "zod";
import { CommandFailure, systemFailure } from "../failure.ts";
import { type Config, configSchema } from "./schema.ts";

type Document = ReturnType<typeof parseDocument>;

export async function loadConfig(path: string): Promise<Config> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`configuration ${path}`, error);
  });
  return parseConfig(text, path);
}

/** @param path for messages */
export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };

  if (document.errors.length > 0) {
    throw configFailure(document.errors.map((error) => `${place(error.pos[0])} ${error.message}`));
  }
  const parsed = configSchema.safeParse(plainValue(document, place));
  if (parsed.success) return parsed.data;
  throw configFailure(
    parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => `${place(keyOffset(document, issue.path, key))} ${unknownKey(issue, key)}`)
        : [`${place(valueOffset(document, issue.path))} ${dotted(issue.path)}: ${words(document, issue)}`],
    ),
  );
}

export function configFailure(lines: readonly string[]): CommandFailure {
  return new CommandFailure("config", lines.join("\n"));
}

function plainValue(document: Document, place: (offset: number) => string): unknown {
  visit(document, {
    // Nobody needs them here, and expanding them can fill the memory.
    Alias(_key, alias) {
      const where = place(alias.range?.[0] ?? 0);
      throw configFailure([
        `${where} anchors and aliases (& and *) are not allowed here: write the value out`,
      ]);
    },
  });
  return document.toJS() ?? {};
}

function words(document: Document, issue: z.core.$ZodIssue): string {
  if (!document.hasIn(issue.path)) return "is missing: add it";
  return issue.message.replace(/^Invalid input: /, "");
}

function unknownKey(issue: z.core.$ZodIssueUnrecognizedKeys, key: string): string {
  return `${dotted([...issue.path, key])}: there is no such setting${known(issue.path)}: take it out or correct it`;
}

function known(path: readonly PropertyKey[]): string {
  let schema: unknown = configSchema;
  for (const step of path) schema = shapeOf(schema)?.[String(step)];
  const shape = shapeOf(schema);
  return shape ? ` (here: ${Object.keys(shape).join(", ")})` : "";
}

/** Object schemas stand behind wrappers such as defaults. */
function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  let current = schema as { shape?: Record<string, unknown>; unwrap?: () => unknown } | undefined;
  while (current && !current.shape && current.unwrap) current = current.unwrap() as typeof current;
  return current?.shape;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join(".") || "configuration";
}

/** Where the value stands; for a missing one, where its parent does. */
function valueOffset(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length).map(String), true);
    const indexed = node ?? document.getIn(path.slice(0, length), true);
    if (isNode(indexed) && indexed.range) return indexed.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: readonly PropertyKey[], key: string): number {
  const map = path.length === 0 ? document.contents : (document.getIn(path, true) as Node | undefined);
  if (!isMap(map)) return 0;
  const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return isScalar(pair?.key) && pair.key.range ? pair.key.range[0] : 0;
}
