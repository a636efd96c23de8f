// Debian's dkimpy (Python) as a peer for ARC (RFC 8617): it seals what comes to us, and verifies what we sealed. Called by
// arc.test.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianRoot } from "./debian-packages.ts";
import type { DkimSigner } from "./dkim.ts";
import { startLinePeer } from "./line-peer.ts";

/** What `storiesNeed` is asked for. */
export const ARC_PACKAGES = ["python3-dkim", "python3-authres"] as const;

export interface ArcVerifyOptions {
  /** Texts by name: nothing else is asked. */
  readonly dns: Readonly<Record<string, string>>;
  /** Its ARC, as it comes, knows RSA alone. */
  readonly ed25519?: boolean;
}

export interface ArcVerdict {
  /** `ended` is a chain that says that it failed. */
  readonly chain: "pass" | "fail" | "none" | "ended";
  readonly reason: string;
}

export interface Arc extends AsyncDisposable {
  /**
   * The message with an ARC set on top, made of its Authentication-Results of `authservId`; `arc=` in these says what
   * becomes of a chain. RSA.
   */
  seal(message: Buffer, signer: DkimSigner, authservId: string): Promise<Buffer>;
  verify(message: Buffer, how: ArcVerifyOptions): Promise<ArcVerdict>;
}

export async function arc(): Promise<Arc> {
  const script = await readFile(join(import.meta.dirname, "arc.py"), "utf8");
  const peer = await startLinePeer({
    packageName: "python3-dkim",
    // Isolated: neither a user's site-packages nor the environment's.
    interpreter: ["python3", "-I"],
    script,
    seen: { authres: await debianRoot("python3-authres") },
  });
  return {
    async seal(message, signer, authservId) {
      const asked = { ask: "seal", message: message.toString("base64"), ...signer, authservId };
      return Buffer.concat([Buffer.from(String(await peer.ask(asked)), "base64"), message]);
    },
    async verify(message, { dns, ed25519 = false }) {
      const asked = { ask: "verify", message: message.toString("base64"), dns, ed25519 };
      return (await peer.ask(asked)) as ArcVerdict;
    },
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}
