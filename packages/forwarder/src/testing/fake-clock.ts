// A clock that a test moves. Timers ring in the order of their times, each with the clock at its time.
import type { Clock } from "../outbound/clock.ts";

export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Timers that are set. */
  readonly timers: number;
}

export function createFakeClock(): FakeClock {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly call: () => void }>();
  return {
    now: () => now,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.at - b.at);
        if (!next || next.at > end) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.call();
      }
      now = end;
    },
    get timers() {
      return timers.size;
    },
  };
}
