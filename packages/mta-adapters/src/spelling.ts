// Spellings of an address that a mail server turns into another address after it has asked us: judged is what it will be, or
// nothing. RFC 5321 has none of them. Called by policy and milter.
import type { Reply } from "@homing/mail";
import { looksLikeSrs } from "@homing/srs-core";

/**
 * Longer ones are refused, and are not kept: a mail server tells a thousand recipients in one message. RFC 5321 §4.5.3.1.3 gives
 * a path 256 octets; a source route stands before it.
 */
export const MAX_PATH = 1024;

export const BAD_RECIPIENT: Reply = {
  code: 553,
  enhanced: "5.1.3",
  text: "this address has a % or !, a route, a comment or a blank in it: write it as user@domain",
};
export const BAD_SENDER: Reply = {
  code: 553,
  enhanced: "5.1.7",
  text: "the sender has a % or !, a route, a comment or a blank in it: write it as user@domain",
};
export const LONG_RECIPIENT: Reply = { code: 550, enhanced: "5.1.3", text: "this address is too long" };
export const LONG_SENDER: Reply = { code: 553, enhanced: "5.1.7", text: "the sender address is too long" };

/** Routes of their own, of old: `user%domain@relay`, `domain!user`. Postfix looks inside quotes for them, too. */
const ROUTING = /[%!@]/;
/** RFC 5322 specials, blanks and controls: outside quotes they begin a comment, a quoted pair, a group or a route. */
const NOT_IN_LOCAL_PART = /[\p{Cc} ()<>[\]:;\\,"%!]/u;
const NOT_IN_DOMAIN = /[\p{Cc} ()<>;\\,"%!@]/u;

/** @param text of an address, without angle brackets and the root dot; "" is the null sender */
export function isStrangelySpelt(text: string): boolean {
  const quoted = text.startsWith('"') ? endOfQuotes(text) : 0;
  if (quoted < 0) return true;
  const at = text.indexOf("@", quoted);
  const localPart = at < 0 ? text : text.slice(0, at);
  const domain = at < 0 ? undefined : text.slice(at + 1);
  const isStrange =
    quoted > 0
      ? localPart.length !== quoted || ROUTING.test(localPart)
      : at === 0 || NOT_IN_LOCAL_PART.test(localPart);
  if (isStrange || (domain !== undefined && (NOT_IN_DOMAIN.test(domain) || domain.endsWith("."))))
    return true;
  // The mail server puts its own domain there, and that may be the SRS domain.
  return !/[.[]/.test(domain ?? "") && looksLikeSrs(localPart.replaceAll(/["\\]/g, ""));
}

/** The index behind the closing quote; −1 where there is none. */
function endOfQuotes(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}
