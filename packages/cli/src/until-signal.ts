// Signals of the person or the service manager: to end us, or to read the tables anew. Called by the commands that run
// until they are told to stop.
import process from "node:process";

/** npm passes Ctrl-C on to us, who heard it from the terminal already: both are one wish. */
const SAME_WISH_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Resolves at the first SIGINT or SIGTERM. One that comes a second later ends the process at once. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const impatient = (): void => {
      for (const signal of SIGNALS) process.off(signal, stop);
    };
    const stop = (): void => {
      setTimeout(impatient, SAME_WISH_MS).unref();
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
  });
}

export interface Hangups {
  /** Also of one that came before there was somebody to hear it. */
  listen(act: () => void): void;
}

/** SIGHUP, from now to the end of the process: without a listener it would end it, in the middle of a message. */
export function hangups(): Hangups {
  let early = false;
  let act = (): void => {
    early = true;
  };
  process.on("SIGHUP", () => act());
  return {
    listen(next) {
      act = next;
      if (early) next();
    },
  };
}

/** For whoever else listens: SIGHUP has one listener. */
export function alsoHeardBy(heard: Hangups, ...others: readonly (() => void)[]): Hangups {
  return {
    listen(act) {
      heard.listen(() => {
        act();
        for (const other of others) other();
      });
    },
  };
}

/** What answers at all mostly answers within this. With the 30 s of the listener, a service manager waits for it. */
const LEFT_OVER_MS = 2_000;

/**
 * Called when all work is done. A file that never answers holds a thread that Node waits for, in process.exit() too.
 * Only a signal ends it, and of those SIGTERM is a good end to a service manager.
 *
 * @param ended resolves when nothing is left over @param giveUp is called before the signal
 */
export function endUnless(ended: Promise<unknown>, giveUp: () => void): void {
  const end = (): void => {
    giveUp();
    process.removeAllListeners("SIGTERM");
    process.kill(process.pid, "SIGTERM");
  };
  const timer = setTimeout(end, LEFT_OVER_MS);
  void ended.then(() => clearTimeout(timer));
}
