// Bounded waiting for something outside of this process: a log line, a mail in a folder, an end of a process.
// Called by everything in this folder that talks to a real program, so that no story ever sleeps.

const POLL_MS = 20;

export interface WaitOptions {
  readonly seconds: number;
  /** What was waited for, and what was there instead: the message of the error. */
  readonly otherwise: () => string | Promise<string>;
}

/** Asks `probe` until it answers something other than `undefined`; throws when `seconds` have passed. */
export async function waitFor<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  { seconds, otherwise }: WaitOptions,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    // The time is read before the probe: on a machine that stalls, the last probe still comes after the end.
    const late = performance.now() > end;
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (late) throw new Error(`after ${seconds} s: ${await otherwise()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
