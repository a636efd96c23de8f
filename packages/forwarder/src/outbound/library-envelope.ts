// The envelope of a message as the server's extensions allow it, and what they do not allow. Called by out-connection.ts.
import { isAscii } from "node:buffer";
import type { Content, Reply } from "@homing/mail";
import { renderMailbox, renderReversePath } from "@homing/srs-core";
import type { AttemptOptions } from "./attempt.ts";
import type { Library, LibraryEnvelope } from "./library.ts";

const NO_SMTPUTF8: Reply = { code: 550, enhanced: "5.6.7", text: "the next hop does not take SMTPUTF8" };
/** RFC 6152 §3: 8-bit content must not go to a server that did not offer to take it. */
export const NO_EIGHT_BIT: Reply = {
  code: 550,
  enhanced: "5.6.3",
  text: "the next hop does not take 8-bit content",
};
const TOO_BIG: Reply = { code: 552, enhanced: "5.3.4", text: "larger than the next hop takes" };

export function takes({ _supportedExtensions }: Library, extension: string): boolean {
  return _supportedExtensions.includes(extension);
}

/** What the server's offers rule out. The library would send it anyway, or fail without a reply to carry. */
export function unsendable(options: AttemptOptions, library: Library): Reply | undefined {
  const { message } = options;
  if (!takes(library, "SMTPUTF8") && needsSmtpUtf8(options)) return NO_SMTPUTF8;
  // What counts is the content: clients promise 8BITMIME for messages that hold nothing but ASCII.
  if (!takes(library, "8BITMIME") && !startsAscii(message)) return NO_EIGHT_BIT;
  return library._maxAllowedSize && message.octets > library._maxAllowedSize ? TOO_BIG : undefined;
}

function needsSmtpUtf8({ envelope, alsoTo = [] }: AttemptOptions): boolean {
  const { smtpUtf8, reversePath, recipient } = envelope;
  const recipients = [recipient, ...alsoTo].map(renderMailbox);
  return smtpUtf8 || /[^\0-\x7f]/.test(renderReversePath(reversePath) + recipients.join(""));
}

function startsAscii(message: Content): boolean {
  return (message.parts ?? [message.start]).every((part) => isAscii(part));
}

export function libraryEnvelope({ envelope, message, alsoTo = [], dsn }: AttemptOptions): LibraryEnvelope {
  const { reversePath, recipient, eightBit } = envelope;
  return {
    from: renderReversePath(reversePath),
    to: alsoTo.length === 0 ? renderMailbox(recipient) : [recipient, ...alsoTo].map(renderMailbox),
    size: message.octets,
    // Octets that the client did not announce are announced here.
    use8BitMime: eightBit || !startsAscii(message),
    ...(dsn ? { dsn } : {}),
  };
}
