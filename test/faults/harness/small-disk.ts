// A state directory on a small disk of its own, for a service in a mount namespace of its own: it goes with the process.
// Called by full-disk.test.ts.
import { type StatsFs, statfsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const INIT = 'mount -t tmpfs -o "size=$1" tmpfs "$2"; shift 2; exec "$@"';

/** Put before the command that starts the service. */
export function onSmallDisk(stateFolder: string, mebioctets: number): string[] {
  const unshare = ["unshare", "--mount", "--propagation", "private"];
  return [...unshare, "sh", "-euc", INIT, "sh", `${mebioctets}m`, stateFolder];
}

/** The disk as the process has it; `filler` is a file there that takes room. */
export function smallDisk(pid: number, stateFolder: string) {
  const folder = `/proc/${pid}/root${stateFolder}`;
  const filler = join(folder, "filler");
  const freeOctets = (): number => {
    const { bavail, bsize }: StatsFs = statfsSync(folder);
    return bavail * bsize;
  };
  return {
    freeOctets,
    /** Leaves so much at most: the process itself writes, too. */
    async fill(leave: number): Promise<void> {
      const octets = Math.max(0, freeOctets() - leave);
      await writeFile(filler, Buffer.alloc(octets), { flag: "a" }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOSPC") throw error;
      });
    },
    makeRoom: () => rm(filler),
    /** High-water mark of the process's memory. */
    async peakMemory(): Promise<number> {
      return Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
    },
  };
}
