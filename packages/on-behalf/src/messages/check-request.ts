// Every field of a request, before anything is done with it. Nothing is cleaned: what cannot be in a message is refused, and
// said where it is. Called by messages.ts.
import { isIP } from "node:net";
import type { Mailbox } from "@homing/srs-core";
import { addressKey, readAddress } from "../address-key.ts";
import type { MessageRequest, Scope } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { checkName } from "../sender/check-name.ts";
import type { Site } from "../site.ts";
import { findLink } from "./find-link.ts";
import { checkCount, checkFromMode, checkProfile } from "./site-rules.ts";

export const MESSAGE_LIMITS = {
  subject: 200,
  text: 100_000,
  html: 200_000,
  reference: 200,
  /** Of somebody who is not logged in. */
  visitorText: 1000,
} as const;

export interface CheckedRequest {
  readonly ok: true;
  readonly recipients: readonly Mailbox[];
  readonly replyTo: Mailbox | undefined;
}

export function checkRequest(site: Site, request: MessageRequest): CheckedRequest | Refused {
  const { profile, onBehalfOf, to } = request;
  const fault =
    checkProfile(site, profile, onBehalfOf) ??
    checkProfileFields(request) ??
    checkFromMode(site, request.fromMode) ??
    checkTexts(request) ??
    checkVisitorIp(request) ??
    checkCount(site, to.length);
  if (fault) return fault;
  const recipients = readRecipients(to);
  if (!recipients.ok) return recipients;
  const replyTo = request.replyTo === undefined ? undefined : readAddress(request.replyTo, "replyTo");
  if (replyTo && !replyTo.ok) return replyTo;
  return { ok: true, recipients: recipients.list, replyTo: replyTo?.mailbox };
}

/** A note: enough to greet a friend, too little to sell him anything. Of all that the visitor can choose. */
export function checkVisitor(request: MessageRequest, scope: Scope): Refused | undefined {
  if (scope !== "visitor") return undefined;
  const { visitorIp, html, text, subject, name = "" } = request;
  if (visitorIp === undefined) {
    return refused("visitor-rules", "the IP address of the visitor's browser is missing", {
      field: "visitorIp",
      hint: "send visitorIp: the address that the browser has for the site, without a port",
    });
  }
  if (html !== undefined) return againstRules("html", "a visitor may send plain text alone");
  const most = MESSAGE_LIMITS.visitorText;
  if (characters(text) > most) {
    return againstRules("text", `a visitor's text may have ${most} characters, this has ${characters(text)}`);
  }
  for (const [field, value] of Object.entries({ text, subject, name })) {
    const found = findLink(value);
    if (found !== undefined)
      return againstRules(field, `a visitor may not send links, and mail programs may make one of ${found}`);
  }
  return undefined;
}

/** Fields that one profile has and another has not. */
function checkProfileFields(request: MessageRequest): Refused | undefined {
  if (request.profile === "on-behalf") {
    if (request.replyTo === undefined) return undefined;
    return invalid("replyTo", "is the user himself in mail on his behalf", "leave it out");
  }
  const others = ["onBehalfOf", "name", "fromMode"] as const;
  const field = others.find((one) => request[one] !== undefined);
  return field && invalid(field, "belongs to the profile on-behalf alone", "leave it out");
}

function checkTexts(request: MessageRequest): Refused | undefined {
  const { subject, text, html, reference, name } = request;
  return (
    checkLine("subject", subject, MESSAGE_LIMITS.subject) ??
    (subject.trim() === ""
      ? invalid("subject", "is empty", "give one: mail without is taken for spam")
      : undefined) ??
    (reference === undefined ? undefined : checkLine("reference", reference, MESSAGE_LIMITS.reference)) ??
    (name === undefined ? undefined : checkName(name, "name")) ??
    checkBody("text", text, MESSAGE_LIMITS.text) ??
    (text.trim() === ""
      ? invalid("text", "is empty", "give the plain text, also where there is HTML")
      : undefined) ??
    (html === undefined ? undefined : checkBody("html", html, MESSAGE_LIMITS.html))
  );
}

function checkVisitorIp({ visitorIp }: MessageRequest): Refused | undefined {
  if (visitorIp === undefined || (isIP(visitorIp) !== 0 && !visitorIp.includes("%"))) return undefined;
  return invalid("visitorIp", "is no IP address", "give the address of the browser, without a port");
}

/** What stands in a header field, or in a line: controls would end it. */
function checkLine(field: string, value: string, most: number): Refused | undefined {
  if (tooLong(value, most)) return invalid(field, `has more than ${most} characters`, "shorten it");
  if (!value.isWellFormed() || /[\p{Cc}\u2028\u2029]/u.test(value)) {
    return invalid(field, "holds a control character, a line break, or is no Unicode text", "take it out");
  }
  // RFC 2047: mail programs would read it as something else, with whatever it hides.
  return value.includes("=?")
    ? invalid(field, "holds an encoded word (=?)", "write it as people read it")
    : undefined;
}

/** Lines and tabs are text; other controls are not, and servers on the way refuse some of them. */
function checkBody(field: string, value: string, most: number): Refused | undefined {
  if (tooLong(value, most)) {
    return refused("message-too-large", `${field} has more than ${most} characters`, {
      field,
      hint: "put the long part on a page, and link to it",
    });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  if (!value.isWellFormed() || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.test(value)) {
    return invalid(field, "holds a control character, or is no Unicode text", "take it out");
  }
  return undefined;
}

function readRecipients(
  to: readonly string[],
): { readonly ok: true; readonly list: readonly Mailbox[] } | Refused {
  if (to.length === 0) return invalid("to", "names nobody", "give at least one recipient");
  const list: Mailbox[] = [];
  const places = new Map<string, number>();
  for (const [place, text] of to.entries()) {
    const field = `to[${place}]`;
    const read = readAddress(text, field);
    if (!read.ok) return read;
    const key = addressKey(read.mailbox);
    const earlier = places.get(key);
    if (earlier !== undefined)
      return invalid(field, `is the same as to[${earlier}]`, "name each recipient once");
    places.set(key, place);
    list.push(read.mailbox);
  }
  return { ok: true, list };
}

/** The first comparison spares a huge text the second: UTF-16 units are at most two for each character. */
function tooLong(value: string, most: number): boolean {
  return value.length > most && (value.length > 2 * most || characters(value) > most);
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function againstRules(field: string, detail: string): Refused {
  return refused("visitor-rules", detail, {
    field,
    hint: "ask for an identity of scope user, once the user has logged in",
  });
}

function invalid(field: string, why: string, hint: string): Refused {
  return refused("invalid-field", `${field} ${why}`, { field, hint });
}
