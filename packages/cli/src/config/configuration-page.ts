// The parts of docs/configuration.md that the schema knows: the table, the types, the notes and the sample. Called by
// the test that keeps the page true; `npm run docs:config` writes them.
import { stringify } from "yaml";
import { everyPart, everySetting, type Setting, typeName } from "./setting-tree.ts";

/** Each stands in the page between two markers. */
export function pageParts(root: Setting): ReadonlyMap<string, string> {
  const settings = [...everySetting(root)];
  return new Map([
    ["settings", table(settings)],
    ["types", types(root)],
    ["notes", notes(settings)],
    ["sample", `\`\`\`yaml\n${sample(root)}\`\`\`\n`],
  ]);
}

/** The page with these parts; throws where it has no place for one. */
export function withParts(page: string, parts: ReadonlyMap<string, string>): string {
  let text = page;
  for (const [name, part] of parts) {
    const begin = `<!-- ${name}: written from the schema by npm run docs:config -->\n`;
    const from = text.indexOf(begin);
    const to = text.indexOf("<!-- end -->", from);
    if (from < 0 || to < 0) throw new Error(`the page has no place for ${name}`);
    text = `${text.slice(0, from + begin.length)}\n${part}\n${text.slice(to)}`;
  }
  return text;
}

type Named = readonly [name: string, setting: Setting];

function table(settings: readonly Named[]): string {
  const rows = settings.map(([name, setting]) => [
    `\`${name}\``,
    typeName(setting),
    defaultText(setting),
    setting.words.description ?? "",
  ]);
  return [["Setting", "Type", "Default", "Meaning"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

function defaultText({ presence, words, kind }: Setting): string {
  if (presence.kind === "required") return "(required)";
  if (presence.kind === "optional") return words.without ?? "none";
  // Each setting of a map has a default of its own.
  if (kind.kind === "map") return "";
  return valueText(presence.value);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(", ") || "none";
  if (typeof value === "object" && value !== null) {
    return Object.keys(value).length === 0 ? "none" : `\`${JSON.stringify(value)}\``;
  }
  return value === "" ? '`""`' : `\`${String(value)}\``;
}

/** The types that have a name, each with what may be written. */
function types(root: Setting): string {
  const meanings = new Map<string, string>();
  for (const { words } of everyPart(root)) {
    if (words.type !== undefined && words.typeMeaning !== undefined)
      meanings.set(words.type, words.typeMeaning);
  }
  return [...meanings].map(([type, meaning]) => item(`*${type}*: ${meaning}.`)).join("");
}

function notes(settings: readonly Named[]): string {
  return settings
    .flatMap(([name, { words }]) => (words.notes === undefined ? [] : [item(`\`${name}\`: ${words.notes}`)]))
    .join("");
}

const PAGE_WIDTH = 120;
/** What stands in backquotes stays on one line. */
const WORD = /(?:`[^`]*`|\S)+/g;

/** An item of a list, its lines no longer than the page is wide. */
function item(text: string): string {
  const lines: string[] = [];
  let line = "-";
  for (const word of text.match(WORD) ?? []) {
    if (line.length + 1 + word.length > PAGE_WIDTH) {
      lines.push(line);
      line = " ";
    }
    line += ` ${word}`;
  }
  return `${[...lines, line].join("\n")}\n`;
}

/** A configuration with every setting, an empty line around each of its blocks. */
export function sample(root: Setting): string {
  const lines = stringify(sampleValue(root), { lineWidth: 0 }).split("\n");
  return lines
    .map((line, at) => {
      const apart = at > 0 && /^\w/.test(line) && (line.endsWith(":") || lines[at - 1]?.startsWith(" "));
      return apart ? `\n${line}` : line;
    })
    .join("\n");
}

function sampleValue({ kind, presence, words }: Setting): unknown {
  if (words.example !== undefined) return words.example;
  if (kind.kind === "map") {
    return Object.fromEntries(
      [...kind.settings].flatMap(([name, child]) => {
        const value = sampleValue(child);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }
  return presence.kind === "default" ? presence.value : undefined;
}
