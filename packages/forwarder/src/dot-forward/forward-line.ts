// One line of a .forward file, cut into the words that each name a target: commas, blanks, quotes, RFC 5322 comments and
// `Name <address>`, as sendmail and Postfix read them. Called by forward-file.ts, which says what a word means.

export interface ForwardWord {
  /** Where it begins in the line, from 0. */
  readonly at: number;
  /** As written, with its quotes. */
  readonly text: string;
}

export type ForwardLine =
  | { readonly ok: true; readonly words: readonly ForwardWord[] }
  | { readonly ok: false; readonly at: number; readonly message: string };

/** A command, a file or a list: its blanks belong to it. */
const TAKES_THE_PIECE = /^"?(?:\||~?\/|:include:)/i;

export function splitForwardLine(line: string): ForwardLine {
  const bare = withoutComments(line);
  if (!bare.ok) return bare;
  const words: ForwardWord[] = [];
  for (const piece of splitOutsideQuotes(bare.text, (char) => char === ",")) {
    if (TAKES_THE_PIECE.test(piece.text)) {
      words.push(piece);
      continue;
    }
    const bracket = indexOutsideQuotes(piece.text, "<");
    if (bracket < 0) {
      words.push(...splitOutsideQuotes(piece.text, isBlank, piece.at));
      continue;
    }
    const inside = piece.text.slice(bracket + 1);
    const end = indexOutsideQuotes(inside, ">");
    if (end < 0 || inside.slice(end + 1).trim() !== "") {
      const message = "after < there must be one address, then >, then a comma or nothing";
      return { ok: false, at: piece.at + bracket, message };
    }
    words.push({ at: piece.at + bracket + 1, text: inside.slice(0, end).trim() });
  }
  return { ok: true, words };
}

type Bare = { readonly ok: true; readonly text: string } | Extract<ForwardLine, { ok: false }>;

/** Comments become blanks, so that every place stays what it was. */
function withoutComments(line: string): Bare {
  let text = "";
  let quoteAt = -1;
  const open: number[] = [];
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const hidden = open.length > 0;
    if (char === "\\" && (hidden || quoteAt >= 0)) {
      const pair = line.slice(at, at + 2);
      text += hidden ? " ".repeat(pair.length) : pair;
      at++;
      continue;
    }
    if (char === '"' && !hidden) quoteAt = quoteAt < 0 ? at : -1;
    else if (char === "(" && quoteAt < 0) open.push(at);
    text += open.length > 0 ? " " : char;
    if (char === ")" && quoteAt < 0) open.pop();
  }
  const [comment] = open;
  if (quoteAt >= 0) return { ok: false, at: quoteAt, message: 'this " has no partner on its line' };
  if (comment !== undefined) return { ok: false, at: comment, message: "this ( has no partner on its line" };
  return { ok: true, text };
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\r";
}

/** The pieces between separators that stand outside quotes, without the blanks around them and without empty ones. */
function splitOutsideQuotes(text: string, separates: (char: string) => boolean, offset = 0): ForwardWord[] {
  const words: ForwardWord[] = [];
  const add = (from: number, to: number): void => {
    const piece = text.slice(from, to);
    const word = piece.trim();
    if (word !== "") words.push({ at: offset + from + piece.length - piece.trimStart().length, text: word });
  };
  let from = 0;
  for (const at of outsideQuotes(text)) {
    if (!separates(text.charAt(at))) continue;
    add(from, at);
    from = at + 1;
  }
  add(from, text.length);
  return words;
}

function indexOutsideQuotes(text: string, wanted: string): number {
  for (const at of outsideQuotes(text)) if (text.charAt(at) === wanted) return at;
  return -1;
}

function* outsideQuotes(text: string): Generator<number> {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\" && quoted) at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted) yield at;
  }
}
