// How a rule finds the failing recipients in a text. Few ways, and the rules choose among them. Called by text-bounce.ts.
import { type FoundAddress, findAddress, headAddress } from "./addresses.ts";
import { type BounceText, indentOf, wordsBehind } from "./bounce-text.ts";
import { findReply, findStatus } from "./smtp-reply.ts";

export type Finder =
  /** Lines that begin with an address, below a phrase. `loose`: words may follow, and the address may stand further right. */
  | { readonly by: "list"; readonly after: readonly string[]; readonly loose?: boolean }
  /** The first address behind a phrase; `every`: behind each time that it comes. */
  | { readonly by: "phrase"; readonly before: readonly string[]; readonly every?: boolean }
  /** Lines of `<address>:`, wherever they stand. */
  | { readonly by: "headings" }
  /** The one address of the text, beside those of people who run mail. */
  | { readonly by: "only" }
  /** The field X-Failed-Recipients. */
  | { readonly by: "header" }
  /** An address on the line of a reply, or one line off. */
  | { readonly by: "reply" };

export interface Finding {
  readonly address: string;
  /** What the text says about it. */
  readonly words: string;
}

/** Of lines that name nobody, before the list is given up. */
const MAX_FRUITLESS = 40;
const MAX_LINES = 1000;
/** What makes a line one of a list: nothing behind the address, or a mark. */
const BEHIND = ":.,;()-[<>#";
/** The phrase, the address, and what is told about it. */
const WORDS_BEHIND_PHRASE = 1500;
const PHRASE_REACH = 200;
/** Whom to ask: never the failing recipient. */
const STAFF = ["postmaster", "mailer-daemon", "abuse", "hostmaster", "helpdesk", "support", "info", "admin"];
/** Lines that end every list. */
const ENDS = ["reporting-mta:", "-- transcript of session", "for further assistance", "original message"];

export function find(finder: Finder, text: BounceText, failedHeader: string, limit: number): Finding[] {
  switch (finder.by) {
    case "list":
      return findList(finder, text, limit);
    case "phrase":
      return findBehindPhrase(finder, text, limit);
    case "headings":
      return findHeadings(text, limit);
    case "only":
      return findOnly(text);
    case "header":
      return findInHeader(failedHeader, text, limit);
    case "reply":
      return findNearReply(text, limit);
  }
}

function findList(
  { after, loose }: Extract<Finder, { by: "list" }>,
  text: BounceText,
  limit: number,
): Finding[] {
  const phrase = firstPhrase(after, text.flat);
  if (!phrase) return [];
  const found = new Map<string, Finding>();
  const { lines } = text;
  const from = text.lineAt(phrase.end - 1);
  let fruitless = 0;
  for (let at = from; at < lines.length && at < from + MAX_LINES && found.size < limit; at++) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    if (at > from && ENDS.some((end) => line.toLowerCase().includes(end))) break;
    const head = loose ? (headAddress(line) ?? findAddress(line)) : headAddress(line);
    if (!head || !(loose || isListed(line, head))) {
      fruitless++;
      if (fruitless > MAX_FRUITLESS) break;
      continue;
    }
    fruitless = 0;
    keep(found, { address: head.address, words: wordsBelow(lines, at, head) });
    at += loose ? 0 : deeperLines(lines, at);
  }
  return [...found.values()];
}

/** Some leave a line empty between the address and the reason; a reason may have paragraphs. */
function wordsBelow(lines: readonly string[], at: number, head: FoundAddress): string {
  const words = wordsBehind(lines, at, head);
  const next = at + words.split("\n").length + 1;
  const below = lines[next];
  if (findReply(words) || findStatus(words) || below === undefined || headAddress(below)) return words;
  return `${words}\n${lines.slice(next, next + 8).join("\n")}`;
}

/** Lines further right belong to the recipient, even where one begins with an address. */
function deeperLines(lines: readonly string[], at: number): number {
  const depth = indentOf(lines[at] ?? "");
  let count = 0;
  for (let below = at + 1; below < lines.length; below++) {
    const line = lines[below] ?? "";
    if (line === "" || indentOf(line) <= depth) break;
    count++;
  }
  return count;
}

function isListed(line: string, head: FoundAddress): boolean {
  const behind = line.slice(head.end).trimStart();
  return behind === "" || BEHIND.includes(behind[0] ?? "x") || findReply(behind) !== undefined;
}

function findBehindPhrase(
  { before, every }: Extract<Finder, { by: "phrase" }>,
  text: BounceText,
  limit: number,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const phrase of before) {
    for (let at = text.flat.indexOf(phrase); at >= 0; at = text.flat.indexOf(phrase, at + phrase.length)) {
      const end = at + phrase.length;
      const one = findAddress(text.flatCase.slice(end, end + PHRASE_REACH));
      if (!one || !onlyNameBefore(text.flatCase.slice(end, end + one.from))) continue;
      keep(found, {
        address: one.address,
        words: text.flatCase.slice(end + one.end, end + WORDS_BEHIND_PHRASE),
      });
      if (!every || found.size >= limit) return [...found.values()];
    }
  }
  return [...found.values()];
}

function findHeadings(text: BounceText, limit: number): Finding[] {
  const found = new Map<string, Finding>();
  for (const [at, line] of text.lines.entries()) {
    if (found.size >= limit) break;
    if (!line.trimStart().startsWith("<")) continue;
    const head = headAddress(line);
    if (head && line.startsWith(":", head.end)) {
      keep(found, { address: head.address, words: wordsBelow(text.lines, at, head) });
    }
  }
  return [...found.values()];
}

function findOnly(text: BounceText): Finding[] {
  const found = new Map<string, Finding>();
  for (
    let one = findAddress(text.flatCase);
    one && found.size < 2;
    one = findAddress(text.flatCase, one.end)
  ) {
    const [local = ""] = one.address.toLowerCase().split("@");
    // A refusal often names the sender that it refuses.
    if (STAFF.includes(local) || text.flat.endsWith(" from", one.from - 1)) continue;
    const words = text.flatCase.slice(one.end, one.end + WORDS_BEHIND_PHRASE);
    if (!found.has(one.address.toLowerCase()))
      found.set(one.address.toLowerCase(), { address: one.address, words });
  }
  return found.size === 1 ? [...found.values()] : [];
}

/** Between the phrase and the address at most a name and marks: no sentence ends, and few words. */
function onlyNameBefore(between: string): boolean {
  return !between.includes(". ") && between.split(" ").length <= 6;
}

function findInHeader(field: string, text: BounceText, limit: number): Finding[] {
  const found = new Map<string, Finding>();
  let rest = field;
  while (found.size < limit) {
    const next = findAddress(rest);
    if (!next) break;
    keep(found, { address: next.address, words: wordsAbout(next.address, text) });
    rest = rest.slice(next.end);
  }
  return [...found.values()];
}

/** What stands behind the address, where the text names it. */
function wordsAbout(address: string, text: BounceText): string {
  const at = text.flat.indexOf(address.toLowerCase());
  return at < 0 ? "" : text.flatCase.slice(at + address.length, at + WORDS_BEHIND_PHRASE);
}

function findNearReply(text: BounceText, limit: number): Finding[] {
  const found = new Map<string, Finding>();
  for (const [at, line] of text.lines.entries()) {
    if (found.size >= limit) break;
    const reply = findReply(line);
    if (!reply || reply.code < 400) continue;
    const near = [line, text.lines[at - 1] ?? "", text.lines[at + 1] ?? ""];
    const address = near.map(inBrackets).find((one) => one !== undefined);
    if (address !== undefined) keep(found, { address, words: `${line}\n${text.lines[at + 1] ?? ""}` });
  }
  return [...found.values()];
}

/** In angle brackets, or the line alone. */
function inBrackets(line: string): string | undefined {
  const head = headAddress(line);
  if (head && isListed(line, head)) return head.address;
  for (let found = findAddress(line); found; found = findAddress(line, found.end)) {
    if (line[found.from] === "<") return found.address;
  }
  return undefined;
}

interface Phrase {
  readonly at: number;
  readonly end: number;
}

function firstPhrase(phrases: readonly string[], flat: string): Phrase | undefined {
  for (const phrase of phrases) {
    const at = flat.indexOf(phrase);
    if (at >= 0) return { at, end: at + phrase.length };
  }
  return undefined;
}

/** A recipient that is named twice has the words that say more. */
function keep(found: Map<string, Finding>, finding: Finding): void {
  const key = finding.address.toLowerCase();
  const known = found.get(key);
  if (!known || (!findReply(known.words) && findReply(finding.words))) found.set(key, finding);
}
