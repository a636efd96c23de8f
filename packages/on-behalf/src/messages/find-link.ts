// What a mail program may make a link of, in text that a visitor wrote: they do without "https://" when something looks like a
// host. Called by check-request.ts.

/** Not seen: a soft hyphen, a joiner, the variation of a letter. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

const MARKS: readonly [pattern: RegExp, what: string][] = [
  [/:[/\\]{2}/, "://"],
  // "Awww..." is prose.
  [/www\.[\p{L}\p{N}]/u, "www."],
  [/mailto:/, "mailto:"],
  [/@/, "an @"],
  [/(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)/, "an IP address"],
  // The full stop of Chinese is a dot to browsers. Between letters of Chinese it ends a sentence.
  [/[a-z0-9]\u3002[a-z]{2}/, "a host name"],
];

/** Before the dot. Emoji are registered, too. */
const LABEL_END = /[\p{L}\p{M}\p{N}\p{So}]$/u;
/** Behind it: no name at the top of DNS has a digit, but for `xn--`, nor fewer than two letters. So "e.g.", "U.S." and "5.30" pass. */
const TOP_LABEL = /^[\p{L}\p{M}]{2,63}(?![\p{L}\p{M}\p{N}])/u;

/** In time that grows with the length of the text. @returns what was found, for people; undefined: nothing */
export function findLink(text: string): string | undefined {
  const normal = text.normalize("NFKC").toLowerCase();
  // What is not seen may part a link from what follows it, or stand inside of one.
  return findSeen(normal.replace(UNSEEN, " ")) ?? findSeen(normal.replace(UNSEEN, ""));
}

function findSeen(text: string): string | undefined {
  return MARKS.find(([pattern]) => pattern.test(text))?.[1] ?? findHost(text);
}

function findHost(text: string): string | undefined {
  const parts = text.split(".");
  for (const [place, part] of parts.entries()) {
    const top = TOP_LABEL.exec(part)?.[0];
    if (top !== undefined && LABEL_END.test(parts[place - 1] ?? "")) return `a host name with .${top}`;
  }
  return undefined;
}
