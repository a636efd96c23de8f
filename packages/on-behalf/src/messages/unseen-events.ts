// Events whose transaction may be under way. A site reads on behind the last event it got: one that was made before that, and is
// stored after, it would never see. So whatever stands behind such an event waits for it. Called by events.ts.
import type { UnixSeconds } from "@homing/srs-core";

export interface Unseen {
  made(key: string): void;
  /** It is stored: somebody has read it. */
  seen(key: string): void;
  /** In the order of keys. */
  under(prefix: string): readonly string[];
}

/** A transaction takes milliseconds. Older ones failed, or were stored and nobody asked. */
const PATIENCE_SECONDS = 10;

export function createUnseen(now: () => UnixSeconds): Unseen {
  // In the order in which they were made, which is that of their keys within a site.
  const made = new Map<string, UnixSeconds>();

  const forgetOld = (): void => {
    const oldest = now() - PATIENCE_SECONDS;
    for (const [key, at] of made) {
      if (at > oldest) return;
      made.delete(key);
    }
  };

  return {
    made(key) {
      forgetOld();
      made.set(key, now());
    },
    seen: (key) => void made.delete(key),
    under(prefix) {
      forgetOld();
      return [...made.keys()].filter((key) => key.startsWith(prefix));
    },
  };
}
