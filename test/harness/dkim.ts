// Debian's dkimpy (Python) as a peer: it signs messages before they are forwarded, and verifies them after.
// Called by stories that show that forwarding leaves a DKIM signature intact.

import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startLinePeer } from "./line-peer.ts";

export interface DkimSigner {
  readonly domain: string;
  readonly selector: string;
  /** RSA, PKCS #1. */
  readonly privateKeyPem: string;
}

export interface VerifyOptions {
  /** Maps a name to its TXT record: nothing else is asked. */
  readonly dns: Readonly<Record<string, string>>;
  /** Which signature, from 0 at the top. Default: the first. */
  readonly index?: number;
}

export interface Dkim extends AsyncDisposable {
  /** The whole message with a DKIM-Signature put in front. Lines of `message` end with CRLF. */
  sign(message: Uint8Array, signer: DkimSigner): Promise<Buffer>;
  /** Whether a signature holds. */
  verify(message: Uint8Array, options: VerifyOptions): Promise<boolean>;
  stop(): Promise<void>;
}

export async function dkim(): Promise<Dkim> {
  const peer = await startLinePeer({
    packageName: "python3-dkim",
    // Isolated: neither a user's site-packages nor the environment's.
    interpreter: ["python3", "-I"],
    script: await readFile(join(import.meta.dirname, "dkim.py"), "utf8"),
  });
  const base64 = (message: Uint8Array) => Buffer.from(message).toString("base64");
  return {
    async sign(message, signer) {
      const answer = await peer.ask({ ask: "sign", message: base64(message), ...signer });
      return Buffer.from(String(answer), "base64");
    },
    async verify(message, { dns, index = 0 }) {
      return (await peer.ask({ ask: "verify", message: base64(message), dns, index })) === true;
    },
    stop: () => peer.stop(),
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}

/** A new key, and the DNS record (name and text) under which verifiers look its public half up (RFC 6376 §3.6). */
export function createDkimKey(domain: string, selector: string) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
  return {
    signer: { domain, selector, privateKeyPem: privateKey },
    dns: { [`${selector}._domainkey.${domain}`]: `v=DKIM1; k=rsa; p=${publicKey.toString("base64")}` },
  };
}
