// The public names of mail.
export {
  authenticationResultsField,
  type MethodResult,
  type ResultsOptions,
  type ResultWord,
  resultsText,
} from "./authentication-results.ts";
export {
  type Content,
  countedHolds,
  isInMemory,
  memoryContent,
  partsOf,
  wholeContent,
  withFields,
} from "./content.ts";
export type { ContentPromise, Envelope } from "./envelope.ts";
export { forwardedFields } from "./forwarded-fields.ts";
export { endOfField, isEmptyLine } from "./header-fields.ts";
export { type ReadResult, readResults } from "./method-results.ts";
export { createOctetScan, type ForbiddenOctet, forbiddenOctet, type OctetScan } from "./octets.ts";
export { fieldsNamed, ownResultsIn } from "./own-results.ts";
export { isLocalSubmission, lastUntrustedHop, type RelayedClient } from "./relayed-from.ts";
export { isPositive, parseReply, type Reply, renderReply } from "./reply.ts";
export { type Hop, mailDate, receivedField } from "./trace.ts";
export { bareField, type Identity, readTrace, type Trace } from "./trace-reading.ts";
export { type OctetRange, withoutRanges } from "./without-ranges.ts";
