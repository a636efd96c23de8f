// The only file that imports mailauth; the overrides that it needs are here, with a test beside it. DKIM signatures
// (RFC 6376, RFC 8463) on mail that we write ourselves, ADR 0022: made by the composition root, called when a mail is
// composed. DKIM, DMARC and ARC (RFC 8617) of mail that comes in: called by authentication/content/ in threads.
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimSigner, ParsedHeader } from "mailauth/lib/dkim/dkim-signer.js";
import type {
  Chain,
  DkimVerifier,
  HeaderField,
  HeaderFields,
  SignatureField,
  SignatureResult,
} from "mailauth/lib/dkim/dkim-verifier.js";
import {
  type ContentLibrary,
  type KeyResolver,
  NoAnswer,
  type VerifiedChain,
  type VerifiedSignature,
} from "./authentication/content/library.ts";

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

/**
 * @param now for t=; without it, the machine's clock
 * @param further fields that are signed, too, such as those of lists (RFC 8058 §4)
 */
export function createMessageSigner(
  keys: readonly DkimKey[],
  now?: () => UnixSeconds,
  further: readonly string[] = [],
): SignMessage {
  if (keys.length === 0) throw new Error("there is no key to sign with");
  // Now, and not at the first signature: it takes 0.1 s of everybody, and at the start there is hardly anybody.
  const fields = [...SIGNED_FIELDS, ...further];
  const loading = loadSigner(fields);
  loading.catch(() => {});
  return async (message) => {
    const Signer = await loading;
    const signer = new Signer({
      canonicalization: "relaxed/relaxed",
      headerList: fields,
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
    const signatures = signer.signatureHeaders.map((field) => `${field}\r\n`).join("");
    return Buffer.concat([Buffer.from(signatures, "latin1"), message]);
  };
}

/** On demand: it costs 30 MB and 0.1 s, which a service without a key does not pay. */
async function loadSigner(fields: readonly string[]): Promise<typeof DkimSigner> {
  const library = await import("mailauth/lib/dkim/dkim-signer.js");
  const signed = new Set(fields.map((name) => name.toLowerCase()));
  return class extends library.DkimSigner {
    /**
     * The library names in h= what is there and no more. The topmost field is the last that it names, so further names
     * behind that one stand for fields that are not there, which add nothing to what is hashed (§5.4.2).
     */
    override async messageHeaders(headers: ParsedHeader): Promise<void> {
      await super.messageHeaders(headers);
      const last = headers.parsed.find(({ key }) => signed.has(key));
      if (last) last.casedKey = [last.casedKey, ...fields].join(": ");
    }
  };
}

/** RFC 6376 §6.1: which signatures it looks at is the verifier's choice. Each costs a look-up and an RSA operation. */
export const MAX_SIGNATURES = 10;
/** Each hash of the body costs another pass over it; l= makes as many as there are signatures. */
const MAX_BODY_HASHES = 4;
/** Real ones have up to 2,000 octets. */
const MAX_SIGNATURE_OCTETS = 8 * 1024;
/** The library's time for a field grows with the square of a run of blanks: 8 KiB of them take it 40 ms. */
const MANY_BLANKS = /[ \t\r\n]{100}/;
/** It looks for each name in h= among all fields of the message. */
const MAX_COLONS = 500;
/** RFC 6376 §3.5; the library falls over others. */
const CANONICALIZATION = /^(?:simple|relaxed)(?:\/(?:simple|relaxed))?$/i;
const MAX_ARC_RESULTS_OCTETS = 32 * 1024;
/** Fields of ARC sets, and how long they may be. */
const ARC_LIMITS: ReadonlyMap<string, number> = new Map([
  ["arc-seal", MAX_SIGNATURE_OCTETS],
  ["arc-message-signature", MAX_SIGNATURE_OCTETS],
  ["arc-authentication-results", MAX_ARC_RESULTS_OCTETS],
]);

/**
 * RFC 8617 §4.1.2: as a DKIM signature (RFC 6376 §5.4.1), with the DKIM-Signature fields. Not what later servers add or
 * take away: trace fields, Authentication-Results.
 */
const SEALED_FIELDS = [
  ...SIGNED_FIELDS,
  "DKIM-Signature",
  "Resent-From",
  "Resent-Sender",
  "Resent-To",
  "Resent-Cc",
  "Resent-Date",
  "Resent-Message-ID",
  "Content-ID",
  "Content-Description",
  "List-Id",
  "List-Help",
  "List-Unsubscribe",
  "List-Unsubscribe-Post",
  "List-Subscribe",
  "List-Post",
  "List-Owner",
  "List-Archive",
];

/** For a thread of its own: RSA is synchronous in it. */
export async function loadContentLibrary(): Promise<ContentLibrary> {
  const Verifier = boundedVerifier((await import("mailauth/lib/dkim/dkim-verifier.js")).DkimVerifier);
  const arc = await import("mailauth/lib/arc/index.js");
  const { evaluateDmarc } = await import("mailauth/lib/dmarc/verify.js");
  const { getAlignment } = await import("mailauth/lib/tools.js");
  return {
    async verify(message, resolver, now) {
      const verifier = new Verifier({ resolver, curTime: new Date(now * 1000), strict: true });
      await pipeline(message, verifier);
      const signatures = verifier.results.filter(({ status }) => status.result !== "none").map(signatureOf);
      return { signatures, chain: await chainOf(verifier.arc, arc.verifyASChain, resolver) };
    },

    async dmarc({ domain, spfDomains, dkimDomains }, resolver) {
      const headerFrom = [`author@${domain}`];
      const { response: found } = await evaluateDmarc({
        ...{ headerFrom, fromFields: 1, spfDomains, dkimDomains },
        ...{ resolver, strict: true },
      });
      if (!found) throw new Error(`DMARC: ${domain} is no domain of an author`);
      return {
        result: found.status.result,
        policy: found.policy ?? "none",
        domain: found.policyDomain ?? "",
        record: found.rr ?? "",
        reason: found.error ?? "",
      };
    },

    async seal(message, { key, results, chain, now }) {
      const { headers, errors } = await arc.createSeal(Readable.from(message), {
        seal: {
          signingDomain: key.domain,
          selector: key.selector,
          privateKey: key.privateKey,
          headerList: SEALED_FIELDS,
          signTime: new Date(now * 1000),
          cv: chain,
          // The library takes a character for an octet.
          authResults: Buffer.from(results, "utf8").toString("latin1"),
        },
        strict: true,
      });
      const [failed] = errors;
      if (failed) throw new Error(`ARC: ${failed.err.message}`, { cause: failed.err });
      if (headers.length !== 3) throw new Error("ARC: a field of the set is missing");
      return Buffer.from(headers.map((field) => `${field}\r\n`).join(""), "latin1").toString("utf8");
    },

    isAligned: (domain, other) => getAlignment(domain, [other]) !== false,
  };
}

/** Looks at no more than is bounded above, whoever wrote the header. */
function boundedVerifier(Verifier: typeof DkimVerifier): typeof DkimVerifier {
  return class extends Verifier {
    /** The library reads its signatures here; what is signed, it takes from `headers` at the end of the body. */
    override async messageHeaders(headers: HeaderFields): Promise<void> {
      const signatures = headers.parsed.filter(isSignature).slice(0, MAX_SIGNATURES);
      const chain = headers.parsed.filter(({ key }) => ARC_LIMITS.has(key));
      const isTooLong = chain.some((field) => !isReasonable(field, ARC_LIMITS.get(field.key)));
      await super.messageHeaders({ ...headers, parsed: isTooLong ? signatures : [...signatures, ...chain] });
      this.headers = headers;
      if (isTooLong) this.arc.error = new Error("an ARC field is longer than any real one");
      this.#boundBodyHashes();
    }

    /** An underscore is no part of a selector (RFC 6376 §3.1), and in DNS nothing is wrong with it: some signers use it. */
    override prepareSignature(field: SignatureField): void {
      const { s, c } = field.parsed;
      if (typeof c?.value === "string" && !CANONICALIZATION.test(c.value.trim())) {
        c.value = "simple/simple";
        super.prepareSignature(field);
        field.invalid = "c= is none that there is";
        return;
      }
      const written = s?.value;
      if (!s || typeof written !== "string" || !written.includes("_")) {
        super.prepareSignature(field);
        return;
      }
      s.value = written.replaceAll("_", "-");
      super.prepareSignature(field);
      s.value = written;
      field.selector = written;
    }

    /** The chain's comes first, then the lowest signature's: the author's. */
    #boundBodyHashes(): void {
      const wanted = this.signatureHeaders.toReversed().map(({ bodyHashKey }) => bodyHashKey);
      const kept = new Set([...new Set(wanted)].filter((key) => key !== undefined).slice(0, MAX_BODY_HASHES));
      for (const field of this.signatureHeaders) {
        if (field.bodyHashKey === undefined || kept.has(field.bodyHashKey)) continue;
        field.invalid = "the signatures want too many hashes of the body";
        this.bodyHashes.delete(field.bodyHashKey);
      }
    }
  };
}

function isSignature(field: HeaderField): boolean {
  return field.key === "dkim-signature" && isReasonable(field, MAX_SIGNATURE_OCTETS);
}

function isReasonable({ line }: HeaderField, maxOctets = 0): boolean {
  const text = line.toString("latin1");
  return (
    line.length <= maxOctets && !MANY_BLANKS.test(text) && text.split(":", MAX_COLONS).length < MAX_COLONS
  );
}

function signatureOf({ status, ...tags }: SignatureResult): VerifiedSignature {
  const rule = status.policy?.["dkim-rules"];
  return {
    domain: tags.signingDomain ?? "",
    selector: tags.selector ?? "",
    algorithm: tags.algo ?? "",
    signature: tags.signature ?? "",
    result: status.result,
    reason: status.comment || rule || "",
    isTesting: status.testing ?? false,
    unsigned: status.underSized ?? 0,
  };
}

/** As RFC 8617 §5.2 has it. The library's own `arc()` makes a fail of a key that DNS did not give. */
async function chainOf(
  arc: Chain,
  verifySeals: (chain: Chain, options: { resolver: KeyResolver; strict: boolean }) => Promise<boolean>,
  resolver: KeyResolver,
): Promise<VerifiedChain> {
  if (arc.error) return { kind: "broken", reason: arc.error.message };
  const newest = arc.chain ? arc.chain.at(-1) : undefined;
  if (!arc.chain || !newest) return { kind: "none" };
  const read = {
    kind: "read",
    sets: arc.chain.map((set) => ({
      sealer: String(set["arc-seal"].parsed.d?.value ?? ""),
      results: set["arc-authentication-results"].original.toString("latin1"),
    })),
  } as const;
  try {
    await verifySeals(arc, { resolver, strict: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...read, result: error instanceof NoAnswer ? "temperror" : "fail", reason };
  }
  const { result, comment, underSized } = newest.messageSignature?.status ?? { result: "none" };
  if (result === "temperror") return { ...read, result, reason: comment || "" };
  if (result === "pass" && !underSized) return { ...read, result, reason: "" };
  const why = underSized ? "it covers not all of the body" : comment || result;
  return { ...read, result: "fail", reason: `ARC-Message-Signature: ${why}` };
}
