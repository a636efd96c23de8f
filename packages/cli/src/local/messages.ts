// The message that `homing local` sends through itself.
import { type Content, type Envelope, mailDate, memoryContent } from "@homing/mail";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";

export const ORIGINAL_SENDER: Mailbox = { localPart: "bob", domain: "origin.example" };

export function greeting(
  to: Mailbox,
  now: UnixSeconds,
): { readonly envelope: Envelope; readonly message: Content } {
  const message = [
    `From: Bob <${renderMailbox(ORIGINAL_SENDER)}>`,
    `To: Alice <${renderMailbox(to)}>`,
    "Subject: Are you still there?",
    `Date: ${mailDate(now)}`,
    "Message-ID: <1@origin.example>",
    "",
    "Hello Alice!",
    "",
  ].join("\r\n");
  return {
    envelope: { reversePath: ORIGINAL_SENDER, recipient: to, eightBit: false, smtpUtf8: false },
    message: memoryContent(Buffer.from(message)),
  };
}
