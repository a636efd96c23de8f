// Records of one's own: the linter and the wizard. The package's entrance `@homing/spf/records`: whoever checks senders does
// without them.
export { FINDING_NAMES, type Finding, inOrder, SEVERITIES, type Severity } from "../lint/finding.ts";
export { type LintQuestion, type LintReport, lintSpf } from "../lint/lint.ts";
export type {
  AtLeast,
  Host,
  RecordNode,
  RecordOutcome,
  TermFound,
  TermNode,
  Voids,
} from "../lint/look-up-tree.ts";
export { LINT_LIMITS } from "../lint/tree-findings.ts";
export { type Change, type Changes, changesInDns } from "../wizard/changes.ts";
export {
  type ComposedRecord,
  type ComposedRecords,
  composeRecords,
  type Senders,
} from "../wizard/compose-record.ts";
export { renderZoneLine } from "../wizard/zone-line.ts";
