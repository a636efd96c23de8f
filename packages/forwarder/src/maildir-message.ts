// A message as it lies in a maildir: the fields of final delivery on top, and lines as files have them. Pure.
// Called by local-delivery.ts.
import type { Content, Envelope } from "@homing/mail";
import { renderMailbox, renderReversePath } from "@homing/srs-core";

const CR = 0x0d;

/**
 * RFC 5321 §4.4: final delivery keeps the envelope sender as Return-Path. Delivered-To has the mailbox that was
 * delivered to. Fields of these names further down are an earlier delivery's and stay: readers take the first.
 */
export async function* maildirMessage(
  { reversePath, recipient }: Envelope,
  message: Content,
): AsyncGenerator<Buffer> {
  const fields = `Return-Path: <${renderReversePath(reversePath)}>\nDelivered-To: ${renderMailbox(recipient)}\n`;
  yield Buffer.from(fields, "utf8");
  for await (const piece of message.pieces()) yield unixLines(piece);
}

/**
 * Lines end with LF, as every maildir reader expects: some show a CR, and grep and procmail rules stumble over it. DKIM
 * does not suffer: a message with a bare CR or LF was refused at the door, so each LF stands for one CRLF, and putting
 * the CRs back, as readers and verifiers do, gives the signed octets again.
 * Pieces may end anywhere: every CR goes, wherever its LF is.
 */
function unixLines(piece: Buffer): Buffer {
  const lines = Buffer.allocUnsafe(piece.length);
  let length = 0;
  let from = 0;
  for (let at = piece.indexOf(CR); at >= 0; at = piece.indexOf(CR, from)) {
    length += piece.copy(lines, length, from, at);
    from = at + 1;
  }
  length += piece.copy(lines, length, from);
  return lines.subarray(0, length);
}
