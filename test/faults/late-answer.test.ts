// A next hop that answers the final dot later than an unverified client waits, and a kill -9 before the client comes again:
// one copy. ADR 0019.
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../harness/wait.ts";
import { ALICE, sendOne } from "./harness/client.ts";
import { leftBehind } from "./harness/left-behind.ts";
import { letter } from "./harness/letters.ts";
import { PATIENCE_SECONDS, scale, timeout } from "./harness/scale.ts";
import { type Offered, startSink } from "./harness/sink.ts";
import { createSite, type StartOptions } from "./harness/site.ts";

const CLIENT_WAITS = scale(1, 30);
const SECONDS: Readonly<Record<string, number>> = { soon: scale(0.4, 20), late: scale(2.3, 70) };
/** The configuration takes no less than 30 s. */
const START: StartOptions = scale({ seconds: { waits: { unverified: 1 } } }, {});
const PASSED_ON = `250 2.0.0 <${ALICE}>: passed on`;
const localAddress = "127.0.7.7";

const takesItsTime = ({ token }: Offered): Promise<undefined> =>
  new Promise((resolve) => setTimeout(resolve, 1000 * (SECONDS[token] ?? 0), undefined));

test(`a next hop that takes ${SECONDS.soon} s and ${SECONDS.late} s, a client that waits ${CLIENT_WAITS} s, kill -9 between: one copy`, {
  timeout,
}, async () => {
  await using hop = await startSink({ dot: takesItsTime });
  await using site = await createSite({
    routes: { "home.example": hop.port },
    delivery: { waits: { unverifiedSeconds: 30 } },
  });
  const first = await site.start(START);
  const soon = sendOne(first.port, letter("soon"), { localAddress });
  const late = sendOne(first.port, letter("late"), { localAddress });
  assert.equal(await soon, PASSED_ON);
  assert.match(await late, /^451 4\.4\.2 /);
  assert.equal(hop.copies.has("late"), false, "the next hop has not answered yet");
  await waitFor(
    async () => {
      const now = await leftBehind(site.stateFolder).catch(() => undefined);
      return now?.lateSuccesses === 1 ? true : undefined;
    },
    { seconds: PATIENCE_SECONDS, otherwise: () => "the late success is not recorded" },
  );
  await first.stop("SIGKILL");

  const second = await site.start(START);
  assert.equal(await sendOne(second.port, letter("late"), { localAddress }), PASSED_ON);
  assert.deepEqual([...hop.copies].sort(), [
    ["late", 1],
    ["soon", 1],
  ]);
  assert.equal((await leftBehind(site.stateFolder)).lateSuccesses, 0, "it answers once");
});

test("killed behind a 451, before the next hop has answered: the client's next try brings a second copy, and never none", {
  timeout,
}, async () => {
  const answers = Promise.withResolvers<undefined>();
  await using hop = await startSink({ dot: ({ nth }) => (nth === 1 ? answers.promise : undefined) });
  await using site = await createSite({
    routes: { "home.example": hop.port },
    delivery: { waits: { unverifiedSeconds: 30 } },
  });
  const first = await site.start(START);
  assert.match(await sendOne(first.port, letter("unknown"), { localAddress }), /^451 4\.4\.2 /);
  await first.stop("SIGKILL");
  answers.resolve(undefined);
  await waitFor(() => hop.copies.get("unknown"), {
    seconds: PATIENCE_SECONDS,
    otherwise: () => "the next hop has not taken the first copy",
  });

  const second = await site.start(START);
  assert.equal(await sendOne(second.port, letter("unknown"), { localAddress }), PASSED_ON);
  assert.equal(hop.copies.get("unknown"), 2);
});

test("two equal messages that both got 250 are two copies", { timeout }, async () => {
  await using hop = await startSink();
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const service = await site.start();
  for (let copy = 1; copy <= 2; copy++) {
    assert.equal(await sendOne(service.port, letter("twin"), { localAddress }), PASSED_ON);
    assert.equal(hop.copies.get("twin"), copy);
  }
});
