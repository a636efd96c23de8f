// The public names of bounce-handler.
export { composeDsn, type Dsn } from "./compose/compose-dsn.ts";
export {
  type Admission,
  type Asked,
  type BounceGate,
  createBounceGate,
  NOT_A_BOUNCE,
  TOO_MANY_GUESSES,
} from "./gate.ts";
export {
  createGuessBudget,
  GUESS_LIMITS,
  type GuessAlarm,
  type GuessBudget,
} from "./guesses/guess-budget.ts";
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
