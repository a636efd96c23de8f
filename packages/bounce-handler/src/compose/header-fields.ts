// Fields of a message's header that a DSN of ours turns on. Called by compose-dsn.ts and reissue/.
import { trimmed } from "../read/octet-text.ts";

/** Unfolded values of each field of that name, in their order. Linear in the header. */
export function fieldValues(header: Buffer, name: string): readonly string[] {
  const start = `${name.toLowerCase()}:`;
  const values: string[] = [];
  let isOpen = false;
  for (const line of header.toString("latin1").split("\r\n")) {
    if (line === "") break;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (isOpen) values.push(`${values.pop()} ${trimmed(line)}`);
      continue;
    }
    isOpen = line.slice(0, start.length).toLowerCase() === start;
    if (isOpen) values.push(trimmed(line.slice(start.length)));
  }
  return values.map(trimmed);
}

/**
 * RFC 5322 §3.6.4, and stricter: letters, digits and what programs put between them, around one at sign. It may be a stranger's,
 * and a mail of ours lists it: it is no link, and no sentence. One pass.
 */
const MESSAGE_ID = /^<[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,150}@[A-Za-z0-9.-]{1,100}>$/;

export function isMessageId(value: string): boolean {
  return MESSAGE_ID.test(value);
}

/** Only one of the strict form: it goes into a header of ours, and into notices. */
export function messageIdOf(header: Buffer): string | undefined {
  const [value = ""] = fieldValues(header, "Message-ID");
  const [id = ""] = value.split(" ", 1);
  return isMessageId(id) ? id : undefined;
}
