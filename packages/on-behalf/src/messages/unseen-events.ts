// Events whose transaction may be under way. A site reads on behind the last event it got: one that was made before that, and is
// stored after, it would never see. So whatever stands behind such an event waits for it. Called by events.ts.
import type { UnixSeconds } from "@homing/srs-core";

export interface Unseen {
  made(key: string): void;
  /** In a transaction of which somebody says when it is over, however long it takes. */
  held(keys: readonly string[]): void;
  /** It is over. `unknown`: it may yet be stored. */
  over(keys: readonly string[], outcome: "known" | "unknown"): void;
  /** It is stored: somebody has read it. */
  seen(key: string): void;
  /** In the order of keys. */
  under(prefix: string): readonly string[];
}

/** Of the forwarder's transactions nobody says when they are over. They take milliseconds; with a huge message, seconds. */
const PATIENCE_SECONDS = 30;
/** Whoever is to say it and does not, because of a bug, holds readers back for so long. */
const HELD_SECONDS = 3600;

export function createUnseen(now: () => UnixSeconds): Unseen {
  // Until when each is waited for; in the order in which they were made, which is that of their keys within a site.
  const waiting = new Map<string, UnixSeconds>();

  const waitFor = (keys: readonly string[], seconds: number): void => {
    for (const key of keys) if (waiting.has(key)) waiting.set(key, now() + seconds);
  };

  return {
    made(key) {
      forgetFirst(waiting, now());
      waiting.set(key, now() + PATIENCE_SECONDS);
    },
    held: (keys) => waitFor(keys, HELD_SECONDS),
    over(keys, outcome) {
      if (outcome === "unknown") waitFor(keys, PATIENCE_SECONDS);
      else for (const key of keys) waiting.delete(key);
    },
    seen: (key) => void waiting.delete(key),
    under(prefix) {
      const time = now();
      for (const [key, until] of waiting) if (until <= time) waiting.delete(key);
      return [...waiting.keys()].filter((key) => key.startsWith(prefix));
    },
  };
}

/** Where no site asks for events there would be more and more of them. */
function forgetFirst(waiting: Map<string, UnixSeconds>, now: UnixSeconds): void {
  for (const [key, until] of waiting) {
    if (until > now) return;
    waiting.delete(key);
  }
}
