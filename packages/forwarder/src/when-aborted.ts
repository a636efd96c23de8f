// Many who wait for one abort: time limits of the same moment are one signal (world.timeLimit), and a signal looks through
// all of its listeners each time one comes or goes. Called by whoever waits for an attempt.
import { Register } from "./register.ts";

interface Waiting {
  readonly calls: Register<() => void>;
  readonly callAll: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls once, when the signal aborts. One that is aborted already tells nobody any more: ask it first.
 * @returns ends the wait
 */
export function whenAborted(signal: AbortSignal, call: () => void): () => void {
  const { calls, callAll } = waiting.get(signal) ?? begin(signal);
  const number = calls.add(call);
  return () => {
    if (!calls.delete(number) || calls.size > 0) return;
    signal.removeEventListener("abort", callAll);
    waiting.delete(signal);
  };
}

function begin(signal: AbortSignal): Waiting {
  const calls = new Register<() => void>();
  const callAll = (): void => {
    for (const call of calls) call();
  };
  signal.addEventListener("abort", callAll, { once: true });
  const begun: Waiting = { calls, callAll };
  waiting.set(signal, begun);
  return begun;
}
