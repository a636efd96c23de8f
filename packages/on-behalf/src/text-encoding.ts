// Text in mail that goes through servers of seven bits: quoted-printable (RFC 2045 §6.7) and encoded words (RFC 2047). Pure.
// Called by
// identities/own-mail.ts and messages/address-field.ts.

/** RFC 5322 §2.1.1, without the CRLF: a link can be longer than the 78 that people like, and stays in one piece. */
const MAX_LINE = 998;
/** RFC 2045 §6.7 (5). */
const MAX_QUOTED_LINE = 76;
/** RFC 2047 §2: a word has 75 characters at most, of which `=?utf-8?B?` and `?=` are twelve: 45 octets make 60. */
const OCTETS_OF_WORD = 45;
const encoder = new TextEncoder();

export function isSevenBit(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/** The rest of a header, a blank line, and the text; as it is where it can be. */
export function textBody(lines: readonly string[]): readonly string[] {
  if (lines.every((line) => line.length <= MAX_LINE && isSevenBit(line))) {
    return [
      "Content-Type: text/plain; charset=us-ascii",
      "Content-Transfer-Encoding: 7bit",
      "",
      ...lines,
      "",
    ];
  }
  return [
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    ...lines.flatMap(quotedLines),
    "",
  ];
}

/** One line as lines of at most 76 characters; blanks at an end would be cut by servers on the way. */
function quotedLines(line: string): readonly string[] {
  const octets = [...encoder.encode(line)].map(quotedOctet);
  if (octets.at(-1) === " ") octets[octets.length - 1] = "=20";
  const lines: string[] = [];
  let part = "";
  for (const octet of octets) {
    if (part.length + octet.length > MAX_QUOTED_LINE - 1) {
      lines.push(`${part}=`);
      part = "";
    }
    part += octet;
  }
  return [...lines, part];
}

function quotedOctet(octet: number): string {
  const isItself = octet >= 0x20 && octet <= 0x7e && octet !== 0x3d;
  return isItself ? String.fromCharCode(octet) : `=${octet.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A subject: folded between words, and no character is cut in two (RFC 2047 §5). */
export function encodedWords(text: string): string {
  if (isSevenBit(text)) return text;
  const words: string[] = [];
  let word = "";
  for (const char of text) {
    if (encoder.encode(word + char).length > OCTETS_OF_WORD) {
      words.push(word);
      word = "";
    }
    word += char;
  }
  return [...words, word].map((one) => `=?utf-8?B?${Buffer.from(one).toString("base64")}?=`).join("\r\n ");
}
