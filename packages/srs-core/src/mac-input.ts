// The input of our keyed hashes: unambiguous, and never that of another purpose. Called by tag.ts and keyed-names.ts.
// It is written where the hash will read it, with room behind it for the hash's padding.
import { writeFolded, writeUtf8 } from "./ascii.ts";

export interface MacInput {
  /** The message, and room for padding up to the end of two more blocks. */
  readonly octets: Uint8Array;
  readonly view: DataView;
  /** Octets of the message. */
  length: number;
}

/** Writes fields as MAC input. The result is overwritten by the next call. */
export type MacInputWriter = (fields: readonly string[]) => MacInput;

/** An address has 254 octets at most; what is longer gets a buffer of its own. */
const USUAL_OCTETS = 1024;
const PADDING_ROOM = 128;

/**
 * A label that names purpose and version, then every field, each as UTF-8 behind its length in two octets, big-endian.
 * A field has 65,535 octets at most. The label stays in the buffer from one call to the next.
 */
export function labelledInput(label: string, write: typeof writeUtf8 = writeUtf8): MacInputWriter {
  const usual = createInput(USUAL_OCTETS);
  appendField(usual, label, writeUtf8);
  const start = usual.length;
  return (fields) => {
    const size = start + roomFor(fields);
    if (size > USUAL_OCTETS) return appendAll(startOf(usual, start, size), fields, write);
    usual.length = start;
    return appendAll(usual, fields, write);
  };
}

const classic = createInput(USUAL_OCTETS);

/** The fields folded, with nothing between them: the input of classic tags. */
export const classicInput: MacInputWriter = (fields) => {
  const size = roomFor(fields);
  const input = size > USUAL_OCTETS ? createInput(size) : classic;
  input.length = 0;
  for (const field of fields) input.length += writeFolded(field, input.octets, input.length);
  return input;
};

/** A UTF-16 unit has three octets of UTF-8 at most, and two more say how many they are. */
function roomFor(fields: readonly string[]): number {
  let size = 0;
  for (const field of fields) size += 2 + 3 * field.length;
  return size;
}

function createInput(size: number): MacInput {
  const octets = new Uint8Array(size + PADDING_ROOM);
  return { octets, view: new DataView(octets.buffer), length: 0 };
}

function startOf(input: MacInput, length: number, size: number): MacInput {
  const copy = createInput(size);
  copy.octets.set(input.octets.subarray(0, length));
  copy.length = length;
  return copy;
}

function appendAll(input: MacInput, fields: readonly string[], write: typeof writeUtf8): MacInput {
  for (const field of fields) appendField(input, field, write);
  return input;
}

function appendField(input: MacInput, text: string, write: typeof writeUtf8): void {
  const { octets, length: at } = input;
  const length = write(text, octets, at + 2);
  octets[at] = length >> 8;
  octets[at + 1] = length & 0xff;
  input.length = at + 2 + length;
}
