// The folder that holds the queues and logs of all peers during one benchmark: on a disk, since durable is measured.
// Called by main.ts, and by the bench of bounces.
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";

/** statfs(2): what is in these is lost with the power, so a sync of it costs nothing. */
const IN_MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

/** Laid over or hidden in the namespace of a private instance. */
const HIDDEN = ["/var", "/dev", "/run", "/usr", "/etc", "/proc", "/sys"];

/** A Unix socket of an instance lies below it, and its path has at most 107 octets. */
const LONGEST = 70;

/**
 * Makes `parent` and a fresh folder in it, which is removed when this process ends (HOMING_KEEP=1 keeps it).
 * @param isMeasured where not, it may be in memory
 */
export function makeRunFolder(parent: string, isMeasured = true): string {
  const place = resolve(parent);
  const hidden = HIDDEN.find((folder) => place === folder || place.startsWith(`${folder}/`));
  if (hidden !== undefined)
    throw new Error(`${place}: not below ${hidden}, where Postfix has its own: choose another --folder`);
  if (Buffer.byteLength(place) > LONGEST)
    throw new Error(`${place}: longer than ${LONGEST} octets: choose another --folder`);
  mkdirSync(place, { recursive: true });
  const kind = IN_MEMORY.get(statfsSync(place).type);
  if (isMeasured && kind !== undefined) {
    throw new Error(`${place} is on ${kind}, where nothing is durable: choose a --folder on a disk`);
  }
  const folder = mkdtempSync(join(place, "run-"));
  process.once("exit", () => {
    if (process.env.HOMING_KEEP === "1") console.error(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  });
  return folder;
}
