// What a DSN says, as values: given to compose-dsn.ts by the forwarder's queue and by reissue/. RFC 3464, RFC 3461 §6.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import type { BounceClass } from "../read/report.ts";
import type { OwnMail } from "./own-mail.ts";

export type DsnAction =
  | { readonly kind: "failed" }
  /** Not yet; `until` is when whoever has it gives up, where that is known. */
  | { readonly kind: "delayed"; readonly until?: UnixSeconds }
  /** In the mailbox. */
  | { readonly kind: "delivered" }
  /** Passed on to where nobody tells of success. */
  | { readonly kind: "relayed" }
  /** Passed on to several addresses. */
  | { readonly kind: "expanded" };

export interface DsnRecipient {
  /** As the sender used it; `withheld` where that is not known, and nothing else may be told. */
  readonly final: Mailbox | "withheld";
  /** ORCPT as the sender gave it, `rfc822;bob+2Bx@example.org`; only if he did (RFC 3464 §2.3.1). */
  readonly orcpt?: string | undefined;
  readonly action: DsnAction;
  /** RFC 3463, as `5.1.1`. */
  readonly enhanced: string;
  /** Chooses words where the status says little. */
  readonly class?: BounceClass | undefined;
  /** The whole value of Diagnostic-Code, `smtp; 550 5.1.1`. */
  readonly diagnostic?: string | undefined;
  readonly lastAttempt?: UnixSeconds | undefined;
}

/** To: the envelope sender that came. */
export interface Dsn extends OwnMail {
  /** ENVID as the sender gave it, in xtext; only if he did (RFC 3464 §2.2.1). */
  readonly envid?: string | undefined;
  /** When the message that it is about came to us. */
  readonly arrived?: UnixSeconds | undefined;
  readonly recipients: readonly [DsnRecipient, ...DsnRecipient[]];
  /** We saw nothing of it: another server reports it, and anybody can write such a report. A success is told as its word alone. */
  readonly isHearsay?: boolean | undefined;
  /** Octets of the message as they came, at least to the end of the header. Nothing of it: an empty one. */
  readonly original: Buffer;
  /** RET=FULL, for a failure: the whole message comes back if it has no more octets than this, and needs no encoding. */
  readonly fullUpTo?: number | undefined;
  /** Lines below the words, for whoever reads them. */
  readonly foot?: readonly string[] | undefined;
  /** It travels over SMTPUTF8: addresses may stand as they are (RFC 6533). */
  readonly smtpUtf8?: boolean | undefined;
}
