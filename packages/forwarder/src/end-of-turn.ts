// The end of a turn of the event loop: what comes up many times in one is done there, once. A message to a thread or a write to
// a socket wakes whoever it is for, and one for all of a turn costs half of one for each. Called by whoever talks to threads
// and sockets.

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
