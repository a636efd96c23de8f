// The signer of mailauth 7.1.0, whose package declares no types for this file: the members that authenticate.ts uses.
declare module "mailauth/lib/dkim/dkim-signer.js" {
  import { Writable } from "node:stream";

  export interface ParsedField {
    /** In lower case. */
    readonly key: string;
    /** What h= says of this field. */
    casedKey: string;
  }

  export interface ParsedHeader {
    /** As they stand in the message, the topmost first. */
    readonly parsed: readonly ParsedField[];
  }

  export interface SignatureData {
    readonly signingDomain: string;
    readonly selector: string;
    /** PEM. */
    readonly privateKey: string;
  }

  export interface SignerOptions {
    readonly canonicalization: string;
    readonly headerList: string[];
    readonly signTime?: Date | undefined;
    /** The members are written to. */
    readonly signatureData: SignatureData[];
    /** RFC 6376 and RFC 8301 to the letter: what they forbid is an error, not a warning. */
    readonly strict: boolean;
  }

  /** Takes the message as a stream, and has the fields when that has finished. */
  export class DkimSigner extends Writable {
    constructor(options: SignerOptions);
    /** Without the CRLF at the end. */
    readonly signatureHeaders: readonly string[];
    readonly errors: readonly { readonly err: Error }[];
    messageHeaders(headers: ParsedHeader): Promise<void>;
  }
}
