// A list of addresses, as in To and Cc (RFC 5322 §3.4) and on the command lines of programs that call sendmail: names, comments,
// groups, quoted strings, encoded words, folded lines. One pass over hostile text, without recursion. Called by header.ts and
// `homing sendmail`.
export interface ListedAddress {
  /** `local@domain`, or a bare local part. Quotes are kept; comments, folds and names are gone. */
  readonly text: string;
  /** Without a domain, as programs of one machine write their users. */
  readonly isBare: boolean;
  /** Where it ends in the text that was read: there belongs the domain of a bare one. */
  readonly end: number;
}

export type ParsedAddressList =
  | { readonly ok: true; readonly addresses: readonly ListedAddress[] }
  /** Its words follow a name: `To: …`. */
  | { readonly ok: false; readonly problem: string };

interface Token {
  readonly kind: "word" | "special";
  readonly text: string;
  readonly end: number;
  /** An encoded word (RFC 2047) stands in names alone. */
  readonly isEncoded?: boolean;
}

class Malformed extends Error {}

const SPACE = " \t\r\n";
const SPECIALS = '<>@,;:()[]"';
/** RFC 2047 §2 has 75; who writes longer ones still means a name. */
const MAX_ENCODED_WORD = 250;

/** @example parseAddressList('"Doe, Jo" <jo@home.example>, root (who looks after it)') */
export function parseAddressList(text: string): ParsedAddressList {
  try {
    return { ok: true, addresses: readList(text) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { ok: false, problem: error.message };
  }
}

/** Between two commas. */
interface Element {
  words: Token[];
  /** Between angle brackets. */
  angle: Token[] | undefined;
}

function readList(text: string): ListedAddress[] {
  const addresses: ListedAddress[] = [];
  let element: Element = { words: [], angle: undefined };
  let inAngle = false;
  let inGroup = false;
  const finish = (): void => {
    const { words, angle } = element;
    if (angle || words.length > 0) addresses.push(addressOf(angle ?? words));
    element = { words: [], angle: undefined };
  };
  for (const token of tokensOf(text)) {
    const mark = token.kind === "special" ? token.text : "";
    if (inAngle) {
      if (mark === ">") inAngle = false;
      else if (mark === ":" && isRoute(element.angle)) element.angle = [];
      else element.angle?.push(token);
    } else if (mark === "<") {
      if (element.angle) throw new Malformed("two addresses without a comma between them");
      element.angle = [];
      inAngle = true;
    } else if (mark === ">") throw new Malformed("a > without its <");
    else if (mark === ",") finish();
    else if (mark === ";") {
      // At the end of a group; between addresses, as some programs have it, it is a comma.
      finish();
      inGroup = false;
    } else if (mark === ":") {
      if (inGroup || element.angle) throw new Malformed("a colon where none can be");
      element.words = [];
      inGroup = true;
    } else element.words.push(token);
  }
  if (inAngle) throw new Malformed("a < without its >");
  finish();
  return addresses;
}

/** RFC 5322 §4.4: `<@relay.example:ann@home.example>`; the way is left out. */
function isRoute(angle: readonly Token[] | undefined): boolean {
  return angle?.[0]?.text === "@";
}

function addressOf(tokens: readonly Token[]): ListedAddress {
  let text = "";
  let ats = 0;
  let before: Token | undefined;
  for (const token of tokens) {
    if (token.isEncoded) throw new Malformed("an encoded word in the place of an address");
    if (token.kind === "special" && token.text !== "@")
      throw new Malformed(`a ${token.text} inside an address`);
    const joined = before === undefined || isJoint(before, token);
    if (!joined) throw new Malformed("words without < > around an address, or a comma between two");
    if (token.kind === "special") ats += 1;
    text += token.text;
    before = token;
  }
  const last = before;
  if (!last || text.startsWith("@") || text.endsWith("@")) throw new Malformed("half an address");
  if (ats > 1) throw new Malformed("two @ in one address");
  return { text, isBare: ats === 0, end: last.end };
}

/** Dots and the at sign join words, also with spaces and comments between (RFC 5322 §4.4). */
function isJoint(before: Token, { kind, text }: Token): boolean {
  return kind === "special" || before.kind === "special" || text.startsWith(".") || before.text.endsWith(".");
}

function* tokensOf(text: string): Generator<Token> {
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? "";
    if (SPACE.includes(character)) at += 1;
    else if (character === "(") at = endOfComment(text, at);
    else if (character === '"') {
      const end = endOfQuoted(text, at);
      yield { kind: "word", text: unfolded(text.slice(at, end)), end };
      at = end;
    } else if (character === "[") {
      const end = text.indexOf("]", at) + 1;
      if (end === 0) throw new Malformed("a [ without its ]");
      yield { kind: "word", text: unfolded(text.slice(at, end)), end };
      at = end;
    } else if (SPECIALS.includes(character)) {
      if (character === ")" || character === "]") throw new Malformed(`a ${character} without its beginning`);
      at += 1;
      yield { kind: "special", text: character, end: at };
    } else {
      const encoded = endOfEncodedWord(text, at);
      const end = encoded ?? endOfAtom(text, at);
      yield { kind: "word", text: text.slice(at, end), end, isEncoded: encoded !== undefined };
      at = end;
    }
  }
}

/** Comments hold comments: counted, so that a million of them cost no stack. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\\") at += 1;
    else if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    if (depth === 0) return at + 1;
  }
  throw new Malformed("a ( without its )");
}

function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\\") at += 1;
    else if (character === '"') return at + 1;
  }
  throw new Malformed('a " without its other one');
}

function endOfAtom(text: string, start: number): number {
  let at = start;
  while (at < text.length && !SPACE.includes(text[at] ?? "") && !SPECIALS.includes(text[at] ?? "")) at += 1;
  return at;
}

/** Many programs leave commas in them (`=?utf-8?Q?Doe,_Jo?=`): in pieces, such a name would be two addresses. */
function endOfEncodedWord(text: string, start: number): number | undefined {
  if (!text.startsWith("=?", start)) return undefined;
  const word = text.slice(start, start + MAX_ENCODED_WORD);
  const encoding = word.indexOf("?", 2);
  const content = encoding < 0 ? -1 : word.indexOf("?", encoding + 1);
  const end = content < 0 ? -1 : word.indexOf("?=", content + 1);
  if (end < 0) return undefined;
  const length = end + 2;
  return /[ \t\r\n]/.test(word.slice(0, length)) ? undefined : start + length;
}

function unfolded(text: string): string {
  return text.replace(/[\r\n]/g, "");
}
