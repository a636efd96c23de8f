// How many wrong tags may be tried before verification waits. A guesser who is told 451 before anything is verified learns
// nothing, and a real bounce that meets the same answer comes again. Called by gate.ts.
import { createRates, type Rate } from "./rate.ts";

/** An SRS address that somebody wants to have verified. */
export interface Guess {
  /** The client's IPv4 address or IPv6 /64; undefined for a server of our own, through which others guess. */
  readonly network: string | undefined;
  /** Whose mail the address claims to be: `bob@example.org`; of SRS1 the first forwarder, `mx.example.org`. */
  readonly victim: string;
  /** The tag is short enough to be guessed by many clients together. */
  readonly isShort: boolean;
}

export interface GuessLimits {
  /** Of short tags. */
  readonly perNetwork: Rate;
  /** Of long ones. */
  readonly longPerNetwork: Rate;
  /** Of short tags, whoever tries them. */
  readonly perVictim: Rate;
  /** Of short tags. A longer one is never refused for what others do: that would be a way to stop all bounces. */
  readonly total: Rate;
}

export const GUESS_LIMITS: GuessLimits = {
  perNetwork: { burst: 20, perMinute: 20 },
  // 40 bits and more: a client would need a thousand years. Backscatter to forged addresses comes from the large providers
  // that send the real bounces, too.
  longPerNetwork: { burst: 1000, perMinute: 1000 },
  // Several times what one client has: else one keeps all bounces to somebody away.
  perVictim: { burst: 100, perMinute: 100 },
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
  const short = createRates(limits.perNetwork);
  const long = createRates(limits.longPerNetwork);
  const victims = createRates(limits.perVictim);
  const total = createRates(limits.total);
  const ofClients = (isShort: boolean) => (isShort ? short : long);
  const alarms = createRates({ burst: 1, perMinute: 60_000 / ALARM_MS });

  return {
    mustWait({ network, victim, isShort }, nowMs) {
      if (network !== undefined && ofClients(isShort).isEmpty(network, nowMs)) return true;
      return isShort && (victims.isEmpty(victim, nowMs) || total.isEmpty(ALL, nowMs));
    },

    failed({ network, victim, isShort }, nowMs) {
      const raise = (budget: GuessAlarm["budget"], key: string): void => {
        const about = `${budget} ${key}`;
        if (alarms.isEmpty(about, nowMs)) return;
        alarms.take(about, nowMs);
        alarm({ budget, network, victim });
      };
      if (network !== undefined && ofClients(isShort).take(network, nowMs)) raise("network", network);
      if (!isShort) return;
      if (victims.take(victim, nowMs)) raise("victim", victim);
      if (total.take(ALL, nowMs)) raise("total", ALL);
    },
  };
}
