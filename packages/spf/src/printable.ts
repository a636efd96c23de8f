// Hostile text for a person, a log or a header field: printable ASCII, and not too long. Called throughout.

const MAX_QUOTED = 80;

/** Whatever is not printable ASCII becomes `?`, the end of a long text `...`. */
export function printable(text: string, max = MAX_QUOTED): string {
  const short = text.length > max ? `${text.slice(0, max - 3)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, "?");
}
