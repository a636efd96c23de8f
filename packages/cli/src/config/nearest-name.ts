// Which of some known names a person meant. Called where an unknown setting is told.

/** What is longer is no slip of the fingers; it also bounds the work. */
const MAX_LENGTH = 64;

/** Fewer letters begin too many names. */
const MIN_BEGINNING = 3;

/**
 * The nearest of the names: at most two slips away, one in a short word. Or the only one that begins with the word.
 * Undefined where nothing is near.
 */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  const limit = word.length <= 4 ? 1 : 2;
  let nearest: { readonly name: string; readonly slips: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - word.length) > limit) continue;
    const slips = slipsBetween(word.toLowerCase(), name.toLowerCase());
    if (slips <= limit && slips < (nearest?.slips ?? limit + 1)) nearest = { name, slips };
  }
  return nearest?.name ?? onlyBegunWith(word, names);
}

function onlyBegunWith(word: string, names: readonly string[]): string | undefined {
  if (word.length < MIN_BEGINNING) return undefined;
  const [first, ...more] = names.filter((name) => name.toLowerCase().startsWith(word.toLowerCase()));
  return more.length === 0 ? first : undefined;
}

/**
 * Damerau–Levenshtein in its restricted form: a character too many, too few or wrong is one slip, and so are two
 * neighbours that changed places. No character moves twice.
 */
export function slipsBetween(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const wrong = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(cell(last, j) + 1, cell(row, j - 1) + 1, cell(last, j - 1) + wrong);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cell(beforeLast, j - 2) + 1);
      }
      row.push(least);
    }
    [beforeLast, last] = [last, row];
  }
  return cell(last, b.length);
}

function cell(row: readonly number[], at: number): number {
  return row[at] ?? Number.POSITIVE_INFINITY;
}
