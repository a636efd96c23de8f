// A message as it lies in a maildir: the fields of final delivery on top, and lines as files have them. Pure.
// Called by local-delivery.ts.
import type { Envelope } from "@homing/mail";
import { renderMailbox, renderReversePath } from "@homing/srs-core";

const LF = 0x0a;
const CR = 0x0d;

/**
 * RFC 5321 §4.4: final delivery keeps the envelope sender as Return-Path. Delivered-To has the mailbox that was
 * delivered to. Fields of these names further down are an earlier delivery's and stay: readers take the first.
 */
export function maildirMessage({ reversePath, recipient }: Envelope, message: Buffer): Buffer {
  const fields = [
    `Return-Path: <${renderReversePath(reversePath)}>\r\n`,
    `Delivered-To: ${renderMailbox(recipient)}\r\n`,
  ];
  return unixLines(Buffer.concat([Buffer.from(fields.join(""), "utf8"), message]));
}

/**
 * Lines end with LF, as every maildir reader expects: some show a CR, and grep and procmail rules stumble over it. DKIM
 * does not suffer: a message with a bare CR or LF was refused at the door, so each LF stands for one CRLF, and putting
 * the CRs back, as readers and verifiers do, gives the signed octets again.
 */
function unixLines(message: Buffer): Buffer {
  const lines = Buffer.allocUnsafe(message.length);
  let length = 0;
  for (let at = 0; at < message.length; at++) {
    const octet = message[at] ?? 0;
    if (octet !== CR || message[at + 1] !== LF) lines[length++] = octet;
  }
  return lines.subarray(0, length);
}
