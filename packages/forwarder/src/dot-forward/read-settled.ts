// Reads a small file that somebody may be writing right now: what is between two states of it is never taken for one.
// Called by homes.ts and read-forward.ts.
import type { FileStatus, OpenFile } from "./file-access.ts";

export type Settled =
  | { readonly kind: "content"; readonly content: Buffer; readonly status: FileStatus }
  | { readonly kind: "fault"; readonly why: string }
  /** It changed each time. */
  | { readonly kind: "changing" };

export interface SettledOptions {
  /** One octet more is read, so that a larger file is seen as such. */
  readonly maxOctets: number;
  /** Why a file with this status must not be read. */
  readonly faultOf?: (status: FileStatus) => string | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const MAX_TRIES = 3;
/** Between `>` and the words of `echo words > file`, or in an editor that empties the file first. */
const FRESH_MS = 2_000;

export async function readSettled(file: OpenFile, options: SettledOptions): Promise<Settled> {
  const { maxOctets, faultOf, now } = options;
  let status = await file.status();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const why = faultOf?.(status);
    if (why !== undefined) return { kind: "fault", why };
    const content = await file.read(maxOctets + 1);
    const after = await file.status();
    if (after.version === status.version) {
      // A file server's clock may be ahead of ours.
      const fresh = Math.abs(now() - after.modifiedMs) < FRESH_MS;
      return content.length === 0 && fresh ? { kind: "changing" } : { kind: "content", content, status };
    }
    status = after;
  }
  return { kind: "changing" };
}
