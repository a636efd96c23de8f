// The verifier, ARC, DMARC and the list of public suffixes of mailauth 7.1.0: the members that authenticate.ts uses. The
// package declares no types for some of these files, and loose ones for the others.
declare module "mailauth/lib/dkim/dkim-verifier.js" {
  import { Writable } from "node:stream";

  export interface HeaderField {
    /** In lower case. */
    readonly key: string;
    /** The whole field, without the CRLF at its end. */
    readonly line: Buffer;
  }

  export interface HeaderFields {
    /** As they stand in the message, the topmost first. */
    readonly parsed: readonly HeaderField[];
    readonly original: Buffer;
  }

  export interface SignatureField {
    /** Which of the hashes of the body it wants; none where the field is wrong. */
    readonly bodyHashKey?: string;
    readonly type: "DKIM" | "ARC";
    readonly parsed: { readonly s?: { value?: unknown }; readonly c?: { value?: unknown } };
    /** s= */
    selector: unknown;
    /** Why the signature is not even tried: neutral. */
    invalid?: string;
  }

  export interface SignatureResult {
    readonly signingDomain?: string;
    readonly selector?: string;
    readonly algo?: string;
    readonly signature?: string;
    readonly status: {
      readonly result: string;
      readonly comment?: string | false;
      readonly policy?: Readonly<Record<string, string>>;
      /** t=y of the key. */
      readonly testing?: boolean;
      /** Octets behind l=. */
      readonly underSized?: number;
    };
  }

  interface ArcField {
    readonly parsed: Readonly<Record<string, { readonly value?: unknown } | undefined>>;
    readonly original: Buffer;
  }

  export interface ArcSet {
    readonly i: number;
    readonly "arc-seal": ArcField;
    readonly "arc-authentication-results": ArcField;
    /** What became of the ARC-Message-Signature; of the newest set only. */
    readonly messageSignature?: SignatureResult;
  }

  export interface Chain {
    /** The oldest first. */
    readonly chain: readonly ArcSet[] | false;
    /** It is no chain. */
    error?: Error;
  }

  export interface VerifierOptions {
    /** As `dns.promises.resolve`, errors with their codes, too. */
    readonly resolver: (name: string, type: string) => Promise<string[][]>;
    readonly curTime: Date;
    readonly strict: boolean;
  }

  /** Takes the message as a stream, and has the results when that has finished. */
  export class DkimVerifier extends Writable {
    constructor(options: VerifierOptions);
    /** Of the whole message, when the signatures are verified. */
    headers: HeaderFields;
    readonly signatureHeaders: readonly SignatureField[];
    readonly bodyHashes: Map<string, unknown>;
    /** Without a signature: one, `none`. */
    readonly results: readonly SignatureResult[];
    readonly arc: Chain;
    messageHeaders(headers: HeaderFields): Promise<void>;
    /** Reads the tags of one, and says whether they are right. */
    prepareSignature(field: SignatureField): void;
  }
}

declare module "mailauth/lib/arc/index.js" {
  export interface SealOptions {
    readonly signingDomain: string;
    readonly selector: string;
    readonly privateKey: string;
    readonly headerList: readonly string[];
    readonly signTime: Date;
    readonly cv: "none" | "pass";
    readonly authResults: string;
  }

  /** Rejects where the seals do not hold. @param data `arc` of the verifier */
  export function verifyASChain(
    data: { readonly chain: unknown },
    options: {
      readonly resolver: (name: string, type: string) => Promise<string[][]>;
      readonly strict: boolean;
    },
  ): Promise<boolean>;

  export function createSeal(
    input: NodeJS.ReadableStream,
    options: { readonly seal: SealOptions; readonly strict: boolean },
  ): Promise<{
    /** ARC-Seal first; each without its CRLF. */
    readonly headers: readonly string[];
    readonly errors: readonly { readonly err: Error }[];
  }>;
}

declare module "mailauth/lib/dmarc/verify.js" {
  export interface DmarcResponse {
    readonly status: { readonly result: string };
    /** With sp= and t= taken into account. */
    readonly policy?: "none" | "quarantine" | "reject";
    /** Whose record it was. */
    readonly policyDomain?: string;
    /** The record. */
    readonly rr?: string;
    readonly error?: string;
  }

  export function evaluateDmarc(options: {
    readonly headerFrom: readonly string[];
    readonly fromFields: number;
    readonly spfDomains: readonly string[];
    readonly dkimDomains: readonly string[];
    readonly resolver: (name: string, type: string) => Promise<string[][]>;
    readonly strict: boolean;
  }): Promise<{ readonly response: DmarcResponse | false }>;
}

declare module "mailauth/lib/tools.js" {
  /** Relaxed, by the list of public suffixes. */
  export function getAlignment(
    domain: string,
    others: readonly string[],
  ): { readonly domain: string } | false;
}
