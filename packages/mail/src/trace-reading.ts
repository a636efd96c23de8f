// What the trace of a message that comes in says: how many servers had it, and which loop tokens they wrote.
// RFC 5321 §4.4, §6.3. Called by the forwarder; trace.ts writes the field.

export interface Trace {
  /** Received fields, counted no further than asked for. */
  readonly hops: number;
  /** What stands where a Received field of ours has its token, topmost first. Anybody may have written it. */
  readonly tokens: readonly string[];
  /** The Message-ID, `""` without one: what stays the same while a message goes round (RFC 5322 §3.6.4). */
  readonly messageId: string;
  /** What tells a message apart, `bareField` of each: Message-ID, Date, Subject, From, To. */
  readonly identity: Identity;
}

export type Identity = readonly [messageId: string, date: string, subject: string, from: string, to: string];

/** No field of ours is nearly as long, even folded anew; of longer ones, this much is read. */
const MAX_FIELD_OCTETS = 4096;
const RECEIVED = Buffer.from("received:");
const IDENTITY = ["message-id:", "date:", "subject:", "from:", "to:"].map((name) => Buffer.from(name));
/** A list of a thousand recipients need not be compared to its end. */
const MAX_BARE = 2000;
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
  const identity: (string | undefined)[] = IDENTITY.map(() => undefined);
  let from = 0;
  while (hops < maxHops && from < message.length && !isEmptyLine(message, from)) {
    const end = endOfField(message, from);
    if (isNamed(message, from, RECEIVED)) {
      hops++;
      const token = tokenIn(bareText(message, from, end));
      if (token !== undefined) tokens.push(token);
    } else {
      const place = IDENTITY.findIndex((name) => isNamed(message, from, name));
      if (place >= 0) identity[place] ??= bareText(message, from + (IDENTITY[place]?.length ?? 0), end);
    }
    from = end;
  }
  const [messageId = "", ...others] = identity;
  const [date = "", subject = "", sender = "", to = ""] = others.map((text) => text?.slice(0, MAX_BARE));
  return { hops, tokens, messageId, identity: [messageId.slice(0, MAX_BARE), date, subject, sender, to] };
}

/** As `identity` has it, of a field that somebody else has read: octets as characters one to one. */
export function bareField(value: string): string {
  const octets = Buffer.from(value.slice(0, MAX_FIELD_OCTETS), "latin1");
  return bareText(octets, 0, octets.length).slice(0, MAX_BARE);
}

/** The first comment of its kind: ours stands before anything that a client chose. */
function tokenIn(received: string): string | undefined {
  const start = received.indexOf(TOKEN);
  const end = received.indexOf(")", start);
  return start < 0 || end < 0 ? undefined : received.slice(start + TOKEN.length, end);
}

/** For all fields, one after the other: a string that is searched and made anew costs more than the reading. */
const scratch = Buffer.alloc(MAX_FIELD_OCTETS);

/** A server may fold a field elsewhere, and some change its case: neither is left. Octets become characters one to one. */
function bareText(message: Buffer, from: number, end: number): string {
  const stop = Math.min(end, from + MAX_FIELD_OCTETS);
  let length = 0;
  for (let at = from; at < stop; at++) {
    const octet = message[at] ?? 0;
    if (octet === SPACE || octet === TAB || octet === CR || octet === LF) continue;
    scratch[length++] = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
  }
  return scratch.toString("latin1", 0, length);
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
