// A message that the attacker's own domain signed, with somebody else's reverse-path: whatever becomes of it, that somebody
// hears nothing. A good signature does not say who the envelope sender is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storiesNeed } from "../harness/availability.ts";
import { createDkimKey, dkim } from "../harness/dkim.ts";
import { waitFor } from "../harness/wait.ts";
import { sendOne } from "./harness/client.ts";
import { untilQueueIsEmpty } from "./harness/left-behind.ts";
import { timeout } from "./harness/scale.ts";
import { type Sink, startSink } from "./harness/sink.ts";
import { createSite } from "./harness/site.ts";

const skip = (await storiesNeed("python3-dkim")) ?? false;
const SECONDS = { queueTimes: { firstRetry: 1, maxRetry: 1 } };

/** What the next hops do, and what the attacker hears. */
const cases: [what: string, to: string, home: string | undefined, club: string | undefined, reply: RegExp][] =
  [
    ["refuses it", "alice", "550 5.1.1 nobody", undefined, /^550 5\.1\.1 /],
    ["defers it", "alice", "450 4.2.1 later", undefined, /^450 4\.2\.1 /],
    ["takes it, and the list's other one refuses it", "list", undefined, "550 5.1.1 nobody", /^250 /],
    ["takes it, and the list's other one defers it first", "list", undefined, "(defers once)", /^250 /],
  ];

for (const [what, to, home, club, reply] of cases) {
  test(`signed by the attacker, in the name of a victim; the next hop ${what}: no DSN`, {
    timeout,
    skip,
  }, async () => {
    const key = createDkimKey("attacker.example", "mail");
    await using signer = await dkim();
    const plain = "From: evil@attacker.example\r\nTo: x@forwarder.example\r\nSubject: x\r\n\r\nHello!\r\n";
    const message = await signer.sign(Buffer.from(plain), key.signer);
    assert.equal(await signer.verify(message, { dns: key.dns }), true);

    let tries = 0;
    const clubSays = (): string | undefined =>
      club === "(defers once)" ? (++tries === 1 ? "450 4.2.1 later" : "550 5.1.1 nobody") : club;
    await using homeHop = await startSink({ rcpt: () => home });
    await using clubHop = await startSink({ rcpt: clubSays });
    await using victim = await startSink();
    await using site = await createSite({
      aliases: "alice: alice@home.example\nlist: alice@home.example, bob@club.example\n",
      routes: ports({ "home.example": homeHop, "club.example": clubHop, "victim.example": victim }),
    });
    const service = await site.start({ seconds: SECONDS });
    const envelope = {
      from: "somebody@victim.example",
      to: `${to}@forwarder.example`,
      localAddress: "127.0.7.1",
    };
    assert.match(await sendOne(service.port, { token: "", message }, envelope), reply);
    if (club === "(defers once)") {
      const given = (): boolean => service.events().some(({ event }) => event === "given-up");
      await waitFor(() => given() || undefined, { seconds: 20, otherwise: () => service.stdout() });
    }
    await untilQueueIsEmpty(site.stateFolder);
    assert.deepEqual(victim.arrived, []);
    const told = service.events().flatMap((event) => (event.event === "dsn" ? [event.to] : []));
    // Of one destination of several the postmaster hears.
    assert.deepEqual(
      told.filter((to) => to !== "postmaster@forwarder.example"),
      [],
    );
  });
}

function ports(sinks: Readonly<Record<string, Sink>>): Record<string, number> {
  return Object.fromEntries(Object.entries(sinks).map(([domain, { port }]) => [domain, port]));
}
