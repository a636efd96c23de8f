// Octets of memory that all messages may have together. Made by front.ts, spent by message-sink.ts.

export interface BufferBudget {
  /** False if they cannot be had. */
  take(octets: number): boolean;
  give(octets: number): void;
  /** Taken by somebody now. */
  taken(): number;
}

export function createBufferBudget(octets: number): BufferBudget {
  let left = octets;
  return {
    take(wanted) {
      if (wanted > left) return false;
      left -= wanted;
      return true;
    },
    give(back) {
      left += back;
    },
    taken: () => octets - left,
  };
}
