// What the trace of a message that comes in says: how many servers had it, and which loop tokens they wrote.
// RFC 5321 §4.4, §6.3. Called by the forwarder; trace.ts writes the field.
import { asciiLower } from "@homing/srs-core";

export interface Trace {
  /** Received fields, counted no further than asked for. */
  readonly hops: number;
  /** What stands where a Received field of ours has its token, topmost first. Anybody may have written it. */
  readonly tokens: readonly string[];
  /** The Message-ID, `""` without one: what stays the same while a message goes round (RFC 5322 §3.6.4). */
  readonly messageId: string;
}

/** No field of ours is nearly as long, even folded anew; of longer ones, this much is read. */
const MAX_FIELD_OCTETS = 4096;
const RECEIVED = Buffer.from("received:");
const MESSAGE_ID = Buffer.from("message-id:");
const TOKEN = "(loop";
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Reads the header block in one pass. Octet by octet, and text only where a field is wanted: a header block of millions
 * of short lines holds up everybody else's mail no longer than one of long lines.
 * @param maxHops stops at so many Received fields, whatever stands below
 */
export function readTrace(message: Buffer, maxHops: number): Trace {
  const tokens: string[] = [];
  let hops = 0;
  let messageId: string | undefined;
  let from = 0;
  while (hops < maxHops && from < message.length && !isEmptyLine(message, from)) {
    const end = endOfField(message, from);
    if (isNamed(message, from, RECEIVED)) {
      hops++;
      const token = tokenIn(bareText(message, from, end));
      if (token !== undefined) tokens.push(token);
    } else if (messageId === undefined && isNamed(message, from, MESSAGE_ID)) {
      messageId = bareText(message, from + MESSAGE_ID.length, end);
    }
    from = end;
  }
  return { hops, tokens, messageId: messageId ?? "" };
}

/** The first comment of its kind: ours stands before anything that a client chose. */
function tokenIn(received: string): string | undefined {
  const start = received.indexOf(TOKEN);
  const end = received.indexOf(")", start);
  return start < 0 || end < 0 ? undefined : received.slice(start + TOKEN.length, end);
}

/** A server may fold a field elsewhere, and some change its case: neither is left. Octets become characters one to one. */
function bareText(message: Buffer, from: number, end: number): string {
  const text = message.toString("latin1", from, Math.min(end, from + MAX_FIELD_OCTETS));
  return asciiLower(text.replace(/[ \t\r\n]/g, ""));
}

/** Where the next field begins: behind a CRLF that no white space follows. */
function endOfField(message: Buffer, from: number): number {
  for (let at = from; at < message.length; at++) {
    if (message[at] !== LF || message[at - 1] !== CR) continue;
    const next = message[at + 1];
    if (next !== SPACE && next !== TAB) return at + 1;
  }
  return message.length;
}

function isEmptyLine(message: Buffer, at: number): boolean {
  return message[at] === CR && message[at + 1] === LF;
}

/** @param name in lower case, with its colon */
function isNamed(message: Buffer, from: number, name: Buffer): boolean {
  for (let at = 0; at < name.length; at++) {
    const octet = message[from + at] ?? 0;
    const isUpper = octet >= 0x41 && octet <= 0x5a;
    if ((isUpper ? octet + 0x20 : octet) !== name[at]) return false;
  }
  return true;
}
