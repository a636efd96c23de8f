// The envelope of a message as the server's extensions allow it, and what they do not allow. Called by out-connection.ts.
import { isAscii } from "node:buffer";
import { type Content, type Envelope, fieldsNamed, isInMemory, type Reply } from "@homing/mail";
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

/**
 * RFC 6531 §3.4: what counts are the addresses and the headers. Clients promise SMTPUTF8 for messages that have ASCII in all of
 * them, and those may go anywhere.
 */
function needsSmtpUtf8({ envelope, alsoTo = [], message }: AttemptOptions): boolean {
  const { smtpUtf8, reversePath, recipient } = envelope;
  const recipients = [recipient, ...alsoTo].map(renderMailbox);
  const isUtf8 = /[^\0-\x7f]/.test(renderReversePath(reversePath) + recipients.join(""));
  return isUtf8 || (smtpUtf8 && !hasAsciiHeaders(message));
}

/** As the client said, to a server that knows what it means. */
export function asksSmtpUtf8(envelope: Envelope | undefined, library: Library): boolean {
  return envelope?.smtpUtf8 === true && takes(library, "SMTPUTF8");
}

/**
 * Those of its parts too (RFC 6532 §3): a file name may be UTF-8 there. False also where that cannot be told: the end of the
 * header is not in memory, or the parts are not.
 */
export function hasAsciiHeaders(message: Content): boolean {
  const { start, octets } = message;
  if (isInMemory(message) && startsAscii(message)) return true;
  const end = start.indexOf("\r\n\r\n", 0, "latin1");
  if (end === -1) return start.length === octets && isAscii(start);
  return isAscii(start.subarray(0, end)) && hasNoParts(start);
}

/** RFC 2045 §5.2: without a type it is text. Of another type, or one that is hard to read, nobody knows what is in it. */
function hasNoParts(start: Buffer): boolean {
  return fieldsNamed(start, "content-type").every(({ from, to }) => {
    const value = start.indexOf(":", from, "latin1") + 1;
    return start.toString("latin1", value, to).trimStart().slice(0, 5).toLowerCase() === "text/";
  });
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
    // Octets that the client did not announce are announced here, and so is what nobody has looked at yet.
    use8BitMime: eightBit || !startsAscii(message) || !isInMemory(message),
    ...(dsn ? { dsn } : {}),
  };
}
