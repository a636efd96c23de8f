// A state directory on a mount of its own, for a service in a mount namespace of its own, that becomes read-only and writable
// again while the service runs. Called by full-disk.test.ts.
import { run } from "../../harness/command.ts";

/**
 * Nothing on a mount may be open for writing when it becomes read-only. The lock of the spool is, as long as the service runs: its
 * files have mounts of their own.
 */
const INIT = `
  mount --bind "$1" "$1"
  for file in "$1/spool.lock" "$1/spool.lock-journal"; do : >"$file"; mount --bind "$file" "$file"; done
  shift; exec "$@"
`;

/** Put before the command that starts the service. */
export function onOwnMount(stateFolder: string): string[] {
  const unshare = ["unshare", "--mount", "--propagation", "private"];
  return [...unshare, "sh", "-euc", INIT, "sh", stateFolder];
}

/** @returns false where a file is open for writing */
export async function remount(pid: number, stateFolder: string, mode: "ro" | "rw"): Promise<boolean> {
  const mount = ["mount", "-n", "-o", `remount,bind,${mode}`, stateFolder];
  const { code, stderr } = await run(["nsenter", "--target", `${pid}`, "--mount", "--", ...mount]);
  if (code !== 0 && !stderr.includes("busy")) throw new Error(stderr);
  return code === 0;
}
