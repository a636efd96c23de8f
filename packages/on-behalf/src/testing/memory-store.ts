// A storage in memory that keeps to the words of store.ts, and can be away like a disk that is full or a thread that died. Used
// by the unit tests of this package, and by those above it.
import type { Changes, Fact, FactName, FactSort, Mail, OnBehalfStore } from "../store.ts";

/**
 * `away`: nothing works. `stored-but-away`: changes are made, and everything is answered `away`, as when the service is killed
 * between the commit and the answer. `answers-lost`: the same of changes, while what is asked is answered, as when the disk
 * fails for a moment.
 */
export type StoreState = "here" | "away" | "stored-but-away" | "answers-lost";

export interface MemoryStore extends OnBehalfStore {
  state: StoreState;
  /** All mail that was sent, oldest first. */
  readonly mails: readonly Mail[];
  /** All facts of a sort, with the expired, in the order of their keys. */
  facts(of: FactSort): readonly Fact[];
  /** Writes as the forwarder does, with transactions of its own: whatever the state. */
  put(facts: readonly Fact[]): void;
  /** Transactions so far that changed something. */
  readonly changes: number;
}

export function createMemoryStore(): MemoryStore {
  const facts = new Map<string, Fact>();
  const mails: Mail[] = [];
  let done = 0;

  const alive = (name: FactName, now: number): Fact | undefined => {
    const fact = facts.get(placeOf(name));
    return fact && fact.expires > now ? fact : undefined;
  };
  const sorted = (of: FactSort): readonly Fact[] =>
    [...facts.values()].filter((fact) => fact.of === of).sort((a, b) => compare(a.key, b.key));
  const put = (written: readonly Fact[]): void => {
    for (const { of, key, value, expires } of written) {
      facts.set(placeOf({ of, key }), { of, key, value, expires });
    }
  };
  const commit = (sent: readonly Mail[], changes: Changes): "done" | "conflict" => {
    const { now, write = [], remove = [], present = [], absent = [] } = changes;
    if (present.some((name) => !alive(name, now)) || absent.some((name) => alive(name, now))) {
      return "conflict";
    }
    for (const name of remove) facts.delete(placeOf(name));
    put(write);
    mails.push(...sent.map((mail) => ({ ...mail, message: Buffer.from(mail.message) })));
    done++;
    return "done";
  };

  const reads = (): boolean => store.state === "here" || store.state === "answers-lost";

  const store: MemoryStore = {
    state: "here",
    mails,
    facts: sorted,
    put,
    get changes() {
      return done;
    },
    async find(name, now) {
      return reads() ? alive(name, now) : "away";
    },
    async *all(of, after = "") {
      if (!reads()) throw new Error("the storage is away");
      for (const fact of sorted(of)) {
        if (compare(fact.key, after) > 0) yield fact;
      }
    },
    async change(changes) {
      return store.send([], changes);
    },
    async send(sent, changes) {
      // As with a disk, others come to their turn in between.
      await Promise.resolve();
      if (store.state === "away") return "away";
      const outcome = commit(sent, changes);
      return store.state === "here" ? outcome : "away";
    },
  };
  return store;
}

function placeOf({ of, key }: FactName): string {
  return `${of} ${key}`;
}

/** By octets of UTF-8, as SQLite compares text. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
