// Compares secret text in constant time. Called by tag.ts.
import nacl from "tweetnacl";
import { octets, writeFolded } from "./ascii.ts";

/** Tags are shorter; a longer text gets buffers of its own. */
const USUAL_LENGTH = 32;
/** A pair of buffers for each length: tweetnacl compares whole arrays. */
const usual = Array.from({ length: USUAL_LENGTH + 1 }, (_, length) => pair(length));

/**
 * Equal but for the case of ASCII letters, in a time that depends on the lengths alone: folding in place makes no strings,
 * whose making would tell upper case from lower. Empty texts are equal to nothing.
 */
export function sameFolded(a: string, b: string): boolean {
  const length = octets(a);
  if (length !== octets(b)) return false;
  const [left, right] = usual[length] ?? pair(length);
  writeFolded(a, left, 0);
  writeFolded(b, right, 0);
  return nacl.verify(left, right);
}

function pair(length: number): readonly [Uint8Array, Uint8Array] {
  return [new Uint8Array(length), new Uint8Array(length)];
}
