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
