// The text of a .forward file: addresses, `\user` for a local copy, `:include:` lists; commands and files are refused.
// Pure. Called by read-forward.ts. No problem repeats the file's words: whoever reads the problem may not own the file.
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import { type ForwardWord, splitForwardLine } from "./forward-line.ts";

export type ForwardTarget =
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  /** A name of this site without a domain. */
  | { readonly kind: "name"; readonly name: string }
  /** `\user`: into that user's mailbox, with no further look at aliases or .forward files. */
  | { readonly kind: "local-copy"; readonly name: string; readonly domain?: string };

/** As `homing route` shows it: file, as seen from the home, line and column. */
export interface ForwardPlace extends Pick<Problem, "line" | "column"> {
  readonly file: string;
}

/** What an answer has: its place too, unless the reader is of an older version. */
export type PlacedForwardTarget = ForwardTarget & { readonly place?: ForwardPlace };

/** `:include:/path`: more targets stand there. */
export interface ForwardInclude {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export interface ForwardFile {
  readonly targets: readonly (ForwardTarget & Pick<Problem, "line" | "column">)[];
  readonly includes: readonly ForwardInclude[];
  /** If there is one, the file must not be used: half of the targets is not what the user asked for. */
  readonly problems: readonly Problem[];
}

export const MAX_FORWARD_OCTETS = 64 * 1024;
/** Of a user, over all included files. */
export const MAX_FORWARD_TARGETS = 1_000;
/** Enough to repair a file with; a hostile one could have 30,000. */
const MAX_PROBLEMS = 20;

/** Exim tells its filters from .forward files by this first line. */
const FILTER = /^#\s{0,9}(?:exim|sieve) filter/i;

type Found =
  | { readonly ok: true; readonly target: ForwardTarget }
  | { readonly ok: true; readonly include: string }
  | { readonly ok: false; readonly message: string };

export function parseForwardFile(text: string): ForwardFile {
  const targets: ForwardFile["targets"][number][] = [];
  const includes: ForwardInclude[] = [];
  const problems: Problem[] = [];
  // A byte order mark is an editor's, not the user's.
  const content = text.replace(/^\ufeff/, "");
  if (content.length > MAX_FORWARD_OCTETS) return onlyProblem("larger than 64 KiB: no list of addresses is");
  if (FILTER.test(content))
    return onlyProblem("a filter, not a list of addresses: write the addresses alone");

  for (const [index, raw] of content.split("\n").entries()) {
    const line = index + 1;
    if (/^\s*(?:#|$)/.test(raw)) continue;
    const problem = (at: number, message: string) => problems.push({ line, column: at + 1, message });
    const split = splitForwardLine(raw);
    if (!split.ok) problem(split.at, split.message);
    for (const word of split.ok ? split.words : []) {
      const found = readWord(word);
      if (!found.ok) problem(word.at, found.message);
      else if ("include" in found) includes.push({ path: found.include, line, column: word.at + 1 });
      else targets.push({ ...found.target, line, column: word.at + 1 });
      if (targets.length + includes.length > MAX_FORWARD_TARGETS) {
        problem(word.at, TOO_MANY_TARGETS);
        return { targets, includes, problems };
      }
      if (problems.length >= MAX_PROBLEMS) return { targets, includes, problems };
    }
  }
  return { targets, includes, problems };
}

export const TOO_MANY_TARGETS = "more than 1,000 targets: use a mailing list for so many";

function onlyProblem(message: string): ForwardFile {
  return { targets: [], includes: [], problems: [{ line: 1, column: 1, message }] };
}

function readWord({ text }: ForwardWord): Found {
  const bare = unquoted(text);
  if (bare.startsWith("|")) {
    return refused("commands are not run from here: let an LMTP server do it, an HTTP hook will come later");
  }
  if (/^~?\//.test(bare)) {
    return refused(
      "files are not written to: let an LMTP server keep the mail, or write \\name for a local copy",
    );
  }
  if (/^:include:/i.test(bare)) return readInclude(bare.slice(":include:".length).trim());
  if (/^:(?:blackhole|fail|defer):/i.test(bare)) {
    return refused(
      ":blackhole:, :fail: and :defer: are for tables of the operator: write addresses, or remove the file",
    );
  }
  if (text.startsWith("#"))
    return refused("a comment must be a line of its own: put the # first in its line");
  // Many write "\alice" with quotes: what a backslash escapes there is the same letter.
  if (text.startsWith("\\")) return readLocalCopy(text.slice(1));
  if (isQuoted(text) && text.startsWith('"\\')) return readLocalCopy(bare);
  return readAddress(text, bare);
}

function readInclude(path: string): Found {
  if (path.startsWith("/") && !/\p{Cc}/u.test(path)) return { ok: true, include: path };
  return refused("after :include: there must be a path that begins with /");
}

function readLocalCopy(text: string): Found {
  const found = readAddress(text, unquoted(text));
  if (!found.ok || !("target" in found)) return found;
  const { target } = found;
  if (target.kind === "name") return { ok: true, target: { kind: "local-copy", name: target.name } };
  if (target.kind === "local-copy") return found;
  const { localPart, domain } = target.mailbox;
  return { ok: true, target: { kind: "local-copy", name: localPart, domain } };
}

function readAddress(text: string, bare: string): Found {
  // `"alice@x.test"`, quoted as a whole, is that address to Postfix, and to whoever wrote it.
  const address = bare !== text && bare.includes("@") ? bare : text;
  if (address.includes("@") && !isQuoted(address)) {
    const parsed = parseMailbox(address);
    return parsed.ok ? { ok: true, target: { kind: "mailbox", mailbox: parsed.mailbox } } : NO_ADDRESS;
  }
  // A name is a local part, so the same letters are allowed in it.
  const parsed = parseMailbox(`${text}@localhost`);
  return parsed.ok ? { ok: true, target: { kind: "name", name: parsed.mailbox.localPart } } : NO_ADDRESS;
}

const NO_ADDRESS = refused('not an address: write name@domain, with quotes where needed: "a b"@domain');

function refused(message: string): Found & { readonly ok: false } {
  return { ok: false, message };
}

/** In quotes as a whole, not only in its local part. */
function isQuoted(text: string): boolean {
  if (text.length < 2 || !text.startsWith('"')) return false;
  for (let at = 1; at < text.length; at++) {
    if (text.charAt(at) === "\\") at++;
    else if (text.charAt(at) === '"') return at === text.length - 1;
  }
  return false;
}

function unquoted(text: string): string {
  return isQuoted(text) ? text.slice(1, -1).replace(/\\(.)/gu, "$1") : text;
}
