// Waits for the person or the service manager to end us.
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
