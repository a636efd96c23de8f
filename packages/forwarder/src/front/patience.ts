// How long a client may keep us waiting: a command must be complete in time, and a message must keep up a mean rate.
// Single octets reset nothing. One of these for each connection; session.ts tells it what happens and asks it four
// times a second, with one timer for all connections.
import type { SmtpLimits } from "./limits.ts";

type PatienceLimits = Pick<SmtpLimits, "commandSeconds" | "stressSeconds" | "dataOctetsPerSecond">;

export class Patience {
  readonly #limits: PatienceLimits;
  /** Waited for the client since our last reply, less what octets of a message have earned. */
  #waitedMs = 0;

  constructor(limits: PatienceLimits) {
    this.#limits = limits;
  }

  /** We have answered: it is the client's turn. */
  replied(): void {
    this.#waitedMs = 0;
  }

  /** Octets of a message: each earns its time. None is saved up: a pause may be as long as that before a command. */
  received(octets: number): void {
    const earned = (octets * 1000) / this.#limits.dataOctetsPerSecond;
    this.#waitedMs = Math.max(this.#waitedMs - earned, 0);
  }

  /** The client let us wait so long again. True if that was too long. */
  waited(ms: number, underStress: boolean): boolean {
    const { commandSeconds, stressSeconds } = this.#limits;
    this.#waitedMs += ms;
    return this.#waitedMs >= (underStress ? Math.min(stressSeconds, commandSeconds) : commandSeconds) * 1000;
  }
}
