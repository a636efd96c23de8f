// A virtual table, as Postfix's virtual(5): `user@domain target, target`, `@domain target` for all others of a domain,
// `user target` at every domain of ours. Read octet by octet, because it may have a million lines. Called by load-tables.ts.
import { asciiLower, parseDomain, parseMailbox, printable, renderMailbox } from "@homing/srs-core";
import { joinLines, type PlacedText } from "./placed-text.ts";
import { type PlacedTarget, parseTarget, parseTargets } from "./target.ts";

export interface VirtualKey {
  readonly kind: "address" | "catch-all" | "name";
  /** `user@domain`, a domain, or a local part. */
  readonly text: string;
  readonly domain: string;
}

export interface VirtualLine {
  /** Folded to ASCII lower case: tables are compared so. */
  readonly key: VirtualKey;
  readonly line: number;
  /** One mailbox as text, or targets of any kind. */
  readonly targets: string | readonly PlacedTarget[];
  /** Of the first target. */
  readonly column: number;
  /** What stands behind the key, from its blank on; without it where the entry has several lines, or a mistake. */
  readonly behindKey?: () => string;
}

type Report = (line: number, column: number, message: string) => void;

const [LF, CR, TAB, SPACE, HASH, QUOTE, COMMA, COLON] = [0x0a, 0x0d, 0x09, 0x20, 0x23, 0x22, 0x2c, 0x3a];
const [PERCENT, DOLLAR, SLASH, BACKSLASH] = [0x25, 0x24, 0x2f, 0x5c];

/**
 * Reads a table that comes in pieces.
 * @param take is given each good line: a call costs less than an iterator's promise, a million times
 */
export async function parseVirtualFile(
  pieces: AsyncIterable<Buffer>,
  report: Report,
  take: (line: VirtualLine) => void,
): Promise<void> {
  const read = createReader(report, take);
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const octets = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = lastLogicalLine(octets);
    read(octets.subarray(0, end));
    rest = octets.subarray(end);
  }
  read(rest);
}

/** Where the last logical line begins: the next piece may continue it. */
function lastLogicalLine(octets: Buffer): number {
  let end = octets.lastIndexOf(LF) + 1;
  // The line behind the last LF may be continued, or continue the one before.
  while (end > 0) {
    const first = octets[end];
    if (first !== undefined && first !== SPACE && first !== TAB) return end;
    end = end < 2 ? 0 : octets.lastIndexOf(LF, end - 2) + 1;
  }
  return 0;
}

/** Physical lines that make one logical line. */
interface Pending {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  /** Lines that continue it. */
  more?: { readonly line: number; readonly from: number; readonly to: number }[];
}

/** Reads whole logical lines; each call goes on where the one before ended. */
function createReader(report: Report, take: (line: VirtualLine) => void): (octets: Buffer) => void {
  const readKey = createKeyReader();
  let line = 0;
  const takeLine = (octets: Buffer, pending: Pending | undefined): void => {
    const parsed = pending && parseLine(octets, pending, readKey, report);
    if (parsed) take(parsed);
  };
  return (octets) => {
    let pending: Pending | undefined;
    for (let from = line === 0 ? startOf(octets) : 0, next = 0; from < octets.length; from = next) {
      const end = octets.indexOf(LF, from);
      next = end < 0 ? octets.length : end + 1;
      const to = lastOctet(octets, from, end < 0 ? octets.length : end);
      line++;
      const text = skipBlanks(octets, from, to);
      if (text === to || octets[text] === HASH) continue;
      if (text === from) {
        takeLine(octets, pending);
        pending = { line, from, to };
      } else if (pending) {
        pending.more ??= [];
        pending.more.push({ line, from, to });
      } else report(line, 1, "this line continues no entry: begin it in the first column");
    }
    takeLine(octets, pending);
  };
}

function parseLine(
  octets: Buffer,
  pending: Pending,
  readKey: KeyReader,
  report: Report,
): VirtualLine | undefined {
  const simple = pending.more ? undefined : simpleLine(octets, pending, readKey);
  if (simple) return simple;
  const text = placedText(octets, pending);
  const { line, column } = text.place(0);
  const keyEnd = endOfKey(text.text);
  const key = readKey(text.text.slice(0, keyEnd));
  if (typeof key === "string") return void report(line, column, key);
  if (text.text.slice(keyEnd).trim() === "") {
    return void report(line, column, 'no target behind the address: write "user@domain target"');
  }
  let isGood = true;
  const targets = parseTargets(text, keyEnd, (at, message) => {
    isGood = false;
    const place = text.place(at);
    report(place.line, place.column, message);
  });
  const parsed = { key, line, targets, column: targets[0]?.column ?? 1 };
  if (pending.more || !isGood) return parsed;
  // Decoded by itself, as in simpleLine.
  const keyOctets = Buffer.byteLength(text.text.slice(0, keyEnd));
  return { ...parsed, behindKey: () => octets.toString("utf8", pending.from + keyOctets, pending.to) };
}

/** Without quotes and colons: nearly every line of a large table. */
function simpleLine(octets: Buffer, pending: Pending, readKey: KeyReader): VirtualLine | undefined {
  const { line, from, to } = pending;
  let keyEnd = from;
  while (keyEnd < to && octets[keyEnd] !== SPACE && octets[keyEnd] !== TAB) keyEnd++;
  const target = skipBlanks(octets, keyEnd, to);
  let isOne = octets[target] !== BACKSLASH;
  for (let at = from; at < to; at++) {
    const octet = octets[at];
    if (octet === QUOTE || octet === COLON) return undefined;
    if (octet === COMMA || (at >= target && (octet === SPACE || octet === TAB))) isOne = false;
  }
  const mailbox = isOne ? simpleMailbox(octets, target, to) : undefined;
  const targets = mailbox ?? simpleTargets(octets, target, pending);
  if (targets === undefined) return undefined;
  const key = readKey(octets.toString("utf8", from, keyEnd));
  if (typeof key === "string") return undefined;
  const column = target - from + 1;
  if (mailbox !== undefined) return { key, line, targets, column };
  return { key, line, targets, column, behindKey: () => octets.toString("utf8", keyEnd, to) };
}

/** What may be a part of a pattern, a comment, a file or a command has its words elsewhere. */
function isPlain(octet: number | undefined): boolean {
  return octet !== undefined && octet > HASH && octet !== DOLLAR && octet !== PERCENT && octet !== SLASH;
}

function simpleMailbox(octets: Buffer, from: number, to: number): string | undefined {
  if (!isPlain(octets[from])) return undefined;
  // Decoded by itself: a part of the line's text would keep the whole line in memory.
  const text = octets.toString("utf8", from, to);
  const parsed = parseMailbox(text);
  if (!parsed.ok) return undefined;
  const { localPart, domain } = parsed.mailbox;
  const same = text.length === localPart.length + 1 + domain.length && !isOdd(localPart);
  return same ? text : renderMailbox(parsed.mailbox);
}

/** Addresses, names and local copies with commas between them. */
function simpleTargets(
  octets: Buffer,
  from: number,
  { line, from: lineStart, to }: Pending,
): readonly PlacedTarget[] | undefined {
  const targets: PlacedTarget[] = [];
  for (let at = from, end = from; at < to; at = end + 1) {
    end = at;
    while (end < to && octets[end] !== COMMA) end++;
    const start = skipBlanks(octets, at, end);
    const text = octets.toString("utf8", start, lastOctet(octets, start, end));
    // Of octets, as characters are: a line with others says so only in a message.
    const column = start - lineStart + 1;
    if (!isPlain(octets[start])) return undefined;
    // The shorter way for what most of them are.
    const isAddress = octets[start] !== BACKSLASH && text.includes("@");
    const parsed = isAddress ? parseMailbox(text) : parseTarget(text);
    if (!parsed.ok) return undefined;
    targets.push(
      "mailbox" in parsed
        ? { kind: "mailbox", mailbox: parsed.mailbox, line, column }
        : { ...parsed.target, line, column },
    );
  }
  return targets.length > 0 ? targets : undefined;
}

/** Dots that only a quoted local part may have: it is written with quotes. */
function isOdd(localPart: string): boolean {
  return localPart.startsWith(".") || localPart.endsWith(".") || localPart.includes("..");
}

type KeyReader = (text: string) => VirtualKey | string;

/** Gives the key, or what is wrong with it. */
function createKeyReader(): KeyReader {
  /** A million lines have few domains. */
  const domains = new Map<string, string | undefined>();
  const canonical = (text: string): string | undefined => {
    if (!domains.has(text)) {
      const parsed = parseDomain(text);
      domains.set(text, parsed.ok ? asciiLower(parsed.domain) : undefined);
    }
    return domains.get(text);
  };
  return (text) => {
    const at = text.lastIndexOf("@");
    if (text.startsWith("/"))
      return "patterns are not read: write addresses, or @domain for all others of a domain";
    if (text === "*" || text.startsWith("*@"))
      return '"*" is no wildcard here: write @domain for all others of a domain';
    if (at < 0)
      return text === "" ? "the address is empty" : { kind: "name", text: asciiLower(text), domain: "" };
    const domain = canonical(text.slice(at + 1));
    if (domain === undefined) return `"${printable(text)}": behind the @ is no domain name`;
    if (at === 0) return { kind: "catch-all", text: domain, domain };
    const parsed = parseMailbox(text);
    if (!parsed.ok) return parsed.message;
    const key = `${asciiLower(parsed.mailbox.localPart)}@${domain}`;
    // The text as it was read, where that is the same: V8 keeps a joined one as a pair, which is slower to look up.
    return { kind: "address", text: key === text ? text : key, domain };
  };
}

/** The end of the first word; blanks inside quotes belong to it. */
function endOfKey(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\" && quoted) at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === " " || char === "\t")) return at;
  }
  return text.length;
}

function placedText(octets: Buffer, { more = [], ...first }: Pending): PlacedText {
  return joinLines(
    [first, ...more].map(({ line, from, to }) => ({ line, text: octets.toString("utf8", from, to) })),
  );
}

/** A byte order mark is an editor's, not the operator's. */
function startOf(octets: Buffer): number {
  return octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? 3 : 0;
}

function skipBlanks(octets: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (octets[at] === SPACE || octets[at] === TAB)) at++;
  return at;
}

/** The end of a line's text: without CR and blanks. */
function lastOctet(octets: Buffer, from: number, end: number): number {
  let to = end;
  while (to > from && (octets[to - 1] === CR || octets[to - 1] === SPACE || octets[to - 1] === TAB)) to--;
  return to;
}
