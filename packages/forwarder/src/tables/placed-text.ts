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
  return {
    text: parts.map((part) => part.text).join(""),
    place(at) {
      let left = at;
      for (const part of parts) {
        if (left < part.text.length) return { line: part.line, column: left + 1 };
        left -= part.text.length;
      }
      const last = parts.at(-1);
      return { line: last?.line ?? 1, column: (last?.text.length ?? 0) + 1 };
    },
  };
}
