// The public names of spf.
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
