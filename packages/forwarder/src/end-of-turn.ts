// The end of a turn of the event loop: what comes up many times in one is done there, once. A message wakes the thread that it is
// for: with ten jobs at a time, one for all of a turn costs half of one for each. Called by gathered-writes.ts, and by both
// sides of every thread: spool/writer.ts, outbound/thread/, threads/.

/** @returns what asks for the call: it comes at the end of this turn, however often that is asked */
export function atEndOfTurn(call: () => void): () => void {
  let isComing = false;
  const come = (): void => {
    isComing = false;
    call();
  };
  return () => {
    if (isComing) return;
    isComing = true;
    setImmediate(come);
  };
}
