// Writes a DSN of our own: a multipart/report (RFC 6522) with a delivery status (RFC 3464) and the header of what came.
// Nothing is copied from the next hop's words, and the target is not even an argument: what is not known here cannot be
// given away (ADR 0013). Pure. Called by the forwarder's queue.
import { mailDate } from "@homing/mail";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { quotedPrintable } from "./quoted-printable.ts";
import { statusWords } from "./status-words.ts";

export interface Dsn {
  readonly action:
    | { readonly kind: "failed" }
    /** Not yet; `until` is when we give up. */
    | { readonly kind: "delayed"; readonly until: UnixSeconds };
  /** Our host name: the reporting MTA. */
  readonly hostname: string;
  /** Part of the Message-ID; no other DSN has it. Letters and digits. */
  readonly id: string;
  readonly now: UnixSeconds;
  /** The envelope sender that came. */
  readonly to: Mailbox;
  /** Address as the sender wrote it, and the real status code. */
  readonly failed: { readonly recipient: Mailbox; readonly enhanced: string };
  /** Of the message that it is about. */
  readonly arrived: UnixSeconds;
  /** Its octets as they came, at least to the end of the header; the body is not returned. */
  readonly original: Buffer;
}

/** Of the returned header: more than any reader wants, and Postfix's limit for a whole one. */
const MAX_HEADER_OCTETS = 100 * 1024;
/** RFC 5322 §2.1.1. */
const MAX_LINE_OCTETS = 998;

/** CRLF lines of ASCII; only the To field has UTF-8, where the sender's own address has. */
export function composeDsn(dsn: Dsn): Buffer {
  const boundary = `=_${dsn.id}`;
  const header = headerOf(dsn.original);
  const messageId = messageIdOf(header);
  const lines = [
    `From: Mail Delivery System <mailer-daemon@${dsn.hostname}>`,
    `To: <${renderMailbox(dsn.to)}>`,
    `Subject: ${dsn.action.kind === "failed" ? "Your mail was not delivered" : "Your mail is delayed"}`,
    `Date: ${mailDate(dsn.now)}`,
    `Message-ID: <${dsn.id}@${dsn.hostname}>`,
    ...(messageId === undefined ? [] : [`In-Reply-To: ${messageId}`, `References: ${messageId}`]),
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...part("text/plain", Buffer.from(words(dsn), "utf8"), "utf-8"),
    `--${boundary}`,
    "Content-Type: message/delivery-status",
    "",
    ...deliveryStatus(dsn),
    "",
    `--${boundary}`,
    ...part("text/rfc822-headers", header),
    `--${boundary}--`,
    "",
  ];
  return Buffer.from(lines.join("\r\n"), "utf8");
}

function deliveryStatus({ action, hostname, arrived, failed, now }: Dsn): readonly string[] {
  const recipient = typedAddress(failed.recipient);
  return [
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${mailDate(arrived)}`,
    "",
    // The address that the sender wrote is the final one, as far as anybody outside is concerned.
    `Final-Recipient: ${recipient}`,
    `Action: ${action.kind}`,
    `Status: ${failed.enhanced}`,
    `Last-Attempt-Date: ${mailDate(now)}`,
    ...(action.kind === "delayed" ? [`Will-Retry-Until: ${mailDate(action.until)}`] : []),
  ];
}

function words({ action, arrived, failed }: Dsn): string {
  const { happened, advice } = statusWords(failed.enhanced);
  const address = renderMailbox(failed.recipient);
  const about = `your mail of ${mailDate(arrived)} to\r\n\r\n    ${address}\r\n\r\n`;
  const lines =
    action.kind === "failed"
      ? [`Sorry: ${about}could not be delivered.`, "", happened, advice]
      : [
          `This is a warning only, you need not do anything: ${about}has not been delivered yet.`,
          "",
          `It will be tried until ${mailDate(action.until)}. If it cannot be delivered by then, you get another mail.`,
        ];
  return [...lines, "", `(Status ${failed.enhanced}.)`, ""].join("\r\n");
}

/** RFC 6533 §3: an address with UTF-8 in a status part of 7-bit characters. */
function typedAddress(mailbox: Mailbox): string {
  const address = renderMailbox(mailbox);
  if (isAscii(Buffer.from(address, "utf8"))) return `rfc822; ${address}`;
  const escaped = Array.from(address, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0x7e || character === "\\" ? `\\x{${code.toString(16).toUpperCase()}}` : character;
  });
  return `utf-8; ${escaped.join("")}`;
}

/** A part without its first boundary; encoded where it must be to be mail of 7 bits. */
function part(type: string, octets: Buffer, charset?: string): readonly string[] {
  const plain = isAscii(octets) && octets.toString("latin1").split("\r\n").every(isShort);
  const text = plain ? octets.toString("latin1") : quotedPrintable(octets);
  const named = charset === undefined ? "" : `; charset=${plain ? "us-ascii" : charset}`;
  return [
    `Content-Type: ${type}${named}`,
    ...(plain ? [] : ["Content-Transfer-Encoding: quoted-printable"]),
    "",
    text,
  ];
}

function isShort(line: string): boolean {
  return line.length <= MAX_LINE_OCTETS;
}

/** With the CRLF of its last line. */
function headerOf(original: Buffer): Buffer {
  const end = original.subarray(0, 2).toString("latin1") === "\r\n" ? 0 : original.indexOf("\r\n\r\n") + 2;
  const whole = end >= 2 || end === 0 ? original.subarray(0, end) : original;
  if (whole.length <= MAX_HEADER_OCTETS) return whole;
  const cut = whole.lastIndexOf("\r\n", MAX_HEADER_OCTETS - 2);
  return whole.subarray(0, cut < 0 ? 0 : cut + 2);
}

/** Only one of plain characters: it goes into a header of ours. */
function messageIdOf(header: Buffer): string | undefined {
  for (const line of header.toString("latin1").split("\r\n")) {
    if (!line.toLowerCase().startsWith("message-id:")) continue;
    const id = line.slice("message-id:".length).trim();
    return /^<[!-;=?-~]{1,250}>$/.test(id) ? id : undefined;
  }
  return undefined;
}

function isAscii(octets: Buffer): boolean {
  return octets.every((octet) => octet < 0x80 && octet !== 0);
}
