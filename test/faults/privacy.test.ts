// The privacy oracle where the queue is in between: whatever a next hop says, no octet to the client, and none of a DSN, holds
// the private address behind an alias. test/privacy.test.ts has the clients who wait.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFakeClock, type FakeClock } from "../../packages/forwarder/src/testing/fake-clock.ts";
import {
  type Answers,
  FIN,
  greeted,
  type Hop,
  startHop,
  transact,
} from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type InProcessForwarder, inProcessForwarder, NOW } from "../harness/in-process.ts";
import { KEPT } from "./harness/client.ts";
import { timeout } from "./harness/scale.ts";

const MESSAGE = "From: bob@source.example\r\nSubject: hello\r\n\r\nHello!\r\n";
const TRANSACTION = { from: "bob@source.example", to: "alice@forwarder.example", message: MESSAGE };
/** Some 130 attempts in four days, and what passes while they run. */
const MAX_STEPS = 20_000;
/** One failure at a time. */
const ONE_BY_ONE = "250-hop\r\n250-8BITMIME\r\n250 SMTPUTF8";

interface Secret {
  readonly user: string;
  readonly domain: string;
  readonly address: string;
}

function secretAddress(): Secret {
  const unique = (): string => randomBytes(9).toString("hex");
  const [user, domain] = [`u${unique()}`, `d${unique()}.example`];
  return { user, domain, address: `${user}@${domain}` };
}

/** What the next hop says, and the DSNs that the sender gets: action and status. */
const failures: [what: string, hopSays: (secret: Secret) => Answers, dsns: readonly (readonly string[])[]][] =
  [
    ["unknown", ({ address }) => ({ RCPT: `550 5.1.1 <${address}>: no such user` }), [["failed", "5.1.1"]]],
    ["moved", ({ address }) => ({ RCPT: `551 5.1.6 try <${address}>` }), [["failed", "5.1.6"]]],
    [
      "5xx greeting",
      ({ domain }) => ({ greeting: `554 5.7.1 ${domain}` }),
      [
        ["delayed", "4.7.1"],
        ["failed", "4.4.7"],
      ],
    ],
    ["MAIL refused", ({ address }) => ({ MAIL: `550 5.7.23 SPF of ${address}` }), [["failed", "5.7.23"]]],
    ["content refused", ({ address }) => ({ dot: `554 5.7.26 DMARC of ${address}` }), [["failed", "5.7.26"]]],
    [
      "several lines",
      ({ user, domain }) => ({ RCPT: `552-5.2.2 ${user}\r\n552 5.2.2 ${domain}` }),
      [["failed", "5.2.2"]],
    ],
    [
      "greylisted for ever",
      ({ address }) => ({ RCPT: `450 4.2.0 <${address}> greylisted` }),
      [
        ["delayed", "4.2.0"],
        ["failed", "4.4.7"],
      ],
    ],
    [
      "full for ever",
      ({ address }) => ({ dot: `452 4.2.2 <${address}> over quota` }),
      [
        ["delayed", "4.2.2"],
        ["failed", "4.4.7"],
      ],
    ],
    [
      "busy for ever",
      ({ domain }) => ({ greeting: `421 4.3.2 ${domain} is busy` }),
      [
        ["delayed", "4.3.2"],
        ["failed", "4.4.7"],
      ],
    ],
    [
      "gone for ever",
      () => ({ dot: FIN }),
      [
        ["delayed", "4.4.2"],
        ["failed", "4.4.7"],
      ],
    ],
    [
      "nonsense for ever",
      ({ address }) => ({ dot: `what? ${address}` }),
      [
        ["delayed", "4.4.2"],
        ["failed", "4.4.7"],
      ],
    ],
  ];

async function stateFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** From one attempt to the next, until it is over. */
async function passTime(
  clock: FakeClock,
  { state }: InProcessForwarder,
  isOver: () => boolean,
): Promise<void> {
  for (let steps = 0; steps < MAX_STEPS && !isOver(); steps++) {
    const entries = (await state?.spool.list({ limit: 10 })) ?? [];
    const recipients = entries.flatMap((entry) => entry.recipients);
    const runs = recipients.some(({ leasedUntil }) => leasedUntil !== undefined);
    const due = Math.min(...recipients.map((recipient) => recipient.due));
    const now = NOW + clock.now() / 1000;
    // While an attempt runs, pauses of its destination pass, and the network needs a moment.
    clock.advance(1000 * (runs || !Number.isFinite(due) ? 1 : Math.max(1, due - now)));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Everything that its client and the sender were told. */
function assertSilent(octets: readonly (Buffer | string)[], secret: Secret, port: number): void {
  const text = octets
    .map((part) => part.toString("latin1"))
    .join("\n")
    .toLowerCase();
  const label = secret.domain.split(".")[0] ?? "";
  for (const word of [secret.user, label, `:${port}`])
    assert.ok(word.length > 4 && !text.includes(word), `${word} is in: ${text}`);
}

function actionsAndStates({ messages }: Hop): (string | undefined)[][] {
  return messages
    .map(String)
    .map((dsn) => [/^Action: (\w+)\r$/m.exec(dsn)?.[1], /^Status: ([\d.]+)\r$/m.exec(dsn)?.[1]]);
}

for (const [what, hopSays, dsns] of failures) {
  test(`from the queue, ${what}: the sender is told of the alias, and nothing of the private address`, {
    timeout,
  }, async (t) => {
    const secret = secretAddress();
    const clock = createFakeClock();
    await using hop = await startHop({ EHLO: ONE_BY_ONE, ...hopSays(secret) });
    await using home = await startHop();
    await using forwarder = await inProcessForwarder({
      aliases: `alice: ${secret.address}`,
      routes: { [secret.domain]: hop.port, "source.example": home.port },
      trustedNetworks: ["127.0.0.1"],
      stateFolder: await stateFolder(t),
      spoolFirst: true,
      clock,
    });
    using client = await greeted(forwarder);
    assert.equal(await transact(client, TRANSACTION), KEPT);
    const isOver = (): boolean => home.messages.length >= dsns.length;
    await passTime(clock, forwarder, isOver);
    assert.deepEqual(actionsAndStates(home), dsns);
    assertSilent([client.heard(), ...home.messages, ...home.commands], secret, hop.port);
    for (const dsn of home.messages)
      assert.match(String(dsn), /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
    assert.ok(
      forwarder.events.some((event) => JSON.stringify(event).includes(secret.address)),
      "the log has it",
    );
  });
}

test("a spool that is gone: the client is told that it cannot be kept, and nothing of the private address", async (t) => {
  const secret = secretAddress();
  await using hop = await startHop({ RCPT: `450 4.2.1 <${secret.address}> later` });
  await using forwarder = await inProcessForwarder({
    aliases: `alice: ${secret.address}`,
    nextHop: hop.port,
    trustedNetworks: ["127.0.0.1"],
    stateFolder: await stateFolder(t),
    spoolFirst: true,
  });
  await forwarder.state?.spool.close();
  using client = await greeted(forwarder);
  assert.match(await transact(client, TRANSACTION), /^451 4\.3\.0 /);
  assertSilent([client.heard()], secret, hop.port);
});
