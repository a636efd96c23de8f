// What else stands in a message beside onBehalfOf: what would contradict it, or end a header line, is refused. Called by
// on-behalf-plugin.ts. Keys are those of nodemailer's message.
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import { type Entry, readEntries } from "./plain-address.ts";
import { type Stopped, stopped } from "./plugin-problem.ts";

/** nodemailer's message, with anything in it. */
export type MailData = Record<string, unknown>;

const CONTROLS = /[\p{Cc}\u2028\u2029]/u;
/** Fields that say who wrote, to whom, and where answers and bounces go. */
const OWN_FIELDS = /^(?:from|sender|reply-to|to|cc|bcc|subject|message-id|return-path|errors-to|resent-.*)$/i;
/** RFC 5322 §2.2. */
const FIELD_NAME = /^[!-9;-~]+$/;
/** Texts that nodemailer writes into a header. */
const HEADER_TEXTS = ["subject", "inReplyTo", "references", "messageId", "xMailer", "date", "priority"];
/** How deep nodemailer looks into headers and lists. */
const MAX_DEPTH = 4;

/** Before anybody is asked about the user. */
export function checkMailData(data: MailData): Stopped | undefined {
  for (const key of ["raw", "envelope"]) {
    if (isGiven(data[key])) return contradiction(key, "decides what onBehalfOf decides", `leave ${key} out`);
  }
  for (const key of HEADER_TEXTS) {
    if (hasControls(data[key])) return unfit(key, "holds a control character or a line break");
  }
  if (isGiven(data.subject) && typeof data.subject !== "string") return unfit("subject", "is no text");
  return (
    checkHeaders(data.headers) ??
    (hasControls(data.list) ? unfit("list", "holds a control character") : undefined)
  );
}

/** Addresses beside onBehalfOf are taken where they say the same, as defaults of a transporter do. */
export function checkSenders(data: MailData, site: Mailbox, user: Mailbox): Stopped | undefined {
  const rules: readonly [key: string, allowed: readonly Mailbox[]][] = [
    ["from", [site, user]],
    ["sender", [site]],
    ["replyTo", [user]],
  ];
  for (const [key, allowed] of rules) {
    const value = data[key];
    if (!isGiven(value)) continue;
    const read = readEntries(value, key);
    if (read.ok && read.entries.length === 1 && allowed.some((one) => isSame(read.entries[0], one))) continue;
    const words = allowed.map(renderMailbox).join(" or ");
    return contradiction(key, "names somebody else than onBehalfOf", `leave it out: it becomes ${words}`);
  }
  return undefined;
}

/** The site's own Message-ID is taken where it is at the site's domain. */
export function messageIdOf(data: MailData, site: Mailbox, newId: () => string): string | Stopped {
  const given = data.messageId;
  if (!isGiven(given)) return `<${newId()}@${site.domain}>`;
  const [, local = "", domain = ""] = /^<?([^\s<>@]{1,200})@([^\s<>@]{1,253})>?$/.exec(String(given)) ?? [];
  if (domain.toLowerCase() === site.domain && /^[!-~]+$/.test(local)) return `<${local}@${site.domain}>`;
  return contradiction(
    "messageId",
    `is not at ${site.domain}`,
    "leave it out, or make one at the site's domain",
  );
}

function checkHeaders(headers: unknown): Stopped | undefined {
  for (const [name, value] of fieldsOf(headers)) {
    const field = `headers.${name.slice(0, 40)}`;
    if (!FIELD_NAME.test(name)) return unfit("headers", "has a name that no header field can have");
    if (OWN_FIELDS.test(name))
      return contradiction(
        field,
        "is a field that onBehalfOf or nodemailer's own keys decide",
        "leave it out",
      );
    if (hasControls(value)) return unfit(field, "holds a control character or a line break");
  }
  return undefined;
}

/** As nodemailer reads them: an object, `{ key, value }`, or a list of these. */
function fieldsOf(headers: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (Array.isArray(headers)) return headers.flatMap((one) => pairOf(one));
  if (typeof headers !== "object" || headers === null) return [];
  // Both readings count: nodemailer takes one of them.
  return [...Object.entries(headers), ...pairOf(headers)];
}

function pairOf(one: unknown): readonly (readonly [string, unknown])[] {
  if (typeof one !== "object" || one === null || !("key" in one)) return [];
  return [[String(one.key), "value" in one ? one.value : undefined]];
}

function hasControls(value: unknown, depth = 0): boolean {
  if (value === undefined || value === null || value instanceof Date) return false;
  if (typeof value !== "object") return CONTROLS.test(String(value));
  if (depth >= MAX_DEPTH) return true;
  return Object.entries(value).some(([key, one]) => CONTROLS.test(key) || hasControls(one, depth + 1));
}

function isSame(entry: Entry | undefined, mailbox: Mailbox): boolean {
  return entry !== undefined && addressKey(entry.mailbox) === addressKey(mailbox);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && value !== false;
}

function contradiction(field: string, why: string, hint: string): Stopped {
  return stopped("field-contradicts", `${field} ${why}`, { field, hint });
}

function unfit(field: string, why: string): Stopped {
  return stopped("invalid-field", `${field} ${why}`, { field, hint: "give plain text in one line" });
}
