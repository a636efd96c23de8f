// The public names of mta-adapters.
export type { AdapterEvent, AdapterName, AdapterReport } from "./adapter-events.ts";
export type { LookUp, MapAnswer } from "./maps/map-answer.ts";
export { createOwnDomains, type OwnDomains } from "./maps/own-domains.ts";
export type { RewritingContext, RewritingOutcome, SenderRewriting } from "./maps/sender-rewriting.ts";
export { createSrsMaps, type SrsMaps, type SrsMapsOptions } from "./maps/srs-maps.ts";
export { type TellingRefusals, tellingRefusals } from "./maps/told-look-up.ts";
export { createFailsForUs, type FailsForUsOptions } from "./milter/fails-for-us.ts";
export type { LeavesSite, MilterOptions } from "./milter/milter-options.ts";
export { milterProtocol } from "./milter/milter-protocol.ts";
export { type PolicyOptions, policyProtocol } from "./policy/policy.ts";
export { type ReadsocketOptions, readsocketProtocol } from "./readsocket/readsocket.ts";
export {
  createSenderChecks,
  type RefusedSender,
  type SenderChecksOptions,
  type TrustQuestion,
} from "./senders/create-sender-checks.ts";
export type { SenderAsked, SenderChecks, SenderVerdict } from "./senders/sender-checks.ts";
export { type SocketmapOptions, type SocketmapRequest, socketmapProtocol } from "./socketmap/socketmap.ts";
export { type SpfdOptions, spfdProtocol } from "./spfd/spfd.ts";
export { type TcpTableOptions, type TcpTableRequest, tcpTableProtocol } from "./tcp-table/tcp-table.ts";
export { type AdapterListener, type AdapterPlace, listenAdapter } from "./wire/listener.ts";
export type { Protocol } from "./wire/protocol.ts";
