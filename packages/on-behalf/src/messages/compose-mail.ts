// A message as octets. The only file that makes MIME, with nodemailer's composer, which is given nothing but texts that were
// checked: no paths, no URLs, no raw parts. Called by compose-copy.ts.
import { mailDate } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Named } from "../sender/choose-from.ts";
import { addressField } from "./address-field.ts";

export interface ComposedFields {
  readonly from: Named;
  readonly sender?: Named | undefined;
  readonly replyTo?: Named | undefined;
  /** An address. */
  readonly to: string;
  readonly subject: string;
  /** Without the angle brackets. */
  readonly messageId: string;
  readonly now: UnixSeconds;
  /** CRLF lines. */
  readonly text: string;
  readonly html?: string | undefined;
  /** Where the reader can stop it. */
  readonly manageUrl: string;
  readonly feedbackId: string;
  /** Stands in no text. Letters, digits, hyphens. */
  readonly boundary: string;
}

/** CRLF line ends throughout. */
export async function composeMail(fields: ComposedFields): Promise<Buffer> {
  const { from, sender, replyTo, to, subject, messageId, now, text, html } = fields;
  const composer = new MailComposer({
    headers: {
      // RFC 2369 §3.2, RFC 8058 §3.1: a mail program has a button for it.
      "List-Unsubscribe": prepared(`<${fields.manageUrl}>`),
      "List-Unsubscribe-Post": prepared("List-Unsubscribe=One-Click"),
      // What Gmail counts complaints by.
      "Feedback-ID": prepared(fields.feedbackId),
    },
    // A blank at its end, behind a word as long as a line, would be folded into a line of nothing else (RFC 5322 §3.2.2).
    subject: subject.trim(),
    messageId: `<${messageId}>`,
    date: mailDate(now),
    text,
    ...(html !== undefined && { html }),
    baseBoundary: fields.boundary,
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: "\r\n",
  });
  const addresses = [
    addressField("From", from),
    ...(sender ? [addressField("Sender", sender)] : []),
    ...(replyTo ? [addressField("Reply-To", replyTo)] : []),
    addressField("To", { name: "", address: to }),
  ];
  return Buffer.concat([Buffer.from(addresses.join("")), await composer.compile().build()]);
}

/** Written as it is. */
function prepared(value: string): { readonly prepared: true; readonly value: string } {
  return { prepared: true, value };
}
