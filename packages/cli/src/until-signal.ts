// Waits for the person or the service manager to end us.
import process from "node:process";

/** Resolves at the first SIGINT or SIGTERM; a second one then ends the process at once, as it would by itself. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      resolve();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}
