// Addresses as a site gives them to nodemailer. Only those are taken that every reader takes apart in the same way: nodemailer
// 6.9 to 10, mail servers, and we. Called by read-recipients.ts, read-user.ts, mail-data.ts and plugin-rules.ts. RFC 5322 §3.4.
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import { checkName } from "../sender/check-name.ts";
import { type Stopped, stopped, stoppedBy } from "./plugin-problem.ts";

/** All recipients that one message may have, and their names, are a tenth of it. */
const MAX_LIST_LENGTH = 64 * 1024;
/** Outside of quotes: comments, groups, routes, escapes, domain literals. */
const UNFIT_OUTSIDE = new Set(["(", ")", ":", ";", "\\", "[", "]"]);
/** Blanks of all sorts, controls, and what is not to be seen. */
const UNSEEN = /[\p{Z}\p{C}]/u;
const PLAIN_HINT = "write it as alice@example.org, or as an object { name, address }";

/** As a header has it. */
export interface Entry {
  readonly name: string;
  readonly mailbox: Mailbox;
}

export type ReadMailbox = { readonly ok: true; readonly mailbox: Mailbox } | Stopped;
export type ReadEntries = { readonly ok: true; readonly entries: readonly Entry[] } | Stopped;

/** `alice@example.org`, and nothing around it. */
export function readPlainAddress(text: unknown, field: string): ReadMailbox {
  if (typeof text !== "string") return bad(field, "is no text");
  if (text.startsWith('"'))
    return bad(field, "has a quoted local part, which mail programs read differently");
  const parsed = parseMailbox(text);
  if (!parsed.ok) return bad(field, `is no address that can be used: ${parsed.message}`);
  const { mailbox } = parsed;
  if (mailbox.domain.startsWith("[")) return bad(field, "is at an IP address, not at a domain");
  const rendered = renderMailbox(mailbox);
  if (rendered.startsWith('"'))
    return bad(field, "has dots where they need quotes, which mail programs read differently");
  if (UNSEEN.test(rendered)) return bad(field, "holds a character that cannot be seen");
  return { ok: true, mailbox };
}

/** A text with one address or several, an object `{ name, address }`, or a list of these: what nodemailer takes for `to`. */
export function readEntries(value: unknown, field: string): ReadEntries {
  if (value === undefined || value === null || value === "") return { ok: true, entries: [] };
  if (typeof value === "string") return readText(value, field);
  if (!Array.isArray(value)) return readObject(value, field);
  const entries: Entry[] = [];
  for (const [index, one] of value.entries()) {
    const where = `${field}[${index}]`;
    const read = typeof one === "string" ? readText(one, where) : readObject(one, where);
    if (!read.ok) return read;
    entries.push(...read.entries);
  }
  return { ok: true, entries };
}

function readObject(value: unknown, field: string): ReadEntries {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return bad(field, "is no address");
  // nodemailer would write to all of a group, whatever `address` says.
  if ("group" in value) return bad(field, "is a group");
  const { name = "", address } = value as { readonly name?: unknown; readonly address?: unknown };
  if (typeof name !== "string") return bad(`${field}.name`, "is no text");
  const read = readPlainAddress(address, `${field}.address`);
  return read.ok ? named(name, read.mailbox, field) : read;
}

function readText(text: string, field: string): ReadEntries {
  if (text.length > MAX_LIST_LENGTH) return bad(field, `has more than ${MAX_LIST_LENGTH} characters`);
  const items = splitList(text);
  if (typeof items === "string") return bad(field, items);
  const entries: Entry[] = [];
  for (const item of items) {
    const read = readItem(item, field);
    if (!read.ok) return read;
    entries.push(...read.entries);
  }
  return { ok: true, entries };
}

/** At the commas outside of quotes; or what is wrong. */
function splitList(text: string): readonly string[] | string {
  const items: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') quoted = !quoted;
    else if (quoted && char === "\\") at++;
    else if (!quoted && UNFIT_OUTSIDE.has(char)) {
      return `holds "${char}" outside of quotes: comments, groups and IP addresses are read differently by mail programs`;
    } else if (!quoted && char === ",") {
      items.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (quoted) return "has an opening quote that is not closed";
  return [...items, text.slice(start)].map((item) => item.trim()).filter((item) => item !== "");
}

function readItem(item: string, field: string): ReadEntries {
  const open = item.lastIndexOf("<");
  if (open < 0 && !item.endsWith(">")) {
    const read = readPlainAddress(item, field);
    return read.ok ? { ok: true, entries: [{ name: "", mailbox: read.mailbox }] } : read;
  }
  if (open < 0 || !item.endsWith(">")) return bad(field, "has angle brackets that do not belong together");
  const read = readPlainAddress(item.slice(open + 1, -1), field);
  if (!read.ok) return read;
  const name = phrase(item.slice(0, open).trim());
  return name === undefined
    ? bad(field, "has a name that mail programs read differently")
    : named(name, read.mailbox, field);
}

/** Words without quotes, or all of it in quotes. */
function phrase(text: string): string | undefined {
  if (!text.startsWith('"')) return /["<>]/.test(text) ? undefined : text;
  const inner = text.slice(1, -1).replace(/\\(.)/gu, "$1");
  // One pair of quotes, and nothing behind it: else rendering gives another text.
  return `"${inner.replace(/["\\]/g, "\\$&")}"` === text ? inner : undefined;
}

/** Address books write the address as the name: that says nothing. */
function named(given: string, mailbox: Mailbox, field: string): ReadEntries {
  const name = given.trim();
  if (name.toLowerCase() === addressKey(mailbox)) return { ok: true, entries: [{ name: "", mailbox }] };
  const fault = checkName(name, `the name in ${field}`);
  return fault ? stoppedBy(fault, field) : { ok: true, entries: [{ name, mailbox }] };
}

function bad(field: string, why: string): Stopped {
  return stopped("invalid-field", `${field} ${why}`, { field, hint: PLAIN_HINT });
}
