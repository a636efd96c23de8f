// How many wrong tags may be tried before verification waits. A guesser who is told 451 before anything is verified learns
// nothing, and a real bounce that meets the same answer comes again. Called by gate.ts.
import { createBuckets, type Rate } from "./rate.ts";

/** An SRS address that somebody wants to have verified. */
export interface Guess {
  /** The client's IPv4 address or IPv6 /64; undefined for a server of our own, through which others guess. */
  readonly network: string | undefined;
  /** Whose mail the address claims to be: `bob@example.org`. */
  readonly victim: string;
  /** The tag is short enough to be guessed by many clients together. */
  readonly isShort: boolean;
}

export interface GuessLimits {
  readonly perNetwork: Rate;
  /** Of short tags, whoever tries them. */
  readonly perVictim: Rate;
  /** Of short tags. A longer one is never refused for what others do: that would be a way to stop all bounces. */
  readonly total: Rate;
}

export const GUESS_LIMITS: GuessLimits = {
  perNetwork: { burst: 20, perMinute: 20 },
  perVictim: { burst: 20, perMinute: 20 },
  total: { burst: 300, perMinute: 300 },
};

/** A budget is spent: somebody guesses. */
export interface GuessAlarm {
  readonly budget: "network" | "victim" | "total";
  readonly network: string | undefined;
  readonly victim: string;
}

export interface GuessBudget {
  /** Asked before anything is verified. */
  mustWait(guess: Guess, nowMs: number): boolean;
  /** The tag was wrong. */
  failed(guess: Guess, nowMs: number): void;
}

const ALL = "";
/** One alarm for a budget in so long a time. */
const ALARM_MS = 60_000;

export function createGuessBudget(
  alarm: (alarm: GuessAlarm) => void,
  limits: GuessLimits = GUESS_LIMITS,
): GuessBudget {
  const networks = createBuckets(limits.perNetwork);
  const victims = createBuckets(limits.perVictim);
  const total = createBuckets(limits.total);
  const alarms = createBuckets({ burst: 1, perMinute: 60_000 / ALARM_MS });

  return {
    mustWait({ network, victim, isShort }, nowMs) {
      if (network !== undefined && networks.isEmpty(network, nowMs)) return true;
      return isShort && (victims.isEmpty(victim, nowMs) || total.isEmpty(ALL, nowMs));
    },

    failed({ network, victim, isShort }, nowMs) {
      const raise = (budget: GuessAlarm["budget"], key: string): void => {
        const about = `${budget} ${key}`;
        if (alarms.isEmpty(about, nowMs)) return;
        alarms.take(about, nowMs);
        alarm({ budget, network, victim });
      };
      if (network !== undefined && networks.take(network, nowMs)) raise("network", network);
      if (!isShort) return;
      if (victims.take(victim, nowMs)) raise("victim", victim);
      if (total.take(ALL, nowMs)) raise("total", ALL);
    },
  };
}
