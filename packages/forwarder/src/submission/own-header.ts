// May a person send a message with this header, and what does it lack? From and Sender hold addresses of his own; Date and
// Message-ID are added (RFC 6409 §8). Called by people.ts.
import { mailDate, type Reply } from "@homing/mail";
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import { readHeader, readMailboxList } from "./header-lists.ts";
import { isOwn, type OwnAddresses } from "./users-file.ts";

export type CheckedHeader =
  | {
      readonly kind: "own";
      /** The first author. */
      readonly from: Mailbox;
      readonly hasSeveralAuthors: boolean;
      /** As it came, unfolded; "" where there is none. */
      readonly subject: string;
      /** Fields for the top, each with its CRLF. */
      readonly missing: string;
    }
  | { readonly kind: "refuse"; readonly reason: string; readonly reply: Reply };

export interface HeaderCheck {
  readonly start: Buffer;
  readonly own: OwnAddresses;
  /** Queue id: no other message has it. */
  readonly id: string;
  /** Behind the @ of a Message-ID that is missing. */
  readonly hostname: string;
  readonly now: UnixSeconds;
}

const WANTED = new Set(["from", "sender", "date", "message-id", "subject"]);

export function checkHeader({ start, own, id, hostname, now }: HeaderCheck): CheckedHeader {
  const fields = readHeader(start, WANTED);
  // Some readers take it for the end of the header, and others read on: to them, another From.
  if (!fields) return refuse("header-syntax", "5.6.0", "a line of the header is no field");
  const [from, ...others] = fields.get("from") ?? [];
  if (from === undefined)
    return refuse("no-from", "5.7.1", "the message has no From field: put your own address there");
  // Each reader shows another one.
  if (others.length > 0) return refuse("several-from", "5.7.1", "the message has several From fields");
  const authors = readMailboxList(from);
  const [author] = authors ?? [];
  if (!authors || !author)
    return refuse("from-syntax", "5.7.1", 'From cannot be read: write "Your Name" <your@address>');
  if (!authors.every((one) => isOwn(own, one)))
    return refuse("from-not-own", "5.7.1", "From holds an address that is not yours: put your own there");
  const [sender, ...moreSenders] = fields.get("sender") ?? [];
  if (sender !== undefined) {
    // "Boss on behalf of Alice", as some show it.
    const [one, ...more] = readMailboxList(sender) ?? [];
    const isFine = moreSenders.length === 0 && more.length === 0 && one !== undefined && isOwn(own, one);
    if (!isFine) return refuse("sender-not-own", "5.7.1", "Sender is not an address of yours: leave it out");
  }
  const date = fields.has("date") ? "" : `Date: ${mailDate(now)}\r\n`;
  const messageId = fields.has("message-id") ? "" : `Message-ID: <${id}@${hostname}>\r\n`;
  const [subject = ""] = fields.get("subject") ?? [];
  return {
    kind: "own",
    from: author,
    hasSeveralAuthors: authors.length > 1,
    subject: subject.trim(),
    missing: date + messageId,
  };
}

function refuse(reason: string, enhanced: string, text: string): CheckedHeader {
  return { kind: "refuse", reason, reply: { code: 550, enhanced, text } };
}
