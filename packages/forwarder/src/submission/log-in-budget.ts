// How many passwords may be tried: from one client network, and for one name, whoever tries. Those who guess a name cannot keep
// its owner out: each network has a few tries of its own when the name's are spent, and where he has logged in before he has a
// budget for himself. Called by log-in-desk.ts.

export interface Attempt {
  /** The client's IPv4 address or IPv6 /64. */
  readonly network: string;
  /** By `nameKey`. */
  readonly name: string;
}

export interface LogInLimits {
  readonly perNetwork: Rate;
  readonly perName: Rate;
  /** Of a name from one network (IPv6: /48), after the name's own is spent. What was wrong there before counts, too. */
  readonly perPair: Rate;
  /** Of a name from a network where it has logged in before: none of the others counts then. */
  readonly perKnown: Rate;
}

export interface Rate {
  /** At once, after a rest. */
  readonly burst: number;
  readonly perHour: number;
}

/** Clients with an old password try it again every few minutes; a guesser has some thousands a day, of one name. */
export const LOG_IN_LIMITS: LogInLimits = {
  perNetwork: { burst: 20, perHour: 60 },
  perName: { burst: 20, perHour: 60 },
  // A person on the road types it wrong once or twice.
  perPair: { burst: 3, perHour: 3 },
  perKnown: { burst: 20, perHour: 60 },
};

export interface LogInBudget {
  /** One guess is spent; or which budget has none left, and then nothing is spent. */
  take(attempt: Attempt, nowMs: number): "network" | "name" | Spent;
}

export interface Spent {
  /** The password was right. */
  wasRight(): void;
  /** Nobody looked at it. */
  giveBack(): void;
  /** Was it the last one? Somebody should be told. */
  readonly last: "network" | "name" | undefined;
}

/** Some 10 MB of keys each. */
const MAX_KEYS = 50_000;

export function createLogInBudget(limits: LogInLimits = LOG_IN_LIMITS, maxKeys = MAX_KEYS): LogInBudget {
  const networks = createBuckets(limits.perNetwork, maxKeys);
  const names = createBuckets(limits.perName, maxKeys);
  const pairs = createBuckets(limits.perPair, maxKeys);
  const known = createBuckets(limits.perKnown, maxKeys);
  return {
    take({ network, name }, nowMs) {
      const pair = `${network} ${name}`;
      if (known.has(pair)) {
        if (!known.isLeft(pair, nowMs)) return "network";
        const isLast = known.take(pair, nowMs);
        const back = (): void => known.give(pair);
        return { wasRight: back, giveBack: back, last: isLast ? "network" : undefined };
      }
      if (!networks.isLeft(network, nowMs)) return "network";
      const isOfName = names.isLeft(name, nowMs);
      const place = `${placeOf(network)} ${name}`;
      if (!isOfName && !pairs.isLeft(place, nowMs)) return "name";
      const isLastOfNetwork = networks.take(network, nowMs);
      const isLastOfName = !isOfName || names.take(name, nowMs);
      pairs.take(place, nowMs);
      const giveBack = (): void => {
        networks.give(network);
        if (isOfName) names.give(name);
        pairs.give(place);
      };
      return {
        giveBack,
        wasRight() {
          giveBack();
          known.give(pair);
        },
        last: isLastOfNetwork ? "network" : isLastOfName ? "name" : undefined,
      };
    },
  };
}

/** Whoever has an IPv6 /48 can come from 65,536 networks. */
function placeOf(network: string): string {
  return network.includes(":") ? network.split(":").slice(0, 3).join(":") : network;
}

interface Level {
  readonly tokens: number;
  readonly at: number;
}

interface Buckets {
  has(key: string): boolean;
  isLeft(key: string, nowMs: number): boolean;
  /** True if it was the last. */
  take(key: string, nowMs: number): boolean;
  /** Of a key that nobody has it makes one that is full. */
  give(key: string): void;
}

/** Of more keys than are kept, those are forgotten that were not used for the longest time. */
function createBuckets({ burst, perHour }: Rate, maxKeys: number): Buckets {
  const levels = new Map<string, Level>();

  const tokensOf = (key: string, nowMs: number): number => {
    const { tokens = burst, at = nowMs } = levels.get(key) ?? {};
    // A clock that was set back gives nothing.
    return Math.min(burst, tokens + (Math.max(0, nowMs - at) / 3_600_000) * perHour);
  };
  const keep = (key: string, level: Level): void => {
    levels.delete(key);
    levels.set(key, level);
    if (levels.size > maxKeys) levels.delete(levels.keys().next().value as string);
  };

  return {
    has: (key) => levels.has(key),
    isLeft: (key, nowMs) => tokensOf(key, nowMs) >= 1,
    take(key, nowMs) {
      const tokens = tokensOf(key, nowMs);
      keep(key, { tokens: Math.max(0, tokens - 1), at: nowMs });
      return tokens < 2;
    },
    give(key) {
      const { tokens = burst, at = 0 } = levels.get(key) ?? {};
      keep(key, { tokens: Math.min(burst, tokens + 1), at });
    },
  };
}
