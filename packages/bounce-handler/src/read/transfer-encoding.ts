// Undoes base64 and quoted-printable (RFC 2045 §6) while lines come, fragment by fragment. Called by parts.ts.
import type { Collector } from "./collector.ts";
import type { Fragment } from "./lines.ts";

export type Decode = (line: Fragment, into: Collector) => void;

const LF = 0x0a;

/** @param name as the Content-Transfer-Encoding field has it */
export function decoderFor(name: string | undefined): Decode {
  const encoding = (name ?? "").trim().toLowerCase();
  if (encoding.startsWith("base64")) return createBase64Decoder();
  if (encoding.startsWith("quoted-printable")) return createQuotedPrintableDecoder();
  return plain;
}

function plain({ octets, from, to, last }: Fragment, into: Collector): void {
  into.putAll(octets, from, to);
  if (last) into.put(LF);
}

const PAD = 0x3d;
const NO_DIGIT = 255;
const BASE64 = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, character] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
].entries()) {
  BASE64[character.charCodeAt(0)] = value;
}

/** What is no digit of base64 is passed over, as RFC 2045 §6.8 says; padding ends a group, and another may follow. */
function createBase64Decoder(): Decode {
  let bits = 0;
  let count = 0;
  return ({ octets, from, to }, into) => {
    for (let at = from; at < to; at++) {
      const octet = octets[at] ?? 0;
      const digit = BASE64[octet] ?? NO_DIGIT;
      if (octet === PAD) count = 0;
      if (digit === NO_DIGIT) continue;
      bits = ((bits << 6) | digit) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      into.put((bits >> count) & 0xff);
    }
  };
}

const EQUALS = 0x3d;
const SPACE = 0x20;
const TAB = 0x09;

/** An escape that a fragment's end cuts waits for the next fragment. */
function createQuotedPrintableDecoder(): Decode {
  let waiting: Buffer | undefined;
  return (line, into) => {
    const { octets, from, to, last } = waiting ? joined(waiting, line) : line;
    waiting = undefined;
    let end = to;
    // White space at the end of a line is not the sender's (RFC 2045 §6.7, rule 3).
    while (last && end > from && (octets[end - 1] === SPACE || octets[end - 1] === TAB)) end--;
    for (let at = from; at < end; at++) {
      const octet = octets[at] ?? 0;
      if (octet !== EQUALS) {
        into.put(octet);
        continue;
      }
      if (last && at === end - 1) return;
      if (!last && at + 2 >= end) {
        waiting = Buffer.from(octets.subarray(at, end));
        return;
      }
      const value = at + 2 < end ? hexAt(octets, at + 1) : -1;
      into.put(value < 0 ? EQUALS : value);
      if (value >= 0) at += 2;
    }
    if (last) into.put(LF);
  };
}

/** Only in lines of many kilobytes. */
function joined(waiting: Buffer, { octets, from, to, first, last }: Fragment): Fragment {
  const whole = Buffer.concat([waiting, octets.subarray(from, to)]);
  return { octets: whole, from: 0, to: whole.length, first, last };
}

function hexAt(octets: Buffer, at: number): number {
  const high = hexDigit(octets[at] ?? 0);
  const low = hexDigit(octets[at + 1] ?? 0);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
