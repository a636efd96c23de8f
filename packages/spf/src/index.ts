// The public names of spf.
export { checkSpf } from "./check-host.ts";
export { expandDomain, expandText, type MacroValue, usesMacro } from "./expand-macros.ts";
export { parseClient, reversedLabels, reverseName, sameOctets } from "./ip.ts";
export { FINDING_NAMES, type Finding, inOrder, SEVERITIES, type Severity } from "./lint/finding.ts";
export { type LintQuestion, type LintReport, lintSpf } from "./lint/lint.ts";
export type {
  AtLeast,
  Host,
  RecordNode,
  RecordOutcome,
  TermFound,
  TermNode,
  Voids,
} from "./lint/look-up-tree.ts";
export { LINT_LIMITS } from "./lint/tree-findings.ts";
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
export { type Change, type Changes, changesInDns } from "./wizard/changes.ts";
export {
  type ComposedRecord,
  type ComposedRecords,
  composeRecords,
  type Senders,
} from "./wizard/compose-record.ts";
export { renderZoneLine } from "./wizard/zone-line.ts";
