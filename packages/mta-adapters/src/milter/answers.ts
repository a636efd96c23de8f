// What is said to a mail server: a word for each command, and changes of the message at its end. Called by session.ts.
import { type Reply, renderReply } from "@homing/mail";
import { printable } from "@homing/srs-core";
import { renderFrame } from "./frames.ts";

export const CONTINUE = renderFrame("c");
export const SKIP = renderFrame("s");
export const TEMPFAIL = renderFrame("t");

export type Change =
  | { readonly kind: "sender"; readonly sender: string }
  /** The text that RCPT had, to the octet: else no recipient is found. */
  | { readonly kind: "delete-recipient"; readonly path: string }
  | { readonly kind: "add-recipient"; readonly recipient: string }
  /** On top of the header; with its CRLF, and folded where it is long. */
  | { readonly kind: "field"; readonly field: string };

/** RFC 5321 §4.5.3.1.5 gives a reply line 512 octets. */
const MAX_REPLY = 500;
const ON_TOP = Buffer.alloc(4);

/** Sendmail prints the text with it as the format, and Postfix takes a doubled % for one. */
export function renderRefusal(reply: Reply): Buffer {
  const text = printable(renderReply(reply), MAX_REPLY).replaceAll("%", "%%");
  return renderFrame("y", `${text}\0`);
}

/**
 * A sender is given without ESMTP parameters: Postfix and Sendmail keep those that the client gave, and forget them where others
 * come along.
 *
 * @param hasLeadingSpace the blank behind the colon is ours to give
 */
export function renderChange(change: Change, hasLeadingSpace: boolean): Buffer {
  switch (change.kind) {
    case "sender":
      return renderFrame("e", `<${change.sender}>\0`);
    case "delete-recipient":
      return renderFrame("-", `${change.path}\0`);
    case "add-recipient":
      return renderFrame("+", `<${change.recipient}>\0`);
    case "field": {
      const { name, value } = fieldParts(change.field);
      return renderFrame("i", ON_TOP, `${name}\0${hasLeadingSpace ? " " : ""}${value}\0`);
    }
  }
}

/** Lines of a value end with LF here: Sendmail would write a CR twice. */
function fieldParts(field: string): { name: string; value: string } {
  const colon = field.indexOf(":");
  const value = field.slice(colon + 1).trim();
  return { name: field.slice(0, colon), value: value.replaceAll("\r\n", "\n").replaceAll("\0", "") };
}
