// The frame of every mail that we write ourselves: its header, and the parts of a report (RFC 6522). Pure. Called by
// compose-dsn.ts, folded-notice.ts and postmaster-digest.ts.
import { mailDate } from "@homing/mail";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { encodedPart } from "./returned-part.ts";

export interface OwnMail {
  /** Ours: the reporting MTA, and the domain of our From. */
  readonly hostname: string;
  /** Part of the Message-ID and of the boundary; nobody can guess it, no other mail has it. Letters and digits. */
  readonly id: string;
  readonly now: UnixSeconds;
  readonly to: Mailbox;
}

/** To the end of Auto-Submitted. */
export interface OwnHeader {
  readonly subject: string;
  /** Of the message that it is about. */
  readonly messageId?: string | undefined;
  /** RFC 3834 §5: in answer to a message, or of itself. */
  readonly automatic: "auto-replied" | "auto-generated";
}

export interface ReportParts {
  readonly words: string;
  /** Lines of the part that machines read. */
  readonly status: readonly string[];
  /** Lines of the third part. */
  readonly returned?: readonly string[] | undefined;
}

/** CRLF lines of ASCII; only the To field has UTF-8, where the reader's own address has, and the status over SMTPUTF8. */
export function reportMail(mail: OwnMail, header: OwnHeader, parts: ReportParts): Buffer {
  const boundary = `=_${mail.id}`;
  return octetsOf([
    ...headerLines(mail, header),
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...textPart(parts.words),
    `--${boundary}`,
    ...statusPart(parts.status),
    "",
    ...(parts.returned ? [`--${boundary}`, ...parts.returned] : []),
    `--${boundary}--`,
    "",
  ]);
}

/** Words alone. */
export function textMail(mail: OwnMail, header: OwnHeader, words: string): Buffer {
  return octetsOf([...headerLines(mail, header), ...textPart(words)]);
}

function headerLines({ hostname, id, now, to }: OwnMail, header: OwnHeader): readonly string[] {
  const { subject, messageId, automatic } = header;
  return [
    `From: Mail Delivery System <mailer-daemon@${hostname}>`,
    `To: <${renderMailbox(to)}>`,
    `Subject: ${subject}`,
    `Date: ${mailDate(now)}`,
    `Message-ID: <${id}@${hostname}>`,
    ...(messageId === undefined ? [] : [`In-Reply-To: ${messageId}`, `References: ${messageId}`]),
    `Auto-Submitted: ${automatic}`,
    "MIME-Version: 1.0",
  ];
}

function textPart(words: string): readonly string[] {
  return encodedPart("text/plain", Buffer.from(words, "utf8"), "utf-8");
}

/** RFC 6533 §4: a status with UTF-8 has a type of its own. */
function statusPart(lines: readonly string[]): readonly string[] {
  const isGlobal = lines.some((line) => /[^\0-\x7f]/.test(line));
  return isGlobal
    ? ["Content-Type: message/global-delivery-status", "Content-Transfer-Encoding: 8bit", "", ...lines]
    : ["Content-Type: message/delivery-status", "", ...lines];
}

function octetsOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"), "utf8");
}
