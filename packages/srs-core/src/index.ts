// The public names of srs-core.
export { asciiLower, octets } from "./ascii.ts";
export { STAMP_WRAP_DAYS, stampAgeDays, type UnixSeconds } from "./day-stamp.ts";
export { type ParsedDomain, parseDomain, printable, sameDomain } from "./domain.ts";
export type { ForwardOutcome } from "./forge.ts";
export { createKeyedHashes, type KeyedHash } from "./keyed-hash.ts";
export { labelledInput } from "./mac-input.ts";
export {
  type BadAddress,
  checkMailbox,
  localPartOctets,
  MAX_LOCAL_PART_OCTETS,
  type Mailbox,
  type ParsedMailbox,
  parseMailbox,
  renderMailbox,
} from "./mailbox.ts";
export {
  NULL_PATH,
  type ParsedReversePath,
  parseReversePath,
  type ReversePath,
  renderReversePath,
} from "./reverse-path.ts";
export { createRewriter, type ForwardContext, type Rewriter } from "./rewriter.ts";
export { DEFAULT_MAX_AGE_DAYS, type RewriterOptions } from "./rewriter-options.ts";
export { KEPT_LABEL, type SenderStore } from "./sender-store.ts";
export {
  looksLikeSrs,
  type ParsedSrs,
  parseSrs,
  type Separator,
  type Srs0,
  type Srs1,
} from "./srs-address.ts";
export { EXIM_MAX_AGE_DAYS, type Scheme, type Signature } from "./tag.ts";
export { innerAddress, type ReverseFailure, type ReverseOutcome } from "./unwrap.ts";
