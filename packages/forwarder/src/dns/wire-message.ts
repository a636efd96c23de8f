// DNS messages as octets (RFC 1035 §4): a query written, an answer read. Called by wire.ts. What is read is hostile.
import { SocketAddress } from "node:net";
import { failed, type Heard, type Query, type RecordOf, type RecordType } from "./query.ts";

const TYPE_CODES: Readonly<Record<RecordType, number>> = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28 };
const CLASS_IN = 1;
const RECURSION_DESIRED = 0x0100;
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const HEADER_OCTETS = 12;

/** c-ares' words for response codes (§4.1.1). NXDOMAIN is an answer. */
const RCODES: Readonly<Record<number, string>> = {
  1: "EFORMERR",
  2: "ESERVFAIL",
  4: "ENOTIMP",
  5: "EREFUSED",
};
const NXDOMAIN = 3;

export function renderQuery(id: number, { type, name }: Query): Buffer {
  const header = Buffer.alloc(HEADER_OCTETS);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  const labels = name
    .split(".")
    .flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, TYPE_CODES[type], 0, CLASS_IN])]);
}

/** Whether a message answers the query: same id, same question, in any case. Others are somebody's guesses. */
export function isAnswerTo(query: Buffer, message: Buffer): boolean {
  if (message.length < query.length || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((message.readUInt16BE(2) & RESPONSE) === 0 || message.readUInt16BE(4) !== 1) return false;
  return questionOf(message, query.length) === questionOf(query, query.length);
}

function questionOf(message: Buffer, end: number): string {
  return message.toString("latin1", HEADER_OCTETS, end).toLowerCase();
}

export function isTruncated(message: Buffer): boolean {
  return (message.readUInt16BE(2) & TRUNCATED) !== 0;
}

/** @param message one that `isAnswerTo` let pass */
export function readAnswer<T extends RecordType>(
  { type }: Query<T>,
  query: Buffer,
  message: Buffer,
): Heard<T> {
  const rcode = message.readUInt16BE(2) & 15;
  if (rcode === NXDOMAIN) return { kind: "no-such-name" };
  if (rcode !== 0) return failed(RCODES[rcode] ?? `RCODE${rcode}`);
  try {
    return readRecords(type, message, query.length);
  } catch (error) {
    // Buffer throws it for what lies behind the message's end.
    if (error instanceof RangeError) return failed("EBADRESP");
    throw error;
  }
}

function readRecords<T extends RecordType>(type: T, message: Buffer, from: number): Heard<T> {
  const records: RecordOf[T][] = [];
  // Of the CNAMEs on the way, too.
  let seconds = Number.POSITIVE_INFINITY;
  let at = from;
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const head = readName(message, at).end;
    const start = head + 10;
    const end = start + message.readUInt16BE(head + 8);
    if (end > message.length) throw new RangeError("a record that is longer than its message");
    seconds = Math.min(seconds, ttlOf(message.readUInt32BE(head + 4)));
    const isWanted = message.readUInt16BE(head) === TYPE_CODES[type];
    if (isWanted && message.readUInt16BE(head + 2) === CLASS_IN)
      records.push(READ[type](message, start, end) as RecordOf[T]);
    at = end;
  }
  return records.length > 0 ? { kind: "records", records, seconds } : { kind: "records", records };
}

/** RFC 2181 §8: with the highest bit set it is 0. */
function ttlOf(seconds: number): number {
  return seconds > 0x7f_ff_ff_ff ? 0 : seconds;
}

const READ: { readonly [T in RecordType]: (message: Buffer, start: number, end: number) => RecordOf[T] } = {
  A: (message, start, end) => [...octets(message, start, end, 4)].join("."),
  AAAA: (message, start, end) => renderV6(octets(message, start, end, 16)),
  MX: (message, start) => ({
    priority: message.readUInt16BE(start),
    exchange: readName(message, start + 2).name,
  }),
  PTR: (message, start) => readName(message, start).name,
  TXT: readTxt,
};

function octets(message: Buffer, start: number, end: number, length: number): Buffer {
  if (end - start !== length) throw new RangeError("an address of another length");
  return message.subarray(start, end);
}

/** As c-ares would write it. */
function renderV6(address: Buffer): string {
  const groups = address.toString("hex").match(/.{4}/g) ?? [];
  return new SocketAddress({ family: "ipv6", address: groups.join(":") }).address;
}

/** The strings of a record, joined. */
function readTxt(message: Buffer, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; ) {
    const next = at + 1 + message.readUInt8(at);
    if (next > end) throw new RangeError("a string that is longer than its record");
    text += message.toString("latin1", at + 1, next);
    at = next;
  }
  return text;
}

const POINTER = 0xc0;
/** As many labels as 255 octets can have; pointers may not be more. */
const MAX_STEPS = 128;

/** A name and where what follows it begins. A pointer (§4.1.4) may lead anywhere, so their number is bounded. */
function readName(message: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = from;
  let end: number | undefined;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const length = message.readUInt8(at);
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if (length >= POINTER) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3f_ff;
      continue;
    }
    if (length >= 0x40 || at + 1 + length > message.length) throw new RangeError("a label of no known kind");
    labels.push(renderLabel(message.toString("latin1", at + 1, at + 1 + length)));
    at += 1 + length;
  }
  throw new RangeError("a name without an end");
}

/** §5.1, as c-ares has it: what would be taken for something else stands behind a backslash. */
function renderLabel(label: string): string {
  return label
    .replace(/["$().;@\\]/g, "\\$&")
    .replace(/[^ -~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, "0")}`);
}
