// Which bounces and senders are accepted, and who guesses addresses. The package's entrance `@homing/bounce-handler/gate`: adapters
// for other mail servers ask the gate for every recipient, and never read a bounce.
export {
  type Admission,
  type Asked,
  type BounceGate,
  createBounceGate,
  type GateRefusal,
  NOT_A_BOUNCE,
  type SrsFacts,
  TOO_MANY_GUESSES,
  type Unwrapped,
} from "../gate.ts";
export { networkOf } from "../guesses/client-network.ts";
export {
  createGuessBudget,
  GUESS_LIMITS,
  type GuessAlarm,
  type GuessBudget,
} from "../guesses/guess-budget.ts";
