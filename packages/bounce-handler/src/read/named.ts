// Words of a bounce that may name somebody, a host or a mailbox, wherever its mail system wrote them: in comments, in fields that
// nobody knows, in its sentences, in its header. Called by judge.ts; what it finds, reissue/ takes for secrets.
import { readable } from "./octet-text.ts";

const MAX_WORDS = 1000;
/** A link with the address in it is below. */
const MAX_LENGTH = 2048;
/** An at sign, a dot inside, or the beginning of an escape. */
const MARK = /@|[.%][\p{L}\p{N}]|\\|=\?|&#/u;

/**
 * As they stand, each once; or there were more, or longer ones, than a mail system writes.
 * @param texts octets as characters. Linear in them
 */
export function namingWords(texts: readonly string[]): readonly string[] | "too-many" {
  const words = new Set<string>();
  for (const text of texts) {
    for (const [word] of readable(text, text.length).matchAll(/\S+/g)) {
      if (!MARK.test(word)) continue;
      if (words.size === MAX_WORDS || word.length > MAX_LENGTH) return "too-many";
      words.add(word);
    }
  }
  return [...words];
}
