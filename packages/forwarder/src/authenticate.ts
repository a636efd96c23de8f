// DKIM signatures (RFC 6376, RFC 8463) on mail that we write ourselves, ADR 0022. The only file that imports mailauth; the
// override that it needs is here, with a test beside it. Made by the composition root, called when a mail is composed.
import { finished } from "node:stream/promises";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimSigner, ParsedHeader } from "mailauth/lib/dkim/dkim-signer.js";

export interface DkimKey {
  /** d= */
  readonly domain: string;
  /** s= */
  readonly selector: string;
  /** PEM: RSA of 1024 bits at least (RFC 8301 §3.2), or Ed25519. */
  readonly privateKey: string;
}

/**
 * The message with a DKIM-Signature of each key on top, and otherwise as it was. Its lines end with CRLF. Rejects where
 * one signature cannot be made: half signed is not signed, and the caller may try again later.
 */
export type SignMessage = (message: Buffer) => Promise<Buffer>;

/** Of a site without a key, or whose smart host signs. */
export const NOT_SIGNED: SignMessage = async (message) => message;

/**
 * Each is named once more than it is there (§8.15): nobody can add another without breaking the signature. Sender,
 * Reply-To and Cc are never there, and shall not be.
 */
const SIGNED_FIELDS = [
  "From",
  "Sender",
  "Reply-To",
  "To",
  "Cc",
  "Subject",
  "Date",
  "Message-ID",
  "In-Reply-To",
  "References",
  "Auto-Submitted",
  "MIME-Version",
  "Content-Type",
  "Content-Transfer-Encoding",
];

/** @param now for t=; without it, the machine's clock */
export function createMessageSigner(keys: readonly DkimKey[], now?: () => UnixSeconds): SignMessage {
  if (keys.length === 0) throw new Error("there is no key to sign with");
  // Now, and not at the first signature: it takes 0.1 s of everybody, and at the start there is hardly anybody.
  const loading = loadSigner();
  loading.catch(() => {});
  return async (message) => {
    const Signer = await loading;
    const signer = new Signer({
      canonicalization: "relaxed/relaxed",
      headerList: SIGNED_FIELDS,
      signTime: now && new Date(now() * 1000),
      signatureData: keys.map(({ domain, selector, privateKey }) => ({
        signingDomain: domain,
        selector,
        privateKey,
      })),
      strict: true,
    });
    signer.end(message);
    await finished(signer);
    const [failed] = signer.errors;
    if (failed) throw new Error(`DKIM: ${failed.err.message}`, { cause: failed.err });
    if (signer.signatureHeaders.length !== keys.length) throw new Error("DKIM: a signature is missing");
    const fields = signer.signatureHeaders.map((field) => `${field}\r\n`).join("");
    return Buffer.concat([Buffer.from(fields, "latin1"), message]);
  };
}

/** On demand: it costs 30 MB and 0.1 s, which a service without a key does not pay. */
async function loadSigner(): Promise<typeof DkimSigner> {
  const library = await import("mailauth/lib/dkim/dkim-signer.js");
  const signed = new Set(SIGNED_FIELDS.map((name) => name.toLowerCase()));
  return class extends library.DkimSigner {
    /**
     * The library names in h= what is there and no more. The topmost field is the last that it names, so further names
     * behind that one stand for fields that are not there, which add nothing to what is hashed (§5.4.2).
     */
    override async messageHeaders(headers: ParsedHeader): Promise<void> {
      await super.messageHeaders(headers);
      const last = headers.parsed.find(({ key }) => signed.has(key));
      if (last) last.casedKey = [last.casedKey, ...SIGNED_FIELDS].join(": ");
    }
  };
}
