// The YAML of homing.yaml: its plain value, and where each setting stands. Called by load-config.ts, and by
// `homing config show` for the places.
import { printable } from "@homing/srs-core";
import {
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";

type Document = ReturnType<typeof parseDocument>;

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface PlacedMessage extends Place {
  readonly message: string;
}

export interface ConfigSource {
  /** Maps, lists and values; an empty file is an empty map. */
  readonly value: unknown;
  /** What is wrong, though the text can be read. */
  readonly problems: readonly PlacedMessage[];
  /** Where the value stands; undefined where it does not. */
  valuePlace(path: readonly PropertyKey[]): Place | undefined;
  /** Where the name stands; that of a list's item is the item. */
  namePlace(path: readonly PropertyKey[]): Place | undefined;
  /** Whether brackets stand there, which are a list in YAML. */
  isBracketed(path: readonly PropertyKey[]): boolean;
}

export type ReadSource =
  | { readonly ok: true; readonly source: ConfigSource }
  | { readonly ok: false; readonly problems: readonly PlacedMessage[] };

type PlaceOf = (offset: number) => Place;

const MAX_SHOWN = 300;

export function readConfigSource(text: string): ReadSource {
  const lines = new LineCounter();
  // Names that come twice are looked for below: here they would hide every other problem.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false } as const;
  const document = parseDocument(text, options);
  const placeOf: PlaceOf = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const unreadable = [
    ...document.errors.map((error) => yamlProblem(error, text, placeOf)),
    ...notAllowed(document, placeOf),
  ];
  if (unreadable.length > 0) return { ok: false, problems: unreadable };
  const problems = [...nameProblems(document, placeOf)];
  const find = (path: readonly PropertyKey[]) => findNode(document, path);
  return {
    ok: true,
    source: {
      value: document.toJS() ?? {},
      problems,
      valuePlace: (path) => place(find(path)?.value, placeOf),
      namePlace: (path) => place(find(path)?.name ?? find(path)?.value, placeOf),
      isBracketed(path) {
        const { value } = find(path) ?? {};
        return isSeq(value) && value.flow === true;
      },
    },
  };
}

function yamlProblem(error: YAMLError, text: string, placeOf: PlaceOf): PlacedMessage {
  const [at] = error.pos;
  return (
    bracketProblem(text, at, placeOf) ?? { ...placeOf(at), message: printable(error.message, MAX_SHOWN) }
  );
}

/** `[::1]:25` without quotes: a list, and something behind it that YAML cannot place. */
function bracketProblem(text: string, at: number, placeOf: PlaceOf): PlacedMessage | undefined {
  if (text[at - 1] !== "]") return undefined;
  const open = text.lastIndexOf("[", at);
  const literal = /^\[[0-9A-Fa-f:.]{2,45}\]:\d{1,5}(?!\d)/.exec(text.slice(Math.max(open, 0), at + 6));
  if (open < 0 || !literal) return undefined;
  return {
    ...placeOf(open),
    message: `${literal[0]} is a list to YAML, because of its brackets: put it in quotes: "${literal[0]}"`,
  };
}

/** What YAML has, and a configuration may not have. */
function notAllowed(document: Document, placeOf: PlaceOf): PlacedMessage[] {
  const problems: PlacedMessage[] = [];
  visit(document, {
    // Nobody needs them here, and expanding them can fill the memory.
    Alias(_key, alias) {
      const message = "anchors and aliases (& and *) are not allowed here: write the value out, or quote it";
      problems.push({ ...placeOf(alias.range?.[0] ?? 0), message });
      return visit.BREAK;
    },
    Pair(_key, { key }) {
      if (!isCollection(key)) return undefined;
      const message = "a name cannot be a list or a map: put what has brackets or braces in quotes";
      problems.push({ ...placeOf(key.range?.[0] ?? 0), message });
      return visit.SKIP;
    },
  });
  return problems;
}

/** Names are text, whatever YAML makes of them: 25, 1e3, true. Those that come twice in a map are told. */
function nameProblems(document: Document, placeOf: PlaceOf): PlacedMessage[] {
  const problems: PlacedMessage[] = [];
  visit(document, {
    Map(_key, map, above) {
      const lineOf = new Map<string, number>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = nameOf(key);
        key.value = name;
        const here = placeOf(key.range?.[0] ?? 0);
        const earlier = lineOf.get(name);
        if (earlier === undefined) lineOf.set(name, here.line);
        else
          problems.push({
            ...here,
            message: `${printable([...namesOf(above), name].join("."))}: stands on line ${earlier} already: keep one`,
          });
      }
    },
  });
  return problems;
}

/** The names on the way to a node. */
function namesOf(above: readonly unknown[]): string[] {
  return above.flatMap((node) => (isPair(node) && isScalar(node.key) ? [nameOf(node.key)] : []));
}

function nameOf(key: { readonly value: unknown; readonly source?: string }): string {
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value ?? ""));
}

interface Found {
  readonly name?: Node;
  readonly value: unknown;
}

function findNode(document: Document, path: readonly PropertyKey[]): Found | undefined {
  let found: Found | undefined = { value: document.contents };
  for (const step of path) found = found && childOf(found.value, step);
  return found;
}

function childOf(node: unknown, step: PropertyKey): Found | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(step)];
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  // Of a name that comes twice, the last one counts.
  const pair: Pair | undefined = node.items.findLast(
    ({ key }) => isScalar(key) && nameOf(key) === String(step),
  );
  if (!pair) return undefined;
  return { value: pair.value, ...(isNode(pair.key) ? { name: pair.key } : {}) };
}

function place(node: unknown, placeOf: PlaceOf): Place | undefined {
  return isNode(node) && node.range ? placeOf(node.range[0]) : undefined;
}
