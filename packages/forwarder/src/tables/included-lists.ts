// The `:include:` lists that entries name: each is read once, however many name it. Called by load-tables.ts.
import { printable } from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import type { IncludedList, LoadedTarget, TableProblem } from "./entry.ts";
import type { Place } from "./placed-text.ts";
import { type PlacedTarget, parseTargets } from "./target.ts";

/** Throws the system's error. Piece by piece, because a table may be larger than what is kept of it. */
export type OpenTable = (path: string) => AsyncIterable<Buffer>;

export interface Reading {
  readonly openTable: OpenTable;
  readonly report: (problem: TableProblem) => void;
}

export interface ListReader {
  /** With the list itself in the place of its name. A list that cannot be read is told, and left out. */
  loaded(file: string, targets: readonly PlacedTarget[]): Promise<readonly LoadedTarget[]>;
}

const MAX_NESTING = 10;
/** A list's owner may be a user of the machine, and the file of any size. */
const MAX_OCTETS = 64 * 2 ** 20;

/** @param tables files that are no lists */
export function createListReader({ openTable, report }: Reading, tables: readonly unknown[]): ListReader {
  const lists = new Map<string, IncludedList>();

  const loaded = async (
    file: string,
    targets: readonly PlacedTarget[],
    within: readonly string[],
  ): Promise<readonly LoadedTarget[]> => {
    const all: LoadedTarget[] = [];
    for (const target of targets) {
      if (target.kind !== "include") {
        all.push(target);
        continue;
      }
      const { path, line, column } = target;
      const list = lists.get(path) ?? (await read(path, within));
      if (typeof list === "string") report({ file, line, column, message: list });
      else all.push({ kind: "list", list, line, column });
    }
    return all;
  };

  /** The list, or what is wrong with it. */
  const read = async (path: string, within: readonly string[]): Promise<IncludedList | string> => {
    const way = [...within, path];
    if (tables.includes(path))
      return `${printable(path)} is a table, and no list of addresses: name another file`;
    if (within.includes(path))
      return `:include: loop: ${way.map((step) => printable(step)).join(" → ")}: take one of them out`;
    if (way.length > MAX_NESTING) return `lists are nested more than ${MAX_NESTING} deep: join some of them`;
    const text = await wholeText(openTable(path), MAX_OCTETS).catch((error: Error) => error);
    if (text instanceof Error)
      return `list ${printable(path)} cannot be read (${text.message}): correct the path or its rights`;
    const targets = parseList(text, (problem) => report({ file: path, ...problem }));
    const list = { file: path, targets: await loaded(path, targets, way) };
    lists.set(path, list);
    return list;
  };

  return { loaded: (file, targets) => loaded(file, targets, []) };
}

/** Addresses with commas or line ends between them. */
function parseList(text: string, report: (problem: Problem) => void): readonly PlacedTarget[] {
  const targets: PlacedTarget[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(?:#|$)/.test(raw)) continue;
    const place = (at: number): Place => ({ line: index + 1, column: at + 1 });
    for (const target of parseTargets({ text: raw, place }, 0, (at, message) =>
      report({ ...place(at), message }),
    ))
      targets.push(target);
  }
  const alone = targets.length > 1 && targets.find(({ kind }) => kind === "discard" || kind === "refuse");
  if (alone) {
    const { line, column } = alone;
    report({
      line,
      column,
      message: ":blackhole:, :fail: and :defer: stand alone: take the other addresses out",
    });
  }
  return targets;
}

export async function wholeText(pieces: AsyncIterable<Buffer>, maxOctets = Infinity): Promise<string> {
  const all: Buffer[] = [];
  let octets = 0;
  for await (const piece of pieces) {
    octets += piece.length;
    if (octets > maxOctets) throw new Error(`larger than ${maxOctets} octets`);
    all.push(piece);
  }
  return Buffer.concat(all).toString("utf8");
}
