// Debian's authres (Python) as a peer: a reader of Authentication-Results that shares no code with our writer. Called by the
// story about hostile senders.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianRoot } from "./debian-packages.ts";
import { startLinePeer } from "./line-peer.ts";

/** What `storiesNeed` is asked for. */
export const AUTHRES_PACKAGES = ["python3-dkim", "python3-authres"] as const;

export interface ReadResults {
  readonly authservId: string;
  readonly results: readonly {
    readonly method: string;
    readonly result: string;
    readonly reason: string | null;
    readonly properties: Readonly<Record<string, string>>;
  }[];
}

export interface Authres extends AsyncDisposable {
  /** @param field unfolded, with its name; rejects where it cannot be read */
  read(field: string): Promise<ReadResults>;
}

export async function authres(): Promise<Authres> {
  const script = await readFile(join(import.meta.dirname, "authres.py"), "utf8");
  const peer = await startLinePeer({
    // Its Python.
    packageName: "python3-dkim",
    interpreter: ["python3", "-I"],
    script,
    seen: { authres: await debianRoot("python3-authres") },
  });
  return {
    read: async (field) => (await peer.ask({ field })) as ReadResults,
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}
