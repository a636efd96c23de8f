// A bounce as a site behind an alias writes it: a report of Postfix's, with the header of the message that it returns.
// Called by verify.ts, and by offer.ts; bench:returns has a large one.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const SAMPLE = join(import.meta.dirname, "../../../packages/bounce-handler/testdata/dsn/postfix-rcpt550.eml");

export interface Bounced {
  /** The sender of the message when it came to the site. */
  readonly srsAddress: string;
  /** As the message's sender knew the recipient. */
  readonly alias: string;
  /** As the site does: what nobody else may hear. */
  readonly target: string;
  /** The local part of the message's Message-ID. */
  readonly id: string;
  /** Homing's mark on the header of the message, in its Received field; to others it is some text. */
  readonly mark: string;
}

/** No mark of anybody's. */
export const NO_MARK = "0".repeat(20);

/** By what stands in the sample. */
const PLACES: readonly [inSample: RegExp, field: keyof Bounced][] = [
  [/SRS0=R4NK=JJ=sender\.example=alice@fwd\.example\.net/g, "srsAddress"],
  [/shop@fwd\.example\.net/g, "alias"],
  [/nouser@dest\.example/g, "target"],
  [/rcpt550\.lab(?=@)/g, "id"],
  // Of its own Message-ID.
  [/DDC692222F5(?=@)/g, "id"],
];

/** Most mail has one, longer than all the rest of its header. With it a bounce has 4 KB. */
const SIGNATURE = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=2026;\r\n${`\t${"b".repeat(74)}\r\n`.repeat(10)}`;

/** The forwarder was the server before the site. */
const RECEIVED = `Received: from out.sender.example ([192.0.2.3])\r\n\tby mx.fwd.example (Homing) with ESMTP id 0123456789abcdef0123\r\n\t(loop ${NO_MARK})\r\n\t(header {mark})\r\n\tfor <{alias}>; Fri, 20 Nov 2026 20:31:39 +0000\r\n`;

/** With the names of the fields in braces. */
export const BOUNCE_TEMPLATE: string = PLACES.reduce(
  (text, [inSample, field]) => text.replaceAll(inSample, `{${field}}`),
  readFileSync(SAMPLE, "latin1").replace("From: Alice <", `${RECEIVED}${SIGNATURE}From: Alice <`),
);

/** The header that it returns. */
export function returnedHeader(bounced: Bounced): string {
  const message = bounceMessage(bounced);
  return `${message.slice(message.indexOf("Return-Path:"), message.lastIndexOf("\r\n\r\n--"))}\r\n\r\n`;
}

/** Lines end with CRLF, and none begins with a dot. */
export function bounceMessage(bounced: Bounced): string {
  return BOUNCE_TEMPLATE.replaceAll(/\{(\w+)\}/g, (_, field: keyof Bounced) => bounced[field]);
}

/** The same bounce around a whole message of so many octets: what comes before it, and what comes behind it. */
export function bounceAround(bounced: Bounced): { readonly head: string; readonly tail: string } {
  const text = bounceMessage(bounced).replace(
    "Content-Type: text/rfc822-headers",
    "Content-Type: message/rfc822",
  );
  const end = text.lastIndexOf("\r\n--");
  return { head: `${text.slice(0, end)}\r\n`, tail: text.slice(end) };
}
