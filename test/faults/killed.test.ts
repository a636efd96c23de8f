// kill -9 under load, again and again, with a next hop that defers half: whatever was acknowledged from the spool arrives
// whole, and a second copy is only of what was on its way at a kill: in a slot, and among the last that the next hop answered.
// docs/queue.md, "Crash points".
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Client, connectClient, KEPT } from "./harness/client.ts";
import { leftBehind, untilQueueIsEmpty } from "./harness/left-behind.ts";
import { letter } from "./harness/letters.ts";
import { SEED, scale, timeout } from "./harness/scale.ts";
import { type Offered, startSink } from "./harness/sink.ts";
import { createSite, type Service, type Site } from "./harness/site.ts";

const ROUNDS = scale(2, 20);
const ACKNOWLEDGED_A_ROUND = scale(300, 1050);
const SESSIONS = 20;
const SECONDS = { queueTimes: { firstRetry: 1, maxRetry: 1 } };
/**
 * Their defaults. An attempt has its slot from before its connection until the spool has answered for its end, and what the
 * spool has answered for a kill cannot take (docs/queue.md, "What is synced"): what a kill may have made again is in a slot.
 * That is far less than what is leased, which is all that waits in memory, too.
 */
const SLOTS = 50;
const CONNECTIONS = 5;
/**
 * Ends are written in the order in which answers of the next hop are read: of one connection in their order, and one is not
 * used again before its answer is read. So those that were not written are the last; others may come before each of them
 * by one of every connection.
 */
const LAST = SLOTS + CONNECTIONS;

/** 0 ≤ n < 1, the same for the same words. */
function drawn(...words: readonly (string | number)[]): number {
  return (
    createHash("sha256")
      .update(`${SEED} ${words.join(" ")}`)
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

/** At RCPT or at the dot; a third try is taken, so that there is an end. */
function defersHalf(at: string) {
  return ({ token, nth }: Offered): string | undefined =>
    nth < 3 && drawn(at, token, nth) < 0.3 ? "451 4.3.0 not now" : undefined;
}

/** Sends until the service is killed, a moment after so many acknowledgements. */
async function killedUnderLoad(service: Service, round: number, acknowledged: Set<string>): Promise<void> {
  const enough = acknowledged.size + ACKNOWLEDGED_A_ROUND;
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  const kill = async (): Promise<void> => {
    await new Promise((wait) => setTimeout(wait, 50 * drawn("kill", round)));
    await service.stop("SIGKILL");
    resolve();
  };
  const session = async (client: Client, index: number): Promise<void> => {
    for (let nth = 1; ; nth++) {
      const one = letter(`r${round}s${index}n${nth}`, 6000 * drawn(round, index, nth));
      const reply = await client.send(one);
      if (reply === "closed") return;
      assert.equal(reply, KEPT);
      acknowledged.add(one.token);
      if (acknowledged.size === enough) void kill();
    }
  };
  using clients = new DisposableStack();
  const connected = Array.from({ length: SESSIONS }, () => connectClient(service.port));
  const all = (await Promise.all(connected)).map((client) => clients.use(client));
  await Promise.all(all.map(session));
  await killed;
}

/**
 * @param answered tokens of the copies, in their order
 * @param kills how many there were by each kill
 * @returns for each second copy, how many copies from its kill's the one before it is: 1 is the last one; undefined where
 * there was no kill between them
 */
function secondCopies(
  answered: readonly string[],
  kills: readonly number[],
): { readonly token: string; readonly before: number | undefined }[] {
  const last = new Map<string, number>();
  return answered.flatMap((token, index) => {
    const earlier = last.get(token);
    last.set(token, index);
    if (earlier === undefined) return [];
    const kill = kills.find((count) => count > earlier);
    return [{ token, before: kill === undefined || kill > index ? undefined : kill - earlier }];
  });
}

test(`killed ${ROUNDS} times while the next hop defers half: nothing lost, nothing torn, no copy too many but of what was on its way`, {
  timeout,
}, async (t) => {
  t.diagnostic(`HOMING_SEED=${SEED}`);
  await using hop = await startSink({ rcpt: defersHalf("rcpt"), dot: defersHalf("dot") });
  await using site = await createSite({
    routes: { "home.example": hop.port },
    delivery: { connections: { perServerOfQueue: CONNECTIONS } },
    queue: { attemptsPerDomain: SLOTS },
  });
  const acknowledged = new Set<string>();
  /** By token: kills at which it was on its way. */
  const onItsWay = new Map<string, number>();
  /** Copies at the next hop by each kill. */
  const kills: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await killedUnderLoad(await site.start({ seconds: SECONDS }), round, acknowledged);
    await hop.quiet();
    kills.push(hop.answered.length);
    const { leased } = await leftBehind(site.stateFolder);
    for (const token of leased) onItsWay.set(token, (onItsWay.get(token) ?? 0) + 1);
  }
  await drain(site);

  const lost = [...acknowledged].filter((token) => !hop.copies.has(token));
  const tooMany = [...hop.copies].map(([token, copies]) => ({ token, more: copies - 1 }));
  const unexplained = tooMany.filter(({ token, more }) => more > (onItsWay.get(token) ?? 0));
  assert.ok(acknowledged.size >= ROUNDS * ACKNOWLEDGED_A_ROUND);
  assert.deepEqual(lost, []);
  assert.deepEqual(hop.torn, []);
  assert.deepEqual(unexplained, []);
  const second = secondCopies(hop.answered, kills);
  assert.deepEqual(
    second.filter(({ before }) => before === undefined || before > LAST),
    [],
    "second copies are of the last that the next hop had answered when the service was killed",
  );
  const sum = (counts: Iterable<number>): number => [...counts].reduce((all, one) => all + one, 0);
  t.diagnostic(
    `${acknowledged.size} acknowledged, ${sum(onItsWay.values())} leased at the kills, ${second.length} second copies ` +
      `(from the kill: ${second.map(({ before }) => before).join(", ")}), ${hop.copies.size} messages at the next hop`,
  );
});

async function drain(site: Site): Promise<void> {
  const service = await site.start({ seconds: SECONDS });
  await untilQueueIsEmpty(site.stateFolder);
  assert.equal(await service.stop(), 0);
  assert.deepEqual((await leftBehind(site.stateFolder)).queued, []);
}
