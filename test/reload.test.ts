// New tables under load: a signal or a changed file, and no client notices.
import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { greeted, hello, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { type HomingProcess, homing, startHoming, writeServiceFiles } from "./harness/homing.ts";

const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";
const SIGNALS = 1000;
const CLIENTS = 4;

interface Scene extends AsyncDisposable {
  readonly service: HomingProcess;
  readonly port: number;
  readonly config: string;
  readonly taken: () => number;
  aliases(text: string): Promise<void>;
  remove(): Promise<void>;
}

async function scene(): Promise<Scene> {
  const hop = await startHop();
  const config = await writeServiceFiles({
    config: `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
pidFile: pid
srs: { domain: forwarder.example, secretsFile: secrets }
delivery: { smartHost: "127.0.0.1:${hop.port}" }
`,
    aliases: "alice: alice@home.example\npostmaster: alice\n",
    secret: "a secret of the stories, long enough",
  });
  const service = startHoming(["serve", "--config", config]);
  const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
  const path = join(dirname(config), "aliases");
  return {
    service,
    port: Number(port),
    config,
    taken: () => service.stdout().split('"event":"delivered"').length - 1,
    async aliases(text) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
    remove: () => rm(path),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
      await rm(dirname(config), { recursive: true, force: true });
    },
  };
}

async function rcpt(port: number, to: string): Promise<string> {
  using client = await hello({ port });
  await client.ask("MAIL FROM:<bob@source.example>");
  return await client.ask(`RCPT TO:<${to}>`);
}

test(`${SIGNALS} SIGHUPs under load: no message is refused, none is lost`, async () => {
  await using forwarder = await scene();
  let signals = 0;
  let sent = 0;
  const send = async (): Promise<void> => {
    while (signals < SIGNALS) {
      using client = await greeted({ port: forwarder.port });
      assert.match(await client.ask("EHLO client.example"), /^250/);
      const from = "bob@source.example";
      const reply = await transact(client, { from, to: "alice@forwarder.example", message: MESSAGE });
      assert.match(reply, /^250 2\.0\.0 /);
      sent++;
    }
  };
  const signal = async (): Promise<void> => {
    for (; signals < SIGNALS; signals++) {
      process.kill(forwarder.service.pid, "SIGHUP");
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all([signal(), ...Array.from({ length: CLIENTS }, send)]);
  await forwarder.service.waitForOutput(/"event":"reloaded","cause":"signal"/);
  assert.ok(sent >= CLIENTS, String(sent));
  assert.equal(forwarder.taken(), sent);
  assert.doesNotMatch(forwarder.service.stdout(), /"not-reloaded"/);
});

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
  await writeFile(join(dirname(config), "pid"), `${process.pid}\n`);
  const other = await homing(["reload", "--config", config]);
  assert.equal(other.code, 69);
  assert.match(other.stderr, /is not homing serve: start it\n$/);
});

test("a file that is gone changes nothing, and comes back by itself", async () => {
  await using forwarder = await scene();
  const { service, port } = forwarder;
  await forwarder.remove();
  await service.waitForOutput(
    /"event":"not-reloaded","cause":"file","problems":\["table .*: there is no such file"\]/,
  );
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(/"event":"not-reloaded","cause":"signal"/);
  assert.match(await rcpt(port, "alice@forwarder.example"), /^250 /);
  await forwarder.aliases("bob: b@home.example\npostmaster: bob\n");
  await service.waitForOutput(/"event":"reloaded","cause":"file"/);
  assert.match(await rcpt(port, "bob@forwarder.example"), /^250 /);
});
