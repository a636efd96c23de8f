// The public names of spf.
export { checkSpf, SPF_LIMITS } from "./check-host.ts";
export { expandDomain, expandText, type MacroValue, usesMacro } from "./expand-macros.ts";
export { parseClient, reversedLabels, reverseName, sameOctets } from "./ip.ts";
export { cachedRecords, isSpfRecord, parseRecord } from "./parse-record.ts";
export { receivedSpfField } from "./received-spf.ts";
export type {
  Macro,
  MacroString,
  Mechanism,
  Modifier,
  Network,
  ParsedRecord,
  Qualifier,
  SpfRecord,
} from "./record.ts";
export { type SpfRefusal, type SpfRefused, spfRefusal } from "./refusal.ts";
export type { DnsAnswer, DnsLookup, SpfResolver } from "./resolver.ts";
export type {
  SpfAnswer,
  SpfIdentity,
  SpfLimits,
  SpfOptions,
  SpfQuestion,
  SpfResult,
  SpfStep,
  SpfTraceStep,
} from "./spf.ts";
export {
  inMode,
  postmasterActions,
  SPF_ACTIONS,
  type SpfAction,
  type SpfActions,
  type SpfFault,
  type SpfReason,
  type SpfRules,
  type SpfVerdict,
  spfVerdict,
} from "./spf-actions.ts";
