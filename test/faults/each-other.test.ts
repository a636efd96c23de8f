// Mail that nobody takes, and two Homings that forward to each other through their queues: it ends, with one DSN at most, and
// with none for whoever may be forged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../harness/free-port.ts";
import { waitFor } from "../harness/wait.ts";
import { sendOne } from "./harness/client.ts";
import { untilQueueIsEmpty } from "./harness/left-behind.ts";
import { letter } from "./harness/letters.ts";
import { scale, timeout } from "./harness/scale.ts";
import { startSink } from "./harness/sink.ts";
import { createSite } from "./harness/site.ts";

const FORGED = scale(40, 1000);

test("two Homings with queues that forward to each other: stopped at the third pass, one DSN, and both queues are empty", {
  timeout,
}, async () => {
  const [first, second] = [await freePort(), await freePort()];
  await using source = await startSink();
  const siteOf = (domain: string, port: number, other: string, otherPort: number) =>
    createSite({
      domain,
      port,
      aliases: `alice: alice@${other}\n`,
      routes: { [other]: otherPort, "source.example": source.port },
    });
  await using siteA = await siteOf("a.example", first, "b.example", second);
  await using siteB = await siteOf("b.example", second, "a.example", first);
  const [a, b] = [await siteA.start(), await siteB.start()];

  assert.match(await sendOne(a.port, letter("round"), { to: "alice@a.example" }), /^250 /);
  await waitFor(() => source.arrived[0], { seconds: 20, otherwise: () => a.stdout() + b.stdout() });
  for (const { stateFolder } of [siteA, siteB]) await untilQueueIsEmpty(stateFolder);

  const count = (service: typeof a, event: string): number =>
    service.events().filter((one) => one.event === event).length;
  assert.deepEqual([count(a, "forwarded"), count(b, "forwarded")], [1, 1], "two passes");
  assert.equal(count(a, "refused"), 1, "and the third is refused");
  assert.equal(count(a, "dsn") + count(b, "dsn"), 1);
  const [dsn, ...others] = source.arrived;
  assert.deepEqual(others, []);
  assert.equal(dsn?.reversePath, "");
  assert.equal(dsn?.recipient, "round@source.example");
  assert.match(String(dsn?.message), /^Status: 5\.4\.6\r$/m);
});

for (const acceptance of ["in-session", "spooled"] as const) {
  test(`${FORGED} forged senders, a next hop that refuses everything, ${acceptance}: no DSN to anybody`, {
    timeout,
  }, async () => {
    await using hop = await startSink({ rcpt: () => "550 5.1.1 nobody" });
    await using victim = await startSink();
    await using site = await createSite({
      aliases: "alice: alice@home.example\nlist: alice@home.example, bob@home.example\n",
      routes: { "home.example": hop.port, "source.example": victim.port },
      acceptance,
    });
    const service = await site.start();
    const to = (index: number): string => `${index % 2 === 0 ? "alice" : "list"}@forwarder.example`;
    const send = (index: number): Promise<string> =>
      sendOne(service.port, letter(`v${index}`), {
        localAddress: `127.0.7.${1 + (index % 250)}`,
        to: to(index),
      });
    const atATime = 20;
    for (let from = 0; from < FORGED; from += atATime) {
      const replies = await Promise.all(Array.from({ length: atATime }, (_, nth) => send(from + nth)));
      for (const reply of replies) assert.match(reply, /^550 5\.1\.1 /);
    }
    await untilQueueIsEmpty(site.stateFolder);
    assert.deepEqual(victim.arrived, []);
    assert.deepEqual(
      service.events().filter(({ event }) => event === "dsn"),
      [],
    );
  });
}
