// The text of an HTML part, for the rules alone: tags away, blocks on lines of their own, the entities that stand around
// addresses decoded. One pass. Called by judge.ts when there is no plain text that tells anything.

const BLOCKS: ReadonlySet<string> = new Set(
  "br p div tr td li table h1 h2 h3 h4 hr pre ul ol body".split(" "),
);
const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  nbsp: " ",
  "#39": "'",
  "#x27": "'",
  "#64": "@",
  "#x40": "@",
  rsquo: "'",
};
const MAX_ENTITY = 8;

export function htmlText(html: string): string {
  const out: string[] = [];
  // Latin1 keeps its length in it.
  const small = html.toLowerCase();
  let at = 0;
  while (at < html.length) {
    const tag = indexOrEnd(html, "<", at);
    // A line end in HTML is a blank.
    out.push(html.slice(at, tag).replace(/[\r\n]/g, " "));
    if (tag === html.length) break;
    const end = indexOrEnd(html, ">", tag);
    const name = tagName(small, tag + 1);
    if (BLOCKS.has(name)) out.push("\n");
    at = end + 1;
    if (name === "style" || name === "script") at = endOfRawText(small, at, name);
  }
  return withoutEntities(out.join(""));
}

/** Style and script have no text. Never closed, they go to the end. In lower case. */
function endOfRawText(html: string, from: number, name: string): number {
  const close = html.indexOf(`</${name}`, from);
  return close < 0 ? html.length : close;
}

/** In lower case. */
function tagName(html: string, from: number): string {
  const start = html[from] === "/" ? from + 1 : from;
  let end = start;
  while (end < start + 10 && isNameCharacter(html.charCodeAt(end))) end++;
  return html[from] === "/" && (html.startsWith("style", start) || html.startsWith("script", start))
    ? ""
    : html.slice(start, end);
}

function withoutEntities(text: string): string {
  const out: string[] = [];
  let from = 0;
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", at + 1)) {
    const name = entityAt(text, at + 1);
    const character = name === undefined ? undefined : ENTITIES[name.toLowerCase()];
    if (name === undefined || character === undefined) continue;
    out.push(text.slice(from, at), character);
    from = at + name.length + 2;
  }
  out.push(text.slice(from));
  return out.join("");
}

function entityAt(text: string, from: number): string | undefined {
  for (let at = from; at < from + MAX_ENTITY; at++) {
    if (text[at] === ";") return text.slice(from, at);
  }
  return undefined;
}

function isNameCharacter(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

function indexOrEnd(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}
