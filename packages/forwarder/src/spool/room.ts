// Is there room on the disk for more mail? Asked before a batch that stores: what is left below the floor is for removing
// messages and for the checkpoint. Runs in the writer thread. Called by batch.ts.
import { statfsSync, statSync } from "node:fs";

export interface Room {
  /** Why nothing more may be stored now; undefined: it may. */
  lacking(): string | undefined;
}

/** @param makeRoom tried when there is too little, at most once in a second */
export function createRoom(file: string, minFreeOctets: number, makeRoom: () => void): Room {
  let lastTry = Number.NEGATIVE_INFINITY;

  /** The log is counted as used twice: a checkpoint may have to write all of it to the database file as well. */
  const free = (): number => {
    const { bavail, bsize } = statfsSync(file);
    return bavail * bsize - (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  };

  return {
    lacking() {
      if (minFreeOctets === 0 || free() >= minFreeOctets) return undefined;
      if (performance.now() - lastTry > 1000) {
        lastTry = performance.now();
        makeRoom();
      }
      const left = free();
      return left >= minFreeOctets
        ? undefined
        : `${file}: only ${left} octets of the disk are free, and ${minFreeOctets} must stay so`;
    },
  };
}
