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

/** An address has 254 octets at most; what is longer gets a buffer of its own. */
const USUAL_OCTETS = 1024;
const PADDING_ROOM = 128;
const usual = createInput(USUAL_OCTETS);

type Write = typeof writeUtf8;

/**
 * A label that names purpose and version, then every field, each as UTF-8 behind its length in two octets, big-endian.
 * The result is overwritten by the next call. A field has 65,535 octets at most.
 */
export function macInput(label: string, fields: readonly string[], write: Write = writeUtf8): MacInput {
  const input = inputFor(fields, 2 + label.length);
  append(input, label, writeUtf8);
  for (const field of fields) append(input, field, write);
  return input;
}

/** The fields folded, with nothing between them: the input of classic tags. The result is overwritten by the next call. */
export function classicInput(fields: readonly string[]): MacInput {
  const input = inputFor(fields, 0);
  for (const field of fields) input.length += writeFolded(field, input.octets, input.length);
  return input;
}

/** A UTF-16 unit has three octets of UTF-8 at most. */
function inputFor(fields: readonly string[], more: number): MacInput {
  let size = more;
  for (const field of fields) size += 2 + 3 * field.length;
  const input = size > USUAL_OCTETS ? createInput(size) : usual;
  input.length = 0;
  return input;
}

function createInput(size: number): MacInput {
  const octets = new Uint8Array(size + PADDING_ROOM);
  return { octets, view: new DataView(octets.buffer), length: 0 };
}

function append(input: MacInput, text: string, write: Write): void {
  const { octets, length: at } = input;
  const length = write(text, octets, at + 2);
  octets[at] = length >> 8;
  octets[at + 1] = length & 0xff;
  input.length = at + 2 + length;
}
