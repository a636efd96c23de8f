// The text of a file of trusted forwarders: `WHAT [for=RECIPIENTS] [until=DAY] reason`, an entry a line; lines that begin with
// white space continue the one before. docs/trusted-forwarders.md. Called by the composition root, who reads the file.
import {
  asciiLower,
  parseDomain,
  parseMailbox,
  printable,
  renderMailbox,
  type UnixSeconds,
} from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import { logicalLines } from "../tables/alias-file.ts";
import type { PlacedText } from "../tables/placed-text.ts";
import { parseMatch } from "./forwarder-match.ts";
import type { TrustedForwarder } from "./trust-entry.ts";

export interface ForwarderFile {
  readonly entries: readonly TrustedForwarder[];
  /** All of them, in their order. */
  readonly problems: readonly Problem[];
}

export function parseForwarderFile(text: string): ForwarderFile {
  const entries = new Map<string, TrustedForwarder>();
  const problems: Problem[] = [];
  for (const line of logicalLines(text, problems)) {
    const report: Report = (at, message) => problems.push({ ...line.place(at), message });
    const entry = parseEntry(line, report);
    if (!entry) continue;
    const key = JSON.stringify([entry.match, entry.recipients.toSorted()]);
    const earlier = entries.get(key);
    if (earlier) report(0, `"${printable(entry.entry)}" stands on line ${earlier.line} already: keep one`);
    else entries.set(key, entry);
  }
  return { entries: [...entries.values()], problems };
}

type Report = (at: number, message: string) => void;

interface Word {
  readonly text: string;
  readonly at: number;
}

interface Options {
  recipients?: readonly string[] | undefined;
  expires?: UnixSeconds | undefined;
}

const OPTION = /^([A-Za-z]+)=/;

/** Undefined where something is wrong with it: an entry never means more than was written. */
function parseEntry(line: PlacedText, report: Report): TrustedForwarder | undefined {
  let isGood = true;
  const wrong: Report = (at, message) => {
    isGood = false;
    report(at, message);
  };
  if (line.text.includes("\ufffd")) wrong(0, "the file is not UTF-8: convert it");
  const words = [...line.text.matchAll(/\S+/g)].map(({ 0: text, index: at }) => ({ text, at }));
  const [what, ...others] = words;
  if (!what) return undefined;
  const match = parseMatch(what.text);
  if (typeof match === "string") wrong(what.at, match);
  const reasonFrom = others.findIndex(({ text }) => !OPTION.test(text));
  const told = reasonFrom < 0 ? others : others.slice(0, reasonFrom);
  const { recipients = [], expires } = parseOptions(told, wrong);
  const reason =
    reasonFrom < 0
      ? ""
      : others
          .slice(reasonFrom)
          .map(({ text }) => text)
          .join(" ");
  if (reason === "") wrong(what.at, "no reason: say behind it why mail from there is let through");
  if (!isGood || typeof match === "string") return undefined;
  const entry = [what, ...told].map(({ text }) => text).join(" ");
  const until = expires === undefined ? {} : { expires };
  return { entry, line: line.place(0).line, reason, match, recipients, ...until };
}

function parseOptions(words: readonly Word[], wrong: Report): Options {
  const options: Options = {};
  for (const { text, at } of words) {
    const name = OPTION.exec(text)?.[1] ?? "";
    const value = text.slice(name.length + 1);
    const valueAt = at + name.length + 1;
    if (name === "for") {
      if (options.recipients) wrong(at, "for= is given twice: join the two with a comma");
      options.recipients = parseRecipients(value, valueAt, wrong);
    } else if (name === "until") {
      if (options.expires !== undefined) wrong(at, "until= is given twice: keep one");
      options.expires = parseDay(value, valueAt, wrong);
    } else wrong(at, `"${printable(name)}=" is neither for= nor until=: begin the reason with another word`);
  }
  return options;
}

function parseRecipients(list: string, at: number, wrong: Report): readonly string[] {
  const recipients: string[] = [];
  let from = at;
  for (const text of list.split(",")) {
    const read = parseRecipient(text);
    if (read.ok) recipients.push(read.text);
    else wrong(from, `${read.message}: write a domain or an alias of yours, without blanks behind commas`);
    from += text.length + 1;
  }
  return recipients;
}

function parseRecipient(
  text: string,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string } {
  if (text.includes("@")) {
    const parsed = parseMailbox(text);
    return parsed.ok ? { ok: true, text: asciiLower(renderMailbox(parsed.mailbox)) } : parsed;
  }
  const parsed = parseDomain(text);
  return parsed.ok ? { ok: true, text: asciiLower(parsed.domain) } : parsed;
}

const DAY_SECONDS = 86_400;

function parseDay(text: string, at: number, wrong: Report): UnixSeconds {
  const midnight = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // 31 February is no day, and would be one in March.
  if (!Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(text))
    return midnight / 1000 + DAY_SECONDS;
  wrong(at, `"${printable(text)}" is no day: write until=2027-01-31`);
  return 0;
}
