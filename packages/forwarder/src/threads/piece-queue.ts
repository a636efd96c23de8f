// Pieces that come as messages, read as an iterable. Made by serve-jobs.ts for each job whose octets come so.

export interface PieceQueue {
  push(piece: Buffer): void;
  end(): void;
  fail(error: Error): void;
  /** Read once. */
  readonly pieces: AsyncIterable<Buffer>;
}

/** @param taken called when a piece is done with */
export function createPieceQueue(taken: () => void): PieceQueue {
  const waiting: Buffer[] = [];
  let failure: Error | undefined;
  let isOver = false;
  let wake: (() => void) | undefined;
  const changed = (): void => {
    wake?.();
    wake = undefined;
  };
  async function* pieces(): AsyncIterable<Buffer> {
    for (;;) {
      if (failure) throw failure;
      const piece = waiting.shift();
      if (piece) {
        yield piece;
        taken();
      } else if (isOver) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return {
    push(piece) {
      waiting.push(piece);
      changed();
    },
    end() {
      isOver = true;
      changed();
    },
    fail(error) {
      failure = error;
      changed();
    },
    pieces: pieces(),
  };
}
