// Waits for the end of something, but not for ever. Called by whatever closes while a disk or a next hop may hang.
import type { Clock } from "./clock.ts";

/** Resolves when the work is over or the time is; rejects as the work does. */
export async function within(
  clock: Clock,
  seconds: number,
  work: Promise<unknown> | undefined,
): Promise<void> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(seconds * 1000, resolve);
  try {
    await Promise.race([work, tooLong]);
  } finally {
    cancel();
  }
}
