// Frames of the milter protocol: four octets of length, a letter, data. Called by the protocol and by the client of tests.
import { ProtocolFault, type RequestReader } from "../wire/protocol.ts";

export interface Frame {
  /** One octet; its case counts. */
  readonly letter: string;
  /** Without the letter. Of letters that are passed over, nothing. */
  readonly data: Buffer;
}

/** Header fields and pieces of the body: what is in them is nobody's business here. */
const PASSED_OVER = new Set(["L", "B"]);
/** A mail server may send pieces of 1 MB (SMFIP_MDS_1M), if it is asked to, and some room for a name beside a value. */
const MAX_PASSED_OVER_OCTETS = 1024 * 1024 + 1024;
/** All else is addresses, names and macros, of one SMTP command. Sendmail and old libmilters have no more than this. */
const MAX_FRAME_OCTETS = 64 * 1024;
const LENGTH_OCTETS = 4;
const HEAD_OCTETS = LENGTH_OCTETS + 1;
const NOTHING = Buffer.alloc(0);

/** Holds one frame at most, and of those that are passed over, nothing. */
export function createFrameReader(): RequestReader<Frame> {
  const head = Buffer.alloc(HEAD_OCTETS);
  let headOctets = 0;
  let data = NOTHING;
  let missing = 0;

  const readHead = (chunk: Buffer, at: number): number => {
    const octets = chunk.copy(head, headOctets, at, at + HEAD_OCTETS - headOctets);
    headOctets += octets;
    if (headOctets < LENGTH_OCTETS) return octets;
    const length = head.readUInt32BE(0);
    if (length === 0) throw new ProtocolFault("a frame of no octets: every frame begins with a letter");
    if (length > MAX_PASSED_OVER_OCTETS) throw tooLong(length, MAX_PASSED_OVER_OCTETS);
    if (headOctets < HEAD_OCTETS) return octets;
    missing = length - 1;
    const isPassedOver = PASSED_OVER.has(letterOf(head));
    if (!isPassedOver && length > MAX_FRAME_OCTETS) throw tooLong(length, MAX_FRAME_OCTETS);
    data = isPassedOver ? NOTHING : Buffer.allocUnsafe(missing);
    return octets;
  };

  const readData = (chunk: Buffer, at: number): number => {
    const octets = Math.min(missing, chunk.length - at);
    if (data.length > 0) chunk.copy(data, data.length - missing, at, at + octets);
    missing -= octets;
    return octets;
  };

  return {
    isBegun: () => headOctets > 0,
    push(chunk, take) {
      for (let at = 0; at < chunk.length; ) {
        at += headOctets < HEAD_OCTETS ? readHead(chunk, at) : readData(chunk, at);
        if (headOctets < HEAD_OCTETS || missing > 0) continue;
        take({ letter: letterOf(head), data });
        headOctets = 0;
        data = NOTHING;
      }
    },
  };
}

export function renderFrame(letter: string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const data = parts.map((part) => Buffer.from(part));
  const head = Buffer.alloc(HEAD_OCTETS);
  head.writeUInt32BE(1 + data.reduce((sum, { length }) => sum + length, 0));
  head.write(letter, LENGTH_OCTETS, "latin1");
  return Buffer.concat([head, ...data]);
}

/** The letter as a log may show it. */
export function shownLetter(letter: string): string {
  return /^[!-~]$/.test(letter) ? `"${letter}"` : `0x${letter.charCodeAt(0).toString(16)}`;
}

function letterOf(head: Buffer): string {
  return head.toString("latin1", LENGTH_OCTETS, HEAD_OCTETS);
}

function tooLong(length: number, limit: number): ProtocolFault {
  return new ProtocolFault(`a frame of ${length} octets, the limit is ${limit}`);
}
