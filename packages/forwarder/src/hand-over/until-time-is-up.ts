// Waits for something that may take longer than the one who waits. Called by the files beside this one.

export type Waited<Value> =
  | { readonly kind: "settled"; readonly value: Value }
  /** It goes on without us. */
  | { readonly kind: "time-is-up" };

/** What the signal itself ends is "settled": it has a moment to say so. */
export async function untilTimeIsUp<Value>(
  work: Promise<Value>,
  timeIsUp: AbortSignal,
): Promise<Waited<Value>> {
  const { promise, resolve } = Promise.withResolvers<"time-is-up">();
  const giveUp = (): void => void setImmediate(resolve, "time-is-up");
  if (timeIsUp.aborted) giveUp();
  else timeIsUp.addEventListener("abort", giveUp, { once: true });
  try {
    const settled = work.then((value) => ({ kind: "settled" as const, value }));
    const first = await Promise.race([settled, promise]);
    return first === "time-is-up" ? { kind: first } : first;
  } finally {
    timeIsUp.removeEventListener("abort", giveUp);
  }
}
