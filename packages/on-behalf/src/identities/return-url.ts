// Where a user may be sent back to from our page: only to pages of the site, or the page would lead to anybody's (an open
// redirect). URLs are compared as browsers read them (WHATWG URL), never as text. Pure. Called by request-identity.ts.
import { type Refused, refused } from "../problem.ts";

/** More than any page needs; it is kept with the request. */
const MAX_URL = 2000;
/** No blank, control or backslash: browsers drop the ones and turn the other into a slash. */
const PRINTABLE = /^[!-[\]-~]+$/;
const BEGINNING = /^https?:\/\/[^/]/i;
/** An escaped slash, backslash or dot: some servers decode a path before they look for `..` in it, browsers do not. */
const ESCAPED_PATH = /%(?:2f|5c|2e)/i;
const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

export type ReadReturnUrl = { readonly ok: true; readonly url: string } | Refused;

/** @param beginnings of the site, each an origin or a path in one */
export function readReturnUrl(text: string, beginnings: readonly string[]): ReadReturnUrl {
  if (!isPlain(text)) {
    return notAllowed("is no URL of printable ASCII that begins with https:// or http://", beginnings);
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return notAllowed("holds a user name, which people take for the name of a site", beginnings);
  }
  if (!beginnings.some((beginning) => leadsInto(url, beginning))) {
    return notAllowed("begins with none of the site's URLs", beginnings);
  }
  return { ok: true, url: url.href };
}

function isPlain(text: string): boolean {
  return text.length <= MAX_URL && PRINTABLE.test(text) && BEGINNING.test(text) && URL.canParse(text);
}

/** The same origin, and a path that goes on behind a slash: `/cards` has `/cards/1` in it, and not `/cards-of-others`. */
function leadsInto(url: URL, beginning: string): boolean {
  if (!URL.canParse(beginning)) return false;
  const allowed = new URL(beginning);
  if (!isSameOrigin(url, allowed)) return false;
  const folder = allowed.pathname.endsWith("/") ? allowed.pathname : `${allowed.pathname}/`;
  return (
    url.pathname === allowed.pathname || (url.pathname.startsWith(folder) && !ESCAPED_PATH.test(url.pathname))
  );
}

/** RFC 8252 §7.3: on the loopback interface a program takes the port that is free, so a beginning without one has them all. */
function isSameOrigin(url: URL, allowed: URL): boolean {
  if (url.protocol !== allowed.protocol || url.hostname !== allowed.hostname) return false;
  return url.port === allowed.port || (allowed.port === "" && LOOPBACK.has(allowed.hostname));
}

function notAllowed(what: string, beginnings: readonly string[]): Refused {
  return refused("return-url-not-allowed", `returnUrl ${what}`, {
    field: "returnUrl",
    hint:
      beginnings.length === 0
        ? "leave it out, or have returnUrls set for the site"
        : `it begins with one of ${beginnings.join(" ")}`,
  });
}
