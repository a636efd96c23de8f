// How long a client may keep us waiting: a command must be complete in time, and a message must keep up a mean rate.
// Single octets reset nothing. One of these for each connection; session.ts tells it what happens and asks it four
// times a second, with one timer for all connections.
import type { SmtpLimits } from "./limits.ts";

type PatienceLimits = Pick<
  SmtpLimits,
  "commandSeconds" | "stressSeconds" | "dataGraceSeconds" | "dataOctetsPerSecond"
>;

export class Patience {
  readonly #limits: PatienceLimits;
  /** Waited for the client since our last reply; in DATA, less what its octets have earned. */
  #waitedMs = 0;
  #inData = false;

  constructor(limits: PatienceLimits) {
    this.#limits = limits;
  }

  /** We have answered: it is the client's turn. */
  replied(): void {
    this.#inData = false;
    this.#waitedMs = 0;
  }

  /** We have said 354. */
  dataBegins(): void {
    this.#inData = true;
    this.#waitedMs = 0;
  }

  /** Octets of a message. They cannot be saved up beyond what a command may take. */
  received(octets: number): void {
    const { commandSeconds, dataGraceSeconds, dataOctetsPerSecond } = this.#limits;
    const earned = this.#waitedMs - (octets * 1000) / dataOctetsPerSecond;
    this.#waitedMs = Math.max(earned, (dataGraceSeconds - commandSeconds) * 1000);
  }

  /** The client let us wait so long again. True if that was too long. */
  waited(ms: number, underStress: boolean): boolean {
    const { commandSeconds, stressSeconds, dataGraceSeconds } = this.#limits;
    const most = underStress ? Math.min(stressSeconds, commandSeconds) : commandSeconds;
    const limit = this.#inData ? Math.min(dataGraceSeconds, most) : most;
    // What was earned in quiet times is not worth more than the limit of now.
    if (this.#inData) this.#waitedMs = Math.max(this.#waitedMs, (limit - most) * 1000);
    this.#waitedMs += ms;
    return this.#waitedMs >= limit * 1000;
  }
}
