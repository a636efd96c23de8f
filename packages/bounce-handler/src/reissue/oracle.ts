// The privacy oracle: does a text show any of the secrets, however it is disguised? What it passes may go to the original sender.
// Called by reissue/, and by the tests of everything that we send (ADR 0013). Linear in the text; what it cannot read through
// within its bounds counts as shown.
import { disguisesOf } from "./disguises.ts";

export interface OracleOptions {
  /** Words, addresses and host names that must not be seen. */
  readonly secrets: readonly string[];
  /** Addresses that the reader knows: what stands inside one of them is not seen. */
  readonly known: readonly string[];
  /** In UTF-16 units; a longer text counts as showing something. */
  readonly maxText?: number;
}

/** The secret that shows, as it is compared, or why nobody can tell. Undefined: there is no trace. */
export type Oracle = (text: string) => string | undefined;

/** A header field of ordinary mail is far below. */
const MAX_TEXT = 4 * 1024;
/** A report about hundreds of recipients says nothing that the sender wants to have back. */
const MAX_SECRETS = 100;
/** Without the characters between letters, shorter words stand in many a sentence: "an apple" has "nap". */
const MIN_SQUEEZED = 6;

export function createOracle({ secrets, known, maxText = MAX_TEXT }: OracleOptions): Oracle {
  if (secrets.length > MAX_SECRETS) return () => "more secrets than can be looked for";
  const words = [...new Set(secrets.map(folded))].filter((word) => word !== "");
  const squeezedWords = [...new Set(words.map(squeezed))].filter((word) => word.length >= MIN_SQUEEZED);
  const addresses = known.map(folded).filter((address) => address !== "");
  const shownIn = (reading: string): string | undefined => {
    const text = withoutKnown(reading, addresses);
    const shown = words.find((word) => text.includes(word));
    if (shown !== undefined) return shown;
    const letters = squeezed(text);
    return squeezedWords.find((word) => letters.includes(word));
  };
  return (text) => {
    if (text.length > maxText) return "text too long to be looked through";
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

/** One case and one width for each letter, and nothing that has none, such as soft hyphens. */
export function folded(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFKC")
    .toLowerCase();
}

/** Letters and digits: `no user@home . example` and `"no\user"@home.example` are the same address. */
function squeezed(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, "");
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
