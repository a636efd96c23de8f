// Debian's pyspf as a peer: what a receiver's SPF check says of a client, with DNS from a table. Called by stories about
// mail that we write ourselves.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startLinePeer } from "./line-peer.ts";

export type SpfDns = Readonly<
  Record<string, { readonly TXT?: readonly string[]; readonly A?: readonly string[] }>
>;

export interface SpfClient {
  readonly client: string;
  readonly helo: string;
  /** "" is the null sender: then the HELO name counts (RFC 7208 §2.4). */
  readonly sender: string;
  /** By name in lower case: nothing else is asked. */
  readonly dns: SpfDns;
}

export interface Spf extends AsyncDisposable {
  /** `pass`, `fail`, `none` and so on (RFC 7208 §2.6). */
  check(client: SpfClient): Promise<string>;
}

export async function spf(): Promise<Spf> {
  const peer = await startLinePeer({
    packageName: "python3-spf",
    // Isolated: neither a user's site-packages nor the environment's.
    interpreter: ["python3", "-I"],
    script: await readFile(join(import.meta.dirname, "spf.py"), "utf8"),
  });
  return {
    check: async (client) => String(await peer.ask({ ...client })),
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}
