// What the bounce reader gives: kinds, classes, recipients, the returned header. Read by the gate's second judgement, by the
// re-issuer, the event log and `homing bounce parse`. RFC 3464, RFC 6533.

/** `dsn` has a status part; `bounce` says it in free text. */
export type BounceKind = "dsn" | "bounce" | "auto-reply" | "arf" | "mdn" | "not-a-bounce";

export type BounceClass =
  | "hard"
  | "soft"
  | "policy"
  | "spam"
  | "auto-reply"
  | "delay"
  | "success"
  | "not-a-bounce";

export type BounceAction = "failed" | "delayed" | "delivered" | "relayed" | "expanded";

export interface SmtpReply {
  readonly code: number;
  /** RFC 3463, as `5.1.1`. */
  readonly enhanced: string | undefined;
  /** Bounded. */
  readonly text: string;
}

export interface BounceRecipient {
  /** Decoded (RFC 6533 §3), without its type; bounded. For an auto-reply: who answered. */
  readonly finalRecipient: string | undefined;
  readonly originalRecipient: string | undefined;
  /** As reported, without comments. */
  readonly action: BounceAction | undefined;
  /** As reported; undefined in free text. */
  readonly status: string | undefined;
  /** The code of the diagnostic where the reported one says nothing (Exim's 5.0.0). */
  readonly effectiveStatus: string | undefined;
  /** Nothing more will be tried. */
  readonly final: boolean;
  readonly class: BounceClass;
  /** The remote's words, bounded. */
  readonly diagnostic: string | undefined;
  readonly smtpReply: SmtpReply | undefined;
  readonly remoteMta: string | undefined;
  /** Which field or rule decided. */
  readonly evidence: string;
}

export interface HeaderField {
  readonly name: string;
  /** Unfolded. */
  readonly value: string;
}

/** The header of the message that was returned, in its order. */
export type ReturnedHeader = readonly HeaderField[];

export interface BounceReport {
  readonly kind: BounceKind;
  readonly reportingMta: string | undefined;
  /** As it stands there: Exim leaves it in xtext, others decode it. */
  readonly originalEnvelopeId: string | undefined;
  readonly arrivalDate: string | undefined;
  readonly recipients: readonly BounceRecipient[];
  readonly returned: ReturnedHeader | undefined;
  /** Words of its own that may name somebody, of whatever part: named.ts. */
  readonly named: readonly string[] | "too-many";
  /** Of the outer header. */
  readonly autoSubmitted: string | undefined;
  /** Some limit was reached: there was more than is told here. */
  readonly truncated: boolean;
}
