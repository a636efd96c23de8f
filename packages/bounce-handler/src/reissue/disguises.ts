// The ways in which a word can stand in a text without being seen: encoded words, percent, quoted-printable, xtext, octal, code
// points, base64, hexadecimal, and one inside another. Gives a text as all that it may be read as. Called by oracle.ts.

/** Octets as characters, one to one. */
type Octets = string;

/** One inside another; a mail server on the way adds one, or two. */
const ROUNDS = 3;
/** Of a text of ours there are a dozen at most. */
const MAX_VIEWS = 48;
/** Of all views together, for each octet of the text: base64 is read in four ways, each has three quarters. */
const MAX_GROWTH = 64;

/** Escapes of single octets and characters: what they give is text again. */
const ESCAPES = 9;

/** Each is one pass over the text, with patterns that repeat one class at most. */
const DECODERS: readonly ((text: Octets) => Octets)[] = [
  encodedWords,
  (text) => text.replaceAll(/%([0-9A-Fa-f]{2})/g, octetOfHex),
  (text) => text.replaceAll(/=\r?\n/g, "").replaceAll(/=([0-9A-Fa-f]{2})/g, octetOfHex),
  (text) => text.replaceAll(/\+([0-9A-Fa-f]{2})/g, octetOfHex),
  (text) => text.replaceAll(/\\([0-3][0-7]{2})/g, (_, octal: string) => octet(Number.parseInt(octal, 8))),
  (text) => text.replaceAll(/(?:\\x|0x)([0-9A-Fa-f]{2})/g, octetOfHex),
  (text) =>
    text.replaceAll(/(?:\\x\{|\\u\{?|U\+|&#[xX])0{0,8}([0-9A-Fa-f]{2,6})[};]?/g, (whole, hex: string) =>
      character(Number.parseInt(hex, 16), whole),
    ),
  (text) =>
    text.replaceAll(/&#0{0,8}([0-9]{2,7});?/g, (whole, digits: string) => character(Number(digits), whole)),
  encodedOnce,
  base64Runs,
  hexRuns,
];

/** All that the text may be read as, itself first; `too-many` where somebody made an effort. Bounded by the text's length. */
export function disguisesOf(text: string): readonly Octets[] | "too-many" {
  const plain = Buffer.from(text, "utf8").toString("latin1");
  const joined = withoutBlanks(plain);
  const views = new Set<Octets>([plain, joined]);
  let room = plain.length * MAX_GROWTH;
  let latest = [...views];
  for (let round = 0; round < ROUNDS; round++) {
    const found: Octets[] = [];
    for (const view of latest) {
      for (const decoded of DECODERS) {
        const other = decoded(view);
        if (other === "" || views.has(other)) continue;
        room -= other.length;
        if (room < 0 || views.size === MAX_VIEWS) return "too-many";
        views.add(other);
        found.push(other);
      }
    }
    latest = found;
  }
  // Joined words are not read as they are: "an apple" has "nap" in it.
  if (joined !== plain) views.delete(joined);
  return [...views];
}

/** Nor what cannot be seen: octets of soft hyphens, and of blanks without width. */
function withoutBlanks(text: Octets): Octets {
  return text.replaceAll(/[\s\p{Cc}]|\xc2\xad|\xe2\x80[\x8b-\x8f]/gu, "");
}

/** The text, and what its escapes may stand for: no guesses at base64, which give a text of anything. */
export function unescapedForms(text: string): readonly string[] {
  const plain = Buffer.from(text, "utf8").toString("latin1");
  const forms = DECODERS.slice(0, ESCAPES).map((decoded) => decoded(plain));
  return [...new Set([plain, ...forms])].map((form) => Buffer.from(form, "latin1").toString("utf8"));
}

/** RFC 2047; blanks between two of them are not part of the text (§6.2). Linear: each class ends at its delimiter. */
function encodedWords(text: Octets): Octets {
  return text
    .replaceAll(/\?=[ \t\r\n]{1,10}=\?/g, "?==?")
    .replaceAll(/=\?[^?=\s]{1,60}\?([bBqQ])\?([^?\s]{0,1000})\?=/g, (_, encoding: string, word: string) =>
      encoding.toLowerCase() === "b" ? fromBase64(word) : fromQ(word),
    );
}

/** UTF-8 that somebody took for latin1 and encoded again. */
function encodedOnce(text: Octets): Octets {
  if (!/[^\0-\x7f]/.test(text)) return text;
  const read = Buffer.from(text, "latin1").toString("utf8");
  return /[^\0-\xff]/.test(read) ? text : read;
}

function fromQ(word: string): Octets {
  return word.replaceAll("_", " ").replaceAll(/=([0-9A-Fa-f]{2})/g, octetOfHex);
}

/** In either alphabet, wherever it may begin. */
function base64Runs(text: Octets): Octets {
  const read: Octets[] = [];
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{4,}/g)) {
    for (let from = 0; from < 4 && run.length - from >= 4; from++) read.push(fromBase64(run.slice(from)));
  }
  return read.join(" ");
}

function hexRuns(text: Octets): Octets {
  const read: Octets[] = [];
  for (const [run] of text.matchAll(/[0-9A-Fa-f]{6,}/g)) {
    read.push(Buffer.from(run, "hex").toString("latin1"));
    read.push(Buffer.from(run.slice(1), "hex").toString("latin1"));
  }
  return read.join(" ");
}

function fromBase64(word: string): Octets {
  return Buffer.from(word, "base64").toString("latin1");
}

function octetOfHex(_: string, hex: string): Octets {
  return octet(Number.parseInt(hex, 16));
}

function octet(value: number): Octets {
  return String.fromCharCode(value);
}

/** In UTF-8; what is no code point stays as it stands. */
function character(code: number, whole: string): Octets {
  if (code > 0x10ffff) return whole;
  return Buffer.from(String.fromCodePoint(code), "utf8").toString("latin1");
}
