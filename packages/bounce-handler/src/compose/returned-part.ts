// The part of a DSN with what came: the header, or the whole message (RFC 6522 §3, RFC 3461 §4.3). Called by compose-dsn.ts;
// `encodedPart` by own-mail.ts, too.
import type { Dsn } from "./dsn.ts";
import { quotedPrintable } from "./quoted-printable.ts";

/** Of the returned header: more than any reader wants, and Postfix's limit for a whole one. */
const MAX_HEADER_OCTETS = 100 * 1024;
/** RFC 5322 §2.1.1. */
const MAX_LINE_OCTETS = 998;
const CR = 0x0d;
const LF = 0x0a;

/** Lines of the part, without a boundary; undefined where there is nothing to return. */
export function returnedPart(dsn: Dsn): readonly string[] | undefined {
  if (returnsAll(dsn)) return ["Content-Type: message/rfc822", "", dsn.original.toString("latin1")];
  const header = headerOf(dsn.original);
  if (header.length === 0) return undefined;
  const isGlobal = dsn.smtpUtf8 === true && !isPlain(header);
  return encodedPart(isGlobal ? "message/global-headers" : "text/rfc822-headers", header);
}

/**
 * RFC 3461 §4.3: of a delay or a success the header alone comes back. RFC 2046 §5.2.1: a message/rfc822 is not encoded, so
 * one of 8 bits comes back as its header, too.
 */
function returnsAll({ fullUpTo = 0, original, recipients }: Dsn): boolean {
  if (original.length === 0 || original.length > fullUpTo) return false;
  return recipients.some(({ action }) => action.kind === "failed") && isPlain(original);
}

/** A part without its first boundary; encoded where it must be to be mail of 7 bits. */
export function encodedPart(type: string, octets: Buffer, charset?: string): readonly string[] {
  const plain = isPlain(octets);
  const text = plain ? octets.toString("latin1") : quotedPrintable(octets);
  const named = charset === undefined ? "" : `; charset=${plain ? "us-ascii" : charset}`;
  return [
    `Content-Type: ${type}${named}`,
    ...(plain ? [] : ["Content-Transfer-Encoding: quoted-printable"]),
    "",
    text,
  ];
}

/** With the CRLF of its last line. */
export function headerOf(original: Buffer): Buffer {
  const end = original.subarray(0, 2).toString("latin1") === "\r\n" ? 0 : original.indexOf("\r\n\r\n") + 2;
  const whole = end >= 2 || end === 0 ? original.subarray(0, end) : original;
  if (whole.length <= MAX_HEADER_OCTETS) return whole;
  const cut = whole.lastIndexOf("\r\n", MAX_HEADER_OCTETS - 2);
  return whole.subarray(0, cut < 0 ? 0 : cut + 2);
}

/** Mail of 7 bits: ASCII without NUL, lines that end with CRLF, none of them too long (RFC 2045 §2.7). */
function isPlain(octets: Buffer): boolean {
  let start = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    if (octet >= 0x80 || octet === 0 || octet === LF) return false;
    if (octet === CR) {
      if (octets[at + 1] !== LF) return false;
      at++;
      start = at + 1;
    } else if (at - start >= MAX_LINE_OCTETS) {
      return false;
    }
  }
  return true;
}
