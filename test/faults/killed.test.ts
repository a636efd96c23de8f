// kill -9 under load, again and again, with a next hop that defers half: whatever was acknowledged from the spool arrives
// whole, and a second copy is only of what was on its way at a kill. docs/queue.md, "Crash points".
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

test(`killed ${ROUNDS} times while the next hop defers half: nothing lost, nothing torn, no copy too many but of what was on its way`, {
  timeout,
}, async (t) => {
  t.diagnostic(`HOMING_SEED=${SEED}`);
  await using hop = await startSink({ rcpt: defersHalf("rcpt"), dot: defersHalf("dot") });
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const acknowledged = new Set<string>();
  /** By token: kills at which it was on its way. */
  const onItsWay = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    await killedUnderLoad(await site.start({ seconds: SECONDS }), round, acknowledged);
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
  const sum = (counts: Iterable<number>): number => [...counts].reduce((all, one) => all + one, 0);
  t.diagnostic(
    `${acknowledged.size} acknowledged, ${sum(onItsWay.values())} deliveries in flight at the kills, ` +
      `${sum(tooMany.map(({ more }) => more))} second copies, ${hop.copies.size} messages at the next hop`,
  );
});

async function drain(site: Site): Promise<void> {
  const service = await site.start({ seconds: SECONDS });
  await untilQueueIsEmpty(site.stateFolder);
  assert.equal(await service.stop(), 0);
  assert.deepEqual((await leftBehind(site.stateFolder)).queued, []);
}
