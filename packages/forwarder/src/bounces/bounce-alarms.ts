// Alarms where bounces come in masses: to the senders of one domain, and in all. They refuse nothing; what is told of each
// bounce, its own bucket bounds. Called by bounce-desk.ts.
import { asciiLower, type UnixSeconds } from "@homing/srs-core";

/** The event `many-bounces` has these fields. */
export interface BounceAlarm {
  readonly scope: "domain" | "total";
  /** Of the original senders. */
  readonly domain?: string;
  /** Bounces of this minute so far, or of the minute before if those were more. */
  readonly perMinute: number;
}

export interface BounceAlarms {
  /** A bounce came to the SRS address of a sender at this domain. */
  count(domain: string, now: UnixSeconds): void;
}

export interface BounceAlarmLimits {
  /** Bounces a minute, of one domain of senders. */
  readonly perDomain: number;
  readonly total: number;
}

/** Far above what a list of some thousand members has come home in a minute. */
export const BOUNCE_ALARM_LIMITS: BounceAlarmLimits = { perDomain: 200, total: 1000 };

/** In one minute. Each has an SRS address with a good tag; long before so many there is the alarm in total. */
const MAX_DOMAINS = 10_000;
/** No domain. */
const ALL = "";

/** By domain, with `ALL`. */
type Counts = Map<string, number>;

export function createBounceAlarms(
  alarm: (alarm: BounceAlarm) => void,
  limits: BounceAlarmLimits = BOUNCE_ALARM_LIMITS,
): BounceAlarms {
  let minute = 0;
  let before: Counts = new Map();
  let counts: Counts = new Map();

  const turnTo = (next: number): void => {
    if (next === minute) return;
    before = next === minute + 1 ? counts : new Map();
    counts = new Map();
    minute = next;
  };
  /** Once a minute: when the first one is too many. */
  const countOne = (key: string, limit: number, of: Omit<BounceAlarm, "perMinute">): void => {
    const count = (counts.get(key) ?? 0) + 1;
    if (count === 1 && counts.size > MAX_DOMAINS) return;
    counts.set(key, count);
    if (count === limit + 1) alarm({ ...of, perMinute: Math.max(count, before.get(key) ?? 0) });
  };

  return {
    count(given, now) {
      turnTo(Math.floor(now / 60));
      const domain = asciiLower(given);
      countOne(ALL, limits.total, { scope: "total" });
      countOne(domain, limits.perDomain, { scope: "domain", domain });
    },
  };
}
