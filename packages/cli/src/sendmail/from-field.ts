// A From field of our own: the name of `-F` and an address, as octets of a header (RFC 5322 §3.4, RFC 2047). Called by prepare.ts.

/** RFC 2047 §2: an encoded word has 75 characters, `=?UTF-8?B?…?=` around the text. */
const OCTETS_OF_WORD = 45;
/** RFC 5322 §3.2.3, and spaces between. */
const PLAIN_NAME = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*$/;

/** @param name without control characters; @returns an octet a character, with its CRLF */
export function fromField(address: string, name: string | undefined): string {
  const field = name === undefined || name === "" ? `From: ${address}` : `From: ${phrase(name)} <${address}>`;
  return `${Buffer.from(field).toString("latin1")}\r\n`;
}

function phrase(name: string): string {
  if (/[^ -~]/.test(name) || name.includes("=?")) return encodedWords(name).join("\r\n ");
  return PLAIN_NAME.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

/** No character is cut in two (§5). */
function encodedWords(name: string): string[] {
  const pieces: string[] = [""];
  for (const character of name) {
    const piece = pieces.at(-1) + character;
    if (Buffer.byteLength(piece) <= OCTETS_OF_WORD) pieces[pieces.length - 1] = piece;
    else pieces.push(character);
  }
  return pieces.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString("base64")}?=`);
}
