// Mails of our own to people who gave, or are said to have given, their address: fixed words, text alone, a null return path
// (RFC 3834 §3.3), so that nobody can make us write what he likes. Called by request-identity.ts and mail-link.ts.
import { mailDate } from "@homing/mail";
import { type Mailbox, NULL_PATH, octets, renderMailbox } from "@homing/srs-core";
import type { OnBehalfOptions } from "../on-behalf.ts";
import type { Mail } from "../store.ts";
import { encodedWords, isSevenBit, textBody } from "../text-encoding.ts";

export interface OwnMail {
  readonly to: Mailbox;
  readonly subject: string;
  /** Without line ends at their ends. */
  readonly lines: readonly string[];
}

export type OwnMailOptions = Pick<OnBehalfOptions, "hostname" | "sign" | "newId" | "newSecretId" | "now">;

/** Undefined where it cannot be signed now. */
export async function composeOwnMail(options: OwnMailOptions, mail: OwnMail): Promise<Mail | undefined> {
  const { hostname, sign, newId } = options;
  let message: Buffer;
  try {
    message = await sign(written(options, mail), hostname);
  } catch {
    // As `sign` says: it cannot be done now. Nothing is lost, whoever asked is told.
    return undefined;
  }
  const smtpUtf8 = !isSevenBit(mail.to.localPart);
  return {
    id: newId(),
    sender: NULL_PATH,
    reversePath: NULL_PATH,
    recipient: mail.to,
    message,
    // The To field alone, and it alone where the address has UTF-8 (RFC 6532): subject and text are encoded.
    eightBit: smtpUtf8,
    smtpUtf8,
  };
}

function written({ hostname, now, newSecretId }: OwnMailOptions, { to, subject, lines }: OwnMail): Buffer {
  const header = [
    `From: "${hostname}" <no-reply@${hostname}>`,
    `To: <${renderMailbox(to)}>`,
    `Subject: ${encodedWords(subject)}`,
    `Date: ${mailDate(now())}`,
    `Message-ID: <${newSecretId()}@${hostname}>`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
  ];
  return Buffer.from([...header, ...textBody(lines)].join("\r\n"), "utf8");
}

/** Lines of at most so many characters, as people read them in a mail. */
const WIDTH = 72;

/** Breaks at blanks. A word that is longer stays whole. */
export function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && octets(line) + 1 + octets(word) > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
