// Writes a DSN of our own: a multipart/report (RFC 6522) with a delivery status (RFC 3464) and the header of what came.
// Nothing is copied from the next hop's words, and the target is not even an argument: what is not known here cannot be
// given away (ADR 0013). Pure. Called by the forwarder's queue, and by reissue/.
import { mailDate } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import { deliveryStatus } from "./delivery-status.ts";
import type { Dsn } from "./dsn.ts";
import { dsnWords, subjectWords } from "./dsn-words.ts";
import { messageIdOf } from "./header-fields.ts";
import { encodedPart, headerOf, returnedPart } from "./returned-part.ts";

/** CRLF lines of ASCII; only the To field has UTF-8, where the sender's own address has, and the status over SMTPUTF8. */
export function composeDsn(dsn: Dsn): Buffer {
  const { hostname, id, now, to } = dsn;
  const boundary = `=_${id}`;
  const messageId = messageIdOf(headerOf(dsn.original));
  const returned = returnedPart(dsn);
  const lines = [
    `From: Mail Delivery System <mailer-daemon@${hostname}>`,
    `To: <${renderMailbox(to)}>`,
    `Subject: ${subjectWords(dsn)}`,
    `Date: ${mailDate(now)}`,
    `Message-ID: <${id}@${hostname}>`,
    ...(messageId === undefined ? [] : [`In-Reply-To: ${messageId}`, `References: ${messageId}`]),
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...encodedPart("text/plain", Buffer.from(dsnWords(dsn), "utf8"), "utf-8"),
    `--${boundary}`,
    ...statusPart(deliveryStatus(dsn)),
    "",
    ...(returned ? [`--${boundary}`, ...returned] : []),
    `--${boundary}--`,
    "",
  ];
  return Buffer.from(lines.join("\r\n"), "utf8");
}

/** RFC 6533 §4: a status with UTF-8 has a type of its own. */
function statusPart(lines: readonly string[]): readonly string[] {
  const isGlobal = lines.some((line) => /[^\0-\x7f]/.test(line));
  return isGlobal
    ? ["Content-Type: message/global-delivery-status", "Content-Transfer-Encoding: 8bit", "", ...lines]
    : ["Content-Type: message/delivery-status", "", ...lines];
}
