// An SMTP reply as a value. Whoever decides something makes one; only smtp-in/connection.ts writes it to a client.
// RFC 5321 §4.2, enhanced codes RFC 3463.

import { printable } from "@homing/srs-core";

export interface Reply {
  /** Three digits: 2xx done, 4xx try again, 5xx give up. */
  readonly code: number;
  /** `class.subject.detail`; its class is the code's first digit. */
  readonly enhanced: string;
  /** One line of printable text. What a stranger wrote goes through `printable` first. */
  readonly text: string;
}

const ENHANCED = /^([245])\.(\d{1,3})\.(\d{1,3})(?= |$)/;
/** RFC 5321 §4.5.3.1.5 gives a reply line 512 octets. */
const MAX_TEXT = 500;
const REPLY_LINE = /^([2-5]\d\d)(?:[ -]|$)/;

/** As it goes over the wire, without CRLF. */
export function renderReply(reply: Reply): string {
  return `${reply.code} ${reply.enhanced} ${reply.text}`;
}

export function isPositive(reply: Reply): boolean {
  return reply.code < 400;
}

/**
 * Reads another server's reply, of one line or several. The enhanced code is `class.0.0` where the server gave none
 * or one that contradicts the code; undefined where the text is no reply at all.
 */
export function parseReply(raw: string): Reply | undefined {
  const lines = raw.split(/\r?\n/);
  const code = Number(REPLY_LINE.exec(lines[0] ?? "")?.[1]);
  if (!code) return undefined;
  const texts = lines.map((line) => line.slice(4));
  const given = ENHANCED.exec(texts[0] ?? "");
  const sameClass = given?.[1] === String(code).charAt(0);
  return {
    code,
    enhanced: sameClass ? given[0] : `${String(code).charAt(0)}.0.0`,
    text: printable(texts.map((text) => text.replace(ENHANCED, "").trim()).join(" "), MAX_TEXT),
  };
}
