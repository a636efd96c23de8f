// Doing all that can be done although some of it fails, so that all failures are told in one run. Called by commands/config.ts and
// on-behalf/read-sites.ts.
import { CommandFailure, type FailureReason } from "./failure.ts";

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: CommandFailure };

/** Bugs throw. */
export async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    if (error instanceof CommandFailure) return { ok: false, failure: error };
    throw error;
  }
}

export function failuresOf(attempts: readonly Attempt<unknown>[]): readonly CommandFailure[] {
  return attempts.flatMap((one) => (one.ok ? [] : [one.failure]));
}

/** Of all together: who has to correct the configuration anyway needs no right first. */
export function reasonOf(failures: readonly CommandFailure[]): FailureReason {
  const reasons = new Set(failures.map(({ reason }) => reason));
  const [reason = "config"] = reasons.has("config") ? [] : reasons;
  return reason;
}
