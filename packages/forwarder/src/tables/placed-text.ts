// A logical line, joined of physical ones, that knows where each of its characters stands: problems are told where the
// operator sees them. Called by the readers in this folder.

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface PlacedText {
  readonly text: string;
  readonly place: (at: number) => Place;
}

export interface PhysicalLine {
  readonly line: number;
  readonly text: string;
}

export function joinLines(parts: readonly PhysicalLine[]): PlacedText {
  const starts: number[] = [];
  let length = 0;
  for (const { text } of parts) {
    starts.push(length);
    length += text.length;
  }
  return {
    text: parts.map((part) => part.text).join(""),
    place(at) {
      const index = lastNotAbove(starts, at);
      const part = parts[index];
      const column = Math.min(at - (starts[index] ?? 0), part?.text.length ?? 0) + 1;
      return { line: part?.line ?? 1, column };
    },
  };
}

/** By halves: an entry may have as many lines as targets, and each target asks. */
function lastNotAbove(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
