// Waits for something that may take longer than the one who waits. Called by the files beside this one.
import { whenAborted } from "../when-aborted.ts";

export type Waited<Value> =
  | { readonly kind: "settled"; readonly value: Value }
  /** It goes on without us. */
  | { readonly kind: "time-is-up" };

/** What the signal itself ends is "settled": it has a moment to say so. */
export function untilTimeIsUp<Value>(work: Promise<Value>, timeIsUp: AbortSignal): Promise<Waited<Value>> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => void setImmediate(resolve, { kind: "time-is-up" });
    const leave = timeIsUp.aborted ? undefined : whenAborted(timeIsUp, giveUp);
    if (!leave) giveUp();
    const settle = (value: Value): void => {
      leave?.();
      resolve({ kind: "settled", value });
    };
    const fail = (error: unknown): void => {
      leave?.();
      reject(error);
    };
    work.then(settle, fail);
  });
}
