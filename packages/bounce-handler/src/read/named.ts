// Words of a bounce that may name somebody, a host or a mailbox, wherever its mail system wrote them: in comments, in fields that
// nobody knows, in its sentences, in its header. Called by judge.ts; what it finds, reissue/ takes for secrets.
import { readable } from "./octet-text.ts";

const MAX_WORDS = 1000;
/** Of all of them: whoever looks for secrets in them reads them in many ways, and other mail waits meanwhile. */
const MAX_TOTAL = 16 * 1024;
/** A link with the address in it is below. */
const MAX_LENGTH = 2048;
/** An at sign, a dot inside, or the beginning of an escape. What makes one stands in one word. */
const MARK = /@|[.%][\p{L}\p{N}]|\\|=\?|&#/gu;
const BLANK = /\s/;

/**
 * As they stand, each once; or there were more, or longer ones, than a mail system writes.
 * @param texts octets as characters. Linear in them
 */
export function namingWords(texts: readonly string[]): readonly string[] | "too-many" {
  const words = new Set<string>();
  let total = 0;
  for (const octets of texts) {
    const text = readable(octets, octets.length);
    let end = 0;
    // Marks are looked for, and not words: most words have none.
    for (const { index } of text.matchAll(MARK)) {
      if (index < end) continue;
      let from = index;
      while (from > end && !isBlank(text, from - 1)) from--;
      end = index;
      while (end < text.length && end - from <= MAX_LENGTH && !isBlank(text, end)) end++;
      if (words.size === MAX_WORDS || end - from > MAX_LENGTH) return "too-many";
      const word = text.slice(from, end);
      if (words.has(word)) continue;
      words.add(word);
      total += word.length;
      if (total > MAX_TOTAL) return "too-many";
    }
  }
  return [...words];
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code <= 0x20 ? BLANK.test(text[at] ?? "") : code > 0x7f && BLANK.test(text[at] ?? "");
}
