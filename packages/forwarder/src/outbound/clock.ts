// Time for connections: monotonic milliseconds, and timers. Tests have one of their own.

export interface Clock {
  /** Milliseconds; they only grow. */
  readonly now: () => number;
  /** Calls once, after so many milliseconds, unless it is cancelled. Does not keep the process alive. */
  readonly after: (ms: number, call: () => void) => Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};
