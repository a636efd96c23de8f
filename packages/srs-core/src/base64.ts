// The first characters of base64: a tag needs four of 28, and Node encodes them all. Called by tag.ts.

export type Base64Alphabet = "base64" | "base64url";

const COMMON = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ALPHABETS: Readonly<Record<Base64Alphabet, string>> = {
  base64: `${COMMON}+/`,
  base64url: `${COMMON}-_`,
};

/** At most as many characters as the octets fill whole; `length` 27 is a SHA-1 without its padding. */
export function base64Prefix(octets: Uint8Array, length: number, alphabet: Base64Alphabet): string {
  const characters = ALPHABETS[alphabet];
  let text = "";
  for (let at = 0; text.length < length && at < octets.length; at += 3) {
    const group = ((octets[at] ?? 0) << 16) | ((octets[at + 1] ?? 0) << 8) | (octets[at + 2] ?? 0);
    for (let shift = 18; shift >= 0 && text.length < length; shift -= 6)
      text += characters.charAt((group >> shift) & 63);
  }
  return text;
}
