// What `homing pipe` says and hears: it starts for every message. The package's entrance `@homing/mta-adapters/pipe`.
export {
  type Conventions,
  conventionsOf,
  DATA_ERROR,
  exitCode,
  outcomeOf,
  type PipeOutcome,
  UNAVAILABLE,
} from "../pipe/conventions.ts";
export { type LetterTop, readLetterTop } from "../pipe/letter-top.ts";
export { type LocalRecipient, localRecipient } from "../pipe/local-recipient.ts";
export { type PipeSender, pipeSender } from "../pipe/pipe-sender.ts";
export {
  parseRewritingAnswer,
  type RewritingAnswer,
  renderRewritingQuestion,
} from "../pipe/rewriting-question.ts";
