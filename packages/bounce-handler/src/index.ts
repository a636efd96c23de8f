// The public names of bounce-handler.
export {
  afterNotice,
  BOUNCE_LIMITS,
  type Bucket,
  type BucketLimits,
  type Folded,
  isNoticeDue,
  OWN_FAILURE_LIMITS,
  type Page,
  type Spent,
  spend,
} from "./buckets/bucket.ts";
export { ownFailureKey, type SrsAddressFacts, srsAddressKey } from "./buckets/bucket-key.ts";
export { composeDsn } from "./compose/compose-dsn.ts";
export type { Dsn, DsnAction, DsnRecipient } from "./compose/dsn.ts";
export { composeFoldedNotice, type FoldedNotice } from "./compose/folded-notice.ts";
export { messageIdOf } from "./compose/header-fields.ts";
export { mayTell, type Notify } from "./compose/notify.ts";
export { composePostmasterDigest, type PostmasterDigest } from "./compose/postmaster-digest.ts";
export * from "./entrances/gate.ts";
export { classify } from "./read/class-table.ts";
export { READER_LIMITS, type ReaderLimits } from "./read/limits.ts";
export { type BounceReader, createBounceReader, readBounce } from "./read/reader.ts";
export type {
  BounceAction,
  BounceClass,
  BounceKind,
  BounceRecipient,
  BounceReport,
  HeaderField,
  ReturnedHeader,
  SmtpReply,
} from "./read/report.ts";
export { type DiagnosticPolicy, redacted } from "./reissue/diagnostic.ts";
export { isFieldOfInterest } from "./reissue/fields-of-interest.ts";
export { createOracle, type Oracle, type OracleOptions } from "./reissue/oracle.ts";
export { type Reissued, type ReissueOptions, type Remembered, reissue } from "./reissue/reissue.ts";
export { briefHeader, headerToRemember } from "./reissue/returned-header.ts";
