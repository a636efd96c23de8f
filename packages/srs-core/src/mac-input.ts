// The input of our keyed hashes: unambiguous, and never that of another purpose. Called by tag.ts and keyed-names.ts.
import { octets, writeUtf8 } from "./ascii.ts";

/** An address has 254 octets at most; what is longer gets a buffer of its own. */
const USUAL_OCTETS = 1024;
const usual = new Uint8Array(USUAL_OCTETS);

/**
 * A label that names purpose and version, then every field, each as UTF-8 behind its length in two octets, big-endian.
 * The result is overwritten by the next call. A field has 65,535 octets at most.
 */
export function macInput(label: string, fields: readonly string[]): Uint8Array {
  let input = usual;
  const size = fields.reduce((sum, field) => sum + 2 + octets(field), 2 + octets(label));
  if (size > USUAL_OCTETS) input = new Uint8Array(size);
  let at = append(input, 0, label);
  for (const field of fields) at = append(input, at, field);
  return input.subarray(0, at);
}

/** One text with nothing around it, for schemes of others. The result is overwritten by the next call. */
export function plainInput(text: string): Uint8Array {
  const size = octets(text);
  const input = size > USUAL_OCTETS ? new Uint8Array(size) : usual;
  return input.subarray(0, writeUtf8(text, input, 0));
}

function append(input: Uint8Array, at: number, text: string): number {
  const length = writeUtf8(text, input, at + 2);
  input[at] = length >> 8;
  input[at + 1] = length & 0xff;
  return at + 2 + length;
}
