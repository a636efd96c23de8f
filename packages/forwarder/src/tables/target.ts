// What an entry of a table leads to. Called by the readers of aliases(5) files, :include: lists and virtual tables.
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox, parseMailbox, printable } from "@homing/srs-core";
import type { Place, PlacedText } from "./placed-text.ts";
import { parseRefusal } from "./refusal.ts";

export type Target =
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  /** A name of the alias file, in ASCII lower case. */
  | { readonly kind: "name"; readonly name: string }
  /** `\name`: a copy into the mailbox of that user, with no further look at the tables. */
  | { readonly kind: "local"; readonly user: string }
  /** `:include:/path`: the addresses stand in that file. */
  | { readonly kind: "include"; readonly path: string }
  /** `:blackhole:`: the mail is taken and thrown away. */
  | { readonly kind: "discard" }
  /** `:fail: …` and `:defer: …`: the address is refused, for good or for now. */
  | { readonly kind: "refuse"; readonly reply: Reply };

/** A target and where it stands, for messages. */
export type PlacedTarget = Target & Place;

export type ParsedTarget =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly message: string };

/** Reads one target, without blanks around it. Nothing in it is ever run or opened for writing. */
export function parseTarget(text: string): ParsedTarget {
  const bare = unquoted(text);
  if (bare === "") return bad("no address here: write one, or take the comma out");
  if (bare.startsWith("|")) return bad("programs are not run: hand the mail to one by LMTP instead");
  if (bare === "/dev/null") return bad("files are not written: write :blackhole: to throw the mail away");
  if (bare.startsWith("/"))
    return bad("files are not written: keep the mail in a mail store by LMTP, or in a Maildir");
  if (bare.startsWith("\\")) return parseLocalCopy(bare.slice(1));
  // Many write "\alice" with quotes: what a backslash escapes there is the same letter.
  if (bare !== text && QUOTED_COPY.test(text)) return parseLocalCopy(bare);
  if (bare.startsWith(":")) return parseDirective(bare);
  const habit = habitOfOthers(bare, text);
  if (habit !== undefined) return bad(habit);
  if (!text.includes("@")) return { ok: true, target: { kind: "name", name: asciiLower(bare) } };
  // "bob@x.example", quoted as a whole, is that address to Postfix, and to whoever wrote it.
  const parsed = parseMailbox(bare);
  if (!parsed.ok) return bad(parsed.message);
  return { ok: true, target: { kind: "mailbox", mailbox: parsed.mailbox } };
}

const QUOTED_COPY = /^"\\[A-Za-z0-9]/;

/** `%1@` of Sendmail's virtusertable, `$1@` of Postfix's pcre tables: what a pattern found. */
const PATTERN_PART = /^[%$]\{?\d/;

/** No quote before it: a blank inside quotes is text, and so is what follows. */
const COMMENT_BEHIND = /^(?:[^"\s]+\s+)?#/;

/** What files for other programs may have, and what to write here in its place. */
function habitOfOthers(bare: string, text: string): string | undefined {
  if (isTwoAddresses(text)) return "put a comma between two addresses";
  if (text.includes("#") && COMMENT_BEHIND.test(text))
    return "a comment stands on a line of its own: take it out here";
  // RFC 5322 §3.4: a mailbox with a display name. Here stands the address of an envelope.
  if (text.endsWith(">") && text.includes("<"))
    return "write the address alone, without a name and angle brackets";
  if (bare.startsWith("error:")) {
    const words = bare.slice("error:".length).trim();
    const directive = /^4[\d.]/.test(words) ? ":defer:" : ":fail:";
    return `"error:" is a transport of Postfix: write "${printable(`${directive} ${words}`.trim(), 80)}"`;
  }
  if (PATTERN_PART.test(bare) && bare.includes("@")) {
    return "%1 and $1 stand for nothing here: to map a whole domain, use domainAliases in the configuration";
  }
  if (text.startsWith("@")) {
    return "a domain is no target: write a whole address, or map the domain with domainAliases in the configuration";
  }
  return undefined;
}

function isTwoAddresses(text: string): boolean {
  // Nearly none has a blank, and a table may have a million.
  if (!text.includes(" ") && !text.includes("\t")) return false;
  const [first = "", second = ""] = text.split(/[ \t]+/, 2);
  return !text.includes('"') && first.includes("@") && second.includes("@");
}

function parseLocalCopy(user: string): ParsedTarget {
  if (user !== "" && !user.includes("@"))
    return { ok: true, target: { kind: "local", user: asciiLower(user) } };
  return bad("a local copy is \\name: write the name of a user, without a domain");
}

const DISABLED: Reply = { code: 550, enhanced: "5.2.1", text: "this address is disabled" };
const DISABLED_NOW: Reply = {
  code: 450,
  enhanced: "4.2.1",
  text: "this address is disabled for now, try again later",
};

function parseDirective(text: string): ParsedTarget {
  const end = text.indexOf(":", 1) + 1;
  const [word, rest] = [asciiLower(text.slice(0, end)), text.slice(end).trim()];
  switch (word) {
    case ":include:":
      if (!rest.startsWith("/")) return bad(":include: needs the whole path of a file, from / on");
      return { ok: true, target: { kind: "include", path: rest } };
    case ":blackhole:":
      return rest === "" ? { ok: true, target: { kind: "discard" } } : bad(":blackhole: stands alone");
    case ":fail:":
      return refusal(rest, DISABLED);
    case ":defer:":
      return refusal(rest, DISABLED_NOW);
    default:
      return bad(
        `"${printable(text, 40)}" is none of :include:/path, :blackhole:, :fail: text, :defer: text`,
      );
  }
}

function refusal(text: string, usual: Reply): ParsedTarget {
  const parsed = parseRefusal(text, usual);
  return parsed.ok ? { ok: true, target: { kind: "refuse", reply: parsed.reply } } : parsed;
}

function bad(message: string): ParsedTarget {
  return { ok: false, message };
}

/** What stands between double quotes; other text as it is. */
export function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/g, "$1");
}

/** The pieces between separators that stand outside quotes, and where each begins. */
export function splitOutsideQuotes(
  text: string,
  separator: ":" | ",",
): { readonly at: number; readonly text: string }[] {
  const pieces: { at: number; text: string }[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\" && quoted) at++;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      pieces.push({ at: from, text: text.slice(from, at) });
      from = at + 1;
      // A name ends at the first colon; those behind it belong to targets such as :include:.
      if (separator === ":") break;
    }
  }
  pieces.push({ at: from, text: text.slice(from) });
  return pieces;
}

/** Targets with commas between them, and maybe one behind them. What is wrong with one is told at its place. */
export function parseTargets(
  { text, place }: PlacedText,
  from: number,
  report: (at: number, message: string) => void,
): PlacedTarget[] {
  const fields = splitOutsideQuotes(text.slice(from), ",");
  if (text.slice(from).trim() === "") {
    report(from, "no target behind the name: write an address");
    return [];
  }
  if (fields.length > 1 && fields.at(-1)?.text.trim() === "") fields.pop();
  const targets = fields.flatMap((field): PlacedTarget[] => {
    const parsed = parseTarget(field.text.trim());
    const at = from + field.at + (field.text.length - field.text.trimStart().length);
    if (parsed.ok) return [{ ...parsed.target, ...place(at) }];
    report(at, parsed.message);
    return [];
  });
  if (targets.length > 1) {
    const alone = targets.find(({ kind }) => kind === "discard" || kind === "refuse");
    if (alone)
      report(from, ":blackhole:, :fail: and :defer: stand alone: take the other targets out, or this one");
  }
  return targets;
}
