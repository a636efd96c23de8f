// Reloads the route tables while mail flows: read and checked whole, then swapped; with a mistake in them the old ones
// stay. Called by table-reload.ts at SIGHUP and when a file has changed.

/** `signal`: an operator asks; `file`: a change was seen. */
export type ReloadCause = "signal" | "file";

export type ReloadOutcome<Tables> =
  | { readonly kind: "read"; readonly tables: Tables }
  /** One line each, for a person. */
  | { readonly kind: "wrong"; readonly problems: readonly string[] }
  /** There was nothing to read after all. */
  | { readonly kind: "nothing" };

export interface ReloadOptions<Tables> {
  /**
   * Never rejects.
   *
   * @param unwanted aborts when a signal or the end has come, and waiting for a file makes no sense any more
   */
  readonly read: (cause: ReloadCause, unwanted: AbortSignal) => Promise<ReloadOutcome<Tables>>;
  readonly taken: (cause: ReloadCause, tables: Tables) => void;
  readonly refused: (cause: ReloadCause, problems: readonly string[]) => void;
}

export interface Reloader {
  /** At most one reload runs, and one more waits: that one sees whatever changed meanwhile. */
  request(cause: ReloadCause): void;
  /** From now on nothing is read and nothing is swapped, whatever comes of the reload that runs. */
  close(): void;
  /** Resolves when none runs. */
  idle(): Promise<void>;
}

export function createReloader<Tables>({ read, taken, refused }: ReloadOptions<Tables>): Reloader {
  let running: Promise<void> | undefined;
  let waiting: ReloadCause | undefined;
  let unwanted = new AbortController();
  let closed = false;

  const run = async (first: ReloadCause): Promise<void> => {
    for (let cause: ReloadCause | undefined = first; cause; cause = waiting) {
      waiting = undefined;
      unwanted = new AbortController();
      const outcome = await read(cause, unwanted.signal);
      if (closed) break;
      if (outcome.kind === "read") taken(cause, outcome.tables);
      if (outcome.kind === "wrong") refused(cause, outcome.problems);
    }
    running = undefined;
  };

  return {
    request(cause) {
      if (closed) return;
      if (!running) {
        running = run(cause);
        return;
      }
      // An operator's word covers a change that was merely seen, and not the other way round.
      if (waiting !== "signal") waiting = cause;
      if (cause === "signal") unwanted.abort();
    },
    close() {
      closed = true;
      unwanted.abort();
    },
    idle: () => running ?? Promise.resolve(),
  };
}
