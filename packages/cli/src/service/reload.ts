// Reloads the route tables while mail flows: read and checked whole, then swapped; with a mistake in them the old ones
// stay. Called by `homing serve` at SIGHUP and when a file has changed.

export type ReloadCause = "signal" | "file";

export interface ReloadOptions<Tables> {
  /** Rejects with what is wrong, as text for a person. */
  readonly read: () => Promise<Tables>;
  readonly apply: (tables: Tables) => void;
  readonly failed: (cause: ReloadCause, error: unknown) => void;
  readonly done: (cause: ReloadCause, tables: Tables) => void;
}

export interface Reloader {
  /** At most one reload runs, and one more waits: that one sees whatever changed meanwhile. */
  request(cause: ReloadCause): void;
  /** Resolves when none runs. */
  idle(): Promise<void>;
}

export function createReloader<Tables>(options: ReloadOptions<Tables>): Reloader {
  let running: Promise<void> | undefined;
  let waiting: ReloadCause | undefined;

  const run = async (first: ReloadCause): Promise<void> => {
    for (let cause: ReloadCause | undefined = first; cause; cause = waiting) {
      waiting = undefined;
      try {
        const tables = await options.read();
        options.apply(tables);
        options.done(cause, tables);
      } catch (error) {
        options.failed(cause, error);
      }
    }
    running = undefined;
  };

  return {
    request(cause) {
      if (running) waiting = cause;
      else running = run(cause);
    },
    idle: () => running ?? Promise.resolve(),
  };
}
