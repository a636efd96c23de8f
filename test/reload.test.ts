// New tables while mail flows: a signal or a changed file, and no client notices.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { greeted, hello, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { homing } from "./harness/homing.ts";
import { type ReloadScene, rcpt, startReloadScene } from "./harness/reload-scene.ts";
import { waitFor } from "./harness/wait.ts";

const ALICE = "alice@forwarder.example";
const ALIASES = "alice: alice@home.example\npostmaster: alice\n";

const scene = (): Promise<ReloadScene> => startReloadScene(ALIASES);

const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";

const SWAPS = 125;
/** Signals that come while one is not served yet are one to the kernel. */
const SIGNALS_A_SWAP = 8;
const SIGNAL_PAUSE_MS = 3;
/** One of so many swaps happens between RCPT and DATA of a transaction. */
const HELD_EVERY = 4;
const CLIENTS = 4;
const MIN_MESSAGES = 200;
const TARGETS = ["one@home.example", "two@home.example"] as const;

test(`${SWAPS * SIGNALS_A_SWAP} SIGHUPs under load, ${SWAPS} other tables: each message goes where its RCPT was told, none is refused or lost`, async () => {
  await using forwarder = await startReloadScene(aliasesTo(TARGETS[0]));
  const { service } = forwarder;
  /** By sender, which is another one for each message; undefined where either may be. */
  const expected = new Map<string, string | undefined>();
  let swaps = 0;

  const send = async (name: number): Promise<void> => {
    for (let turn = 0; swaps < SWAPS; turn++) {
      using client = await greeted(forwarder);
      assert.match(await client.ask("EHLO client.example"), /^250/);
      const from = `client-${name}-${turn}@source.example`;
      expected.set(from, undefined);
      assert.match(await transact(client, { from, to: ALICE, message: MESSAGE }), /^250 2\.0\.0 /);
    }
  };
  const swapTables = async (): Promise<void> => {
    for (; swaps < SWAPS; swaps++) {
      const held = swaps > 0 && swaps % HELD_EVERY === 0 ? await heldTransaction(forwarder) : undefined;
      if (held) expected.set(held.from, TARGETS[swaps % 2]);
      await forwarder.aliases(aliasesTo(swaps % 2 === 0 ? TARGETS[1] : TARGETS[0]));
      await signalUntilReloaded(forwarder, swaps % 2 === 0 ? 3 : 2);
      if (held) await held.finish();
    }
  };
  await Promise.all([swapTables(), ...Array.from({ length: CLIENTS }, (_, name) => send(name))]);

  const targets = await targetsBySender(forwarder, expected.size);
  assert.ok(targets.size >= MIN_MESSAGES, `only ${targets.size} messages`);
  assert.equal(forwarder.hop.messages.length, expected.size);
  for (const [from, target] of expected) {
    const [got = "none", ...more] = targets.get(from) ?? [];
    assert.deepEqual(more, [], from);
    assert.ok(target === undefined ? isTarget(got) : got === target, `${from}: ${got}, not ${target}`);
  }
  const used = new Set([...targets.values()].flat());
  assert.deepEqual([...used].sort(), TARGETS);
  assert.doesNotMatch(service.stdout(), /"(?:not-reloaded|refused|not-delivered|error)"/);
});

/** The two tables differ in their size, which the log tells. */
function aliasesTo(target: (typeof TARGETS)[number]): string {
  return `alice: ${target}\npostmaster: alice\n${target === TARGETS[1] ? "carol: alice\n" : ""}`;
}

function isTarget(address: string): boolean {
  return TARGETS.some((target) => target === address);
}

/** Has its RCPT accepted, and sends its message when it is told to. */
async function heldTransaction({ port }: ReloadScene): Promise<{ from: string; finish(): Promise<void> }> {
  const client: Wire = await hello({ port });
  const from = `held-${client.socket.localPort}@source.example`;
  await client.ask(`MAIL FROM:<${from}>`);
  assert.match(await client.ask(`RCPT TO:<${ALICE}>`), /^250 /);
  return {
    from,
    async finish() {
      assert.match(await client.ask("DATA"), /^354/);
      assert.match(await client.ask(`${MESSAGE}.`), /^250 2\.0\.0 /);
      client.socket.destroy();
    },
  };
}

/** Reloads of the signals before may end meanwhile, and lines of theirs come late: only the size tells which table was read. */
async function signalUntilReloaded({ service }: ReloadScene, entries: number): Promise<void> {
  const before = service.stdout().length;
  const isRead = (): boolean =>
    service.stdout().includes(`"event":"reloaded","cause":"signal","files":1,"entries":${entries}}`, before);
  for (let signals = 0; signals < SIGNALS_A_SWAP; signals++) {
    process.kill(service.pid, "SIGHUP");
    await setTimeout(SIGNAL_PAUSE_MS);
  }
  await waitFor(
    () => {
      if (isRead()) return true;
      process.kill(service.pid, "SIGHUP");
      return undefined;
    },
    { seconds: 10, otherwise: () => `no reload in:\n${service.stdout().slice(-2000)}` },
  );
}

/** Where each sender's mail went, as the log tells. */
async function targetsBySender({ service }: ReloadScene, count: number): Promise<Map<string, string[]>> {
  await waitFor(() => service.stdout().split('"event":"delivered"').length > count || undefined, {
    seconds: 5,
    otherwise: () => `${count} messages were taken, and not as many delivered`,
  });
  const senders = new Map<string, string>();
  const targets = new Map<string, string[]>();
  for (const line of service.stdout().trimEnd().split("\n")) {
    const event = JSON.parse(line) as { event: string; id: string; reversePath: string; target: string };
    if (event.event === "received") senders.set(event.id, event.reversePath);
    if (event.event !== "delivered") continue;
    const sender = senders.get(event.id) ?? "";
    targets.set(sender, [...(targets.get(sender) ?? []), event.target]);
  }
  return targets;
}

test("a changed file is read again by itself; one with mistakes changes nothing, and all are in the log", async () => {
  await using forwarder = await scene();
  const { service, port } = forwarder;
  assert.match(await rcpt(port, "carol@forwarder.example"), /^550 5\.1\.1 /);
  await forwarder.aliases("alice: alice@home.example\npostmaster: alice\ncarol: carol@home.example\n");
  await service.waitForOutput(/"event":"reloaded","cause":"file","files":1,"entries":3/);
  assert.match(await rcpt(port, "carol@forwarder.example"), /^250 /);

  await forwarder.aliases("alice: nobody\ncarol\n");
  const [line = ""] = await service.waitForOutput(/^.*"event":"not-reloaded","cause":"file".*$/m);
  const { problems } = JSON.parse(line) as { problems: string[] };
  assert.deepEqual(
    problems.map((problem) => problem.replace(/^.*\/aliases:/, "")),
    [
      '1:1 nobody reads mail to postmaster@forwarder.example, as RFC 5321 asks: add a line such as "postmaster: you@example.net"',
      '1:8 "nobody" is neither an address nor a name in these tables',
      '2:1 no ":" after the name: write "name: address"',
    ],
  );
  assert.match(await rcpt(port, "carol@forwarder.example"), /^250 /);
  await forwarder.aliases("dave: dave@home.example\npostmaster: dave\n");
  await service.waitForOutput(/"event":"reloaded","cause":"file","files":1,"entries":2/);
  assert.match(await rcpt(port, "carol@forwarder.example"), /^550 5\.1\.1 /);
  assert.equal(await service.stop(), 0);
});

test("homing reload checks the tables, then tells the service; without one, and with mistakes, it says so", async () => {
  await using forwarder = await scene();
  const { service, config } = forwarder;
  const told = await homing(["reload", "--config", config, "--json"]);
  assert.deepEqual(JSON.parse(String(told.stdout)), { ok: true, pid: service.pid });
  await service.waitForOutput(/"event":"reloaded","cause":"signal"/);
  await forwarder.aliases("alice: nobody\npostmaster: alice\n");
  const wrong = await homing(["reload", "--config", config]);
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /aliases:1:8 "nobody" is neither an address nor a name in these tables/);
  await forwarder.aliases("postmaster: p@home.example\n");
  assert.equal(await service.stop(), 0);
  const gone = await homing(["reload", "--config", config]);
  assert.equal(gone.code, 69);
  assert.match(gone.stderr, /\/pid: there is no such file: is homing serve running\?\n$/);
  // What a crash leaves: the number is somebody else's by now.
  await writeFile(join(forwarder.folder, "pid"), `${process.pid}\n`);
  const other = await homing(["reload", "--config", config]);
  assert.equal(other.code, 69);
  assert.match(other.stderr, /is not homing serve: start it\n$/);
  // In a container that would be the service.
  await writeFile(join(forwarder.folder, "pid"), "1\n");
  assert.match((await homing(["reload", "--config", config])).stderr, /process 1, .* is not homing serve/);
});

test("a file that is gone changes nothing, and comes back by itself", async () => {
  await using forwarder = await scene();
  const { service, port } = forwarder;
  await rm(forwarder.path);
  await service.waitForOutput(
    /"event":"not-reloaded","cause":"file","problems":\["[^"]*homing\.yaml:\d+:\d+ aliasesFile: table .*: there is no such file"\]/,
  );
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(/"event":"not-reloaded","cause":"signal"/);
  assert.match(await rcpt(port, "alice@forwarder.example"), /^250 /);
  await forwarder.aliases("bob: b@home.example\npostmaster: bob\n");
  await service.waitForOutput(/"event":"reloaded","cause":"file"/);
  assert.match(await rcpt(port, "bob@forwarder.example"), /^250 /);
});
