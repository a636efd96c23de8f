// The privacy oracle: does a text show any of the secrets, however it is disguised? What it passes may go to the original sender.
// Called by reissue/, and by the tests of everything that we send (ADR 0013). Linear in the text; what it cannot read through
// within its bounds counts as shown.
import { disguisesOf, unescapedForms } from "./disguises.ts";

export interface OracleOptions {
  /** Words, addresses and host names that must not be seen. */
  readonly secrets: readonly string[];
  /** Addresses that the reader knows: what stands inside one of them is not seen. */
  readonly known: readonly string[];
  /** In UTF-16 units; a longer text counts as showing something. */
  readonly maxText?: number;
  /** Common words and host names that stand inside others do not show: no `info` in `information`, no `me.com` in `acme.com`. */
  readonly asWords?: boolean;
}

/** The secret that shows, as it is compared, or why nobody can tell. Undefined: there is no trace. */
export type Oracle = (text: string) => string | undefined;

/** A header field of ordinary mail is far below. */
const MAX_TEXT = 4 * 1024;
/** Large reports name some dozens of hosts, each with the domains above it; one that names more is no ordinary one. */
export const MAX_SECRETS = 500;
/** A shorter one stands inside of other words, and in whatever is read as base64: it is looked for as a word alone. */
const MIN_INSIDE = 3;
/** Where secrets are looked for as words: as long as these, they are in another by no accident. */
const MIN_INSIDE_WORD = 5;
const MIN_INSIDE_HOST = 10;
/** Without the characters between letters, shorter words stand in many a sentence: "an apple" has "nap". */
const MIN_SQUEEZED = 6;

export function createOracle(options: OracleOptions): Oracle {
  const { secrets, known, maxText = MAX_TEXT, asWords = false } = options;
  if (secrets.length > MAX_SECRETS) return () => "more secrets than can be looked for";
  const wanted = [...new Set(secrets.map(folded))].filter((word) => word !== "");
  const words = wanted.filter((word) => word.length >= MIN_INSIDE).map((word) => soughtFor(word, asWords));
  const shortWords = wanted.filter((word) => word.length < MIN_INSIDE);
  const squeezedWords = words
    .map((word) => ({ ...word, word: squeezed(word.word) }))
    .filter(({ word }) => word.length >= MIN_SQUEEZED);
  const addresses = known.map(folded).filter((address) => address !== "");
  const shownIn = (reading: string): string | undefined => {
    const text = withoutKnown(reading, addresses);
    const plain = plainText(text);
    const shown = words.find((word) => shows(plain, word));
    if (shown) return shown.word;
    const letters = squeezedText(text);
    return squeezedWords.find((word) => shows(letters, word))?.word;
  };
  const shortShownIn = (text: string): string | undefined => {
    const forms = unescapedForms(text).map((form) => withoutKnown(folded(form), addresses));
    const tokens = new Set(forms.flatMap(tokensOf));
    return shortWords.find((word) => tokens.has(word));
  };
  return (text) => {
    if (text.length > maxText) return "text too long to be looked through";
    const short = shortWords.length === 0 ? undefined : shortShownIn(text);
    if (short !== undefined) return short;
    const views = disguisesOf(text);
    if (views === "too-many") return "too many disguises to be looked through";
    for (const view of views) {
      for (const reading of readings(view)) {
        const shown = shownIn(reading);
        if (shown !== undefined) return shown;
      }
    }
    return undefined;
  };
}

/** Octets as UTF-8, and one by one, as an old charset or a server's mistake has them. */
function readings(octets: string): readonly string[] {
  if (!/[^\0-\x7f]/.test(octets)) return [folded(octets)];
  return [folded(Buffer.from(octets, "latin1").toString("utf8")), folded(octets)];
}

/** One case and one width for each letter, `ss` for a sharp s, and nothing that has no width, such as soft hyphens. */
export function folded(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase();
}

/** A text in which words are looked for. */
interface Searched {
  readonly text: string;
  /** Does a word begin at this place, or end before it? */
  readonly isEdge: (at: number) => boolean;
}

interface Sought {
  readonly word: string;
  /** It shows inside another word, too. */
  readonly isInside: boolean;
}

function soughtFor(word: string, asWords: boolean): Sought {
  const minInside = word.includes(".") ? MIN_INSIDE_HOST : MIN_INSIDE_WORD;
  return { word, isInside: !asWords || word.length >= minInside };
}

function shows({ text, isEdge }: Searched, { word, isInside }: Sought): boolean {
  if (isInside) return text.includes(word);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (isEdge(at) && isEdge(at + word.length)) return true;
  return false;
}

function plainText(text: string): Searched {
  return { text, isEdge: (at) => areApart(text[at - 1], text[at]) };
}

/** Edges are those of the text as it was: `for me.` has `me` in it, `for men` has not. */
function squeezedText(text: string): Searched {
  const edges: boolean[] = [];
  let letters = "";
  let before = "";
  for (const character of text) {
    if (LETTER.test(character) || DIGIT.test(character)) {
      edges[letters.length] = areApart(before, character);
      letters += character;
    }
    before = character;
  }
  edges[letters.length] = true;
  return { text: letters, isEdge: (at) => edges[at] ?? false };
}

const LETTER = /\p{L}/u;
const DIGIT = /\p{N}/u;

/** Letters are one word, and digits are: `information` has no `info` in it, `info7` and `x-info` have. */
function areApart(left = "", right = ""): boolean {
  return !(LETTER.test(left) && LETTER.test(right)) && !(DIGIT.test(left) && DIGIT.test(right));
}

/** Letters and digits: `no user@home . example` and `"no\user"@home.example` are the same address. */
function squeezed(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, "");
}

function tokensOf(text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}]/u);
}

/** Only whole ones: `robbob@x.example.net` has no `bob@x.example` in it. */
function withoutKnown(text: string, known: readonly string[]): string {
  return known.reduce((rest, address) => withoutAddress(rest, address), text);
}

function withoutAddress(text: string, address: string): string {
  let kept = "";
  let from = 0;
  for (let at = text.indexOf(address); at >= 0; at = text.indexOf(address, at + address.length)) {
    const end = at + address.length;
    if (goesOnBefore(text[at - 1]) || goesOnBehind(text[end], text[end + 1])) continue;
    kept += `${text.slice(from, at)} `;
    from = end;
  }
  return kept + text.slice(from);
}

const ADDRESS_TEXT = /[\p{L}\p{N}!#$%&*+/=?^_`{|}~.@-]/u;

/** Does the address begin before it? */
function goesOnBefore(character = ""): boolean {
  return ADDRESS_TEXT.test(character);
}

/** Does the address go on behind it? A full stop ends a sentence unless something follows it. */
function goesOnBehind(character = "", next = ""): boolean {
  return ADDRESS_TEXT.test(character) && (character !== "." || ADDRESS_TEXT.test(next));
}
