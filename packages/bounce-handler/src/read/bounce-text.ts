// The text of a bounce, made ready for the rules: lines, and the same as one line in lower case. Called by judge.ts.
import { type FoundAddress, headAddress } from "./addresses.ts";
import { trimmed, trimmedEnd, withLineFeeds, withoutShiftedText } from "./octet-text.ts";

export interface BounceText {
  readonly lines: readonly string[];
  /** Lower case, all white space one blank: phrases are found wherever a peer wraps its lines. Latin1 keeps its length in it. */
  readonly flat: string;
  /** The same in its own case. */
  readonly flatCase: string;
  /** The line in which a place of `flat` stands. */
  readonly lineAt: (offset: number) => number;
}

/** A quarter of a megabyte of lines as people write them. */
const MAX_LINES = 5000;
const LF = 0x0a;
/** What a peer says about one recipient. */
const MAX_LINES_ABOUT = 20;

/** @param octets as characters; what is returned below is cut off already */
export function bounceText(octets: string): BounceText {
  const lines: string[] = [];
  const text = withLineFeeds(octets);
  // Not split at once: a text of line ends alone would become an array of nothing.
  for (let from = 0; from < text.length && lines.length < MAX_LINES; ) {
    const found = text.indexOf("\n", from);
    const end = found < 0 ? text.length : found;
    const line = trimmedEnd(withoutShiftedText(text.slice(from, end)));
    if (line !== "" || (lines.at(-1) ?? "") !== "") lines.push(line);
    from = end + 1;
    while (line === "" && text.charCodeAt(from) === LF) from++;
  }
  const starts: number[] = [];
  const flatLines: string[] = [];
  let offset = 0;
  for (const line of lines) {
    // Linear: one class, and nothing behind it that could fail.
    const flat = trimmed(line).replace(/[ \t]+/g, " ");
    starts.push(offset);
    if (flat !== "") {
      flatLines.push(flat);
      offset += flat.length + 1;
    }
  }
  const flatCase = flatLines.join(" ");
  return { lines, flatCase, flat: flatCase.toLowerCase(), lineAt: (at) => lastNotAbove(starts, at) };
}

/** What the text says about each recipient that a line begins with. */
export function indexWords(text: BounceText): ReadonlyMap<string, string> {
  const heads = new Map<string, string>();
  for (const [at, line] of text.lines.entries()) {
    const head = headAddress(line);
    const key = head?.address.toLowerCase();
    if (head && key !== undefined && !heads.has(key)) heads.set(key, wordsBehind(text.lines, at, head));
  }
  return heads;
}

/** The rest of the line, and the lines below it until an empty one, or the next recipient at the same depth. */
export function wordsBehind(lines: readonly string[], at: number, head: FoundAddress): string {
  const words = [(lines[at] ?? "").slice(head.end)];
  const depth = indentOf(lines[at] ?? "");
  for (let below = at + 1; below < lines.length && words.length < MAX_LINES_ABOUT; below++) {
    const line = lines[below] ?? "";
    if (line === "" || (indentOf(line) <= depth && headAddress(line))) break;
    words.push(trimmed(line));
  }
  return words.join("\n");
}

export function indentOf(line: string): number {
  let at = 0;
  while (line[at] === " " || line[at] === "\t") at++;
  return at;
}

function lastNotAbove(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
