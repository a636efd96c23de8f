// The public names of mail.
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
export { createOctetScan, type ForbiddenOctet, forbiddenOctet, type OctetScan } from "./octets.ts";
export { isPositive, parseReply, type Reply, renderReply } from "./reply.ts";
export { type Hop, mailDate, receivedField } from "./trace.ts";
export { bareField, type Identity, readTrace, type Trace } from "./trace-reading.ts";
