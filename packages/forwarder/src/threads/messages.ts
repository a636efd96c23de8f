// What the service and a thread with jobs say to each other; all that one of them says in a turn of its event loop goes in one
// message. Read by job-thread.ts and serve-jobs.ts.

/** What a kind of thread does; all of it is cloned on its way. */
export interface Trade {
  /** What a job is, beside the octets that it reads. */
  readonly work: unknown;
  readonly outcome: unknown;
  /** What the thread asks the service while it works. */
  readonly question: unknown;
  readonly answer: unknown;
}

/** Chosen by the service. */
export type JobId = number;

export type ToThread<T extends Trade> =
  | {
      readonly kind: "job";
      readonly id: JobId;
      readonly work: T["work"];
      /** Without it, the octets come in pieces: no more than `PIECES_AHEAD` before one is taken. */
      readonly whole?: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: "piece"; readonly id: JobId; readonly octets: Uint8Array<ArrayBuffer> }
  /** `isBroken`: the rest cannot be had, and nobody waits any more. */
  | { readonly kind: "end"; readonly id: JobId; readonly isBroken: boolean }
  | { readonly kind: "answer"; readonly id: number; readonly answer: T["answer"] }
  | { readonly kind: "are-you-there" };

export type FromThread<T extends Trade> =
  | { readonly kind: "done"; readonly id: JobId; readonly outcome: T["outcome"] }
  | { readonly kind: "failed"; readonly id: JobId; readonly cause: string }
  /** A piece is taken. */
  | { readonly kind: "taken"; readonly id: JobId }
  | { readonly kind: "question"; readonly id: number; readonly question: T["question"] }
  | { readonly kind: "here" };

/** Pieces on their way to a job, from a content that is not in memory. */
export const PIECES_AHEAD = 4;
export const PIECE_OCTETS = 64 * 1024;
