// The service under a service manager: it says when it is ready and when it stops (sd_notify), takes a listening socket
// (socket activation), and ends without losing the mail in progress.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { dial } from "../packages/forwarder/src/testing/wire.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startHomingService } from "./harness/homing.ts";
import { startServiceManager } from "./harness/service-manager.ts";
import { waitFor } from "./harness/wait.ts";

const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";
const ALICE = { from: "bob@source.example", to: "alice@forwarder.example" };
const FILES = {
  aliases: "alice: alice@home.example\npostmaster: alice\n",
  secret: "a secret of the stories, long enough",
};

function config(more = ""): string {
  return `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
${more}`;
}

const throughHop = (port: number): string => config(`delivery: { smartHost: "127.0.0.1:${port}" }`);

const skip = await storiesNeed("systemd");

for (const notifySocket of ["path", "abstract"] as const) {
  test(`READY=1 comes when clients are served, STOPPING=1 at SIGTERM, to a notification socket: ${notifySocket}`, {
    skip,
  }, async () => {
    await using manager = await startServiceManager({ ...FILES, config: config(), notifySocket });
    manager.start();
    await manager.waitForOutput(/^notified READY=1$/m);
    const [, port] = /"event":"listening".*"port":(\d+)/.exec(manager.stdout()) ?? [];
    using client = await greeted({ port: Number(port) });
    assert.match(await client.ask("EHLO client.example"), /^250/);
    await manager.waitForOutput(new RegExp(`^notified STATUS=forwarding on 127\\.0\\.0\\.1:${port}$`, "m"));
    manager.terminate();
    await manager.waitForOutput(/^notified STOPPING=1$/m);
    assert.match(await client.reply(), /^421 4\.3\.2 /);
    await manager.waitForOutput(/^ended 0$/m);
  });
}

test("a notification socket that nobody reads is one line in the log, and mail is served", {
  skip,
}, async () => {
  await using manager = await startServiceManager({
    ...FILES,
    config: config(),
    notifySocket: "nobody listens",
  });
  manager.start();
  const [, port] = await manager.waitForOutput(/"event":"listening".*"port":(\d+)/);
  await manager.waitForOutput(/"event":"error".*"message":"sd_notify: /);
  using client = await greeted({ port: Number(port) });
  assert.match(await client.ask("EHLO client.example"), /^250/);
});

for (const kind of ["tcp", "tcp6"] as const) {
  test(`a ${kind} socket of the service manager is taken in place of listen, and IPv4 clients are told as such`, {
    skip,
  }, async () => {
    await using hop = await startHop();
    const trusting = `${throughHop(hop.port)}\ntrustedNetworks: [127.0.0.0/8]\n`;
    await using manager = await startServiceManager({ ...FILES, config: trusting, sockets: { kind } });
    manager.start();
    const port = await manager.port();
    await manager.waitForOutput(new RegExp(`"event":"listening".*"port":${port}`));
    using client = await greeted({ port });
    const own = { ...ALICE, from: "carol@forwarder.example" };
    assert.match(
      await transact(client, { ...own, message: MESSAGE }),
      /^250 /,
      "a trusted client may use our domain",
    );
    await manager.waitForOutput(/"event":"received".*"client":"127\.0\.0\.1"/);
  });
}

test("of two sockets, the one named smtp is taken", { skip }, async () => {
  const sockets = { kind: "tcp", count: 2, names: "other:smtp" } as const;
  await using manager = await startServiceManager({ ...FILES, config: config(), sockets });
  manager.start();
  const [, port] = await manager.waitForOutput(/"event":"listening".*"port":(\d+)/);
  const ports = [...manager.stdout().matchAll(/^port (\d+)$/gm)].map((match) => match[1]);
  assert.equal(ports.indexOf(port), 1);
});

const unfit: [what: string, sockets: { kind: "tcp" | "unix"; count?: number }, words: RegExp][] = [
  [
    "two sockets without names",
    { kind: "tcp", count: 2 },
    /homing: 2 sockets were handed over, .*FileDescriptorName=smtp/,
  ],
  [
    "a UNIX socket",
    { kind: "unix" },
    /cannot listen on file descriptor 3 .*not a TCP socket: write ListenStream=25/,
  ],
];
for (const [what, sockets, words] of unfit) {
  test(`${what}: the service does not start, and says why`, { skip }, async () => {
    await using manager = await startServiceManager({ ...FILES, config: config(), sockets });
    manager.start();
    await manager.waitForOutput(words);
    assert.doesNotMatch(manager.stdout(), /READY=1/);
  });
}

test("a client that comes while the service restarts waits in the manager's socket, and is served", {
  skip,
}, async () => {
  await using hop = await startHop();
  await using manager = await startServiceManager({
    ...FILES,
    config: throughHop(hop.port),
    sockets: { kind: "tcp" },
  });
  const port = await manager.port();
  manager.start();
  await manager.waitForOutput(/READY=1/);
  manager.terminate();
  await manager.waitForOutput(/^ended 0$/m);
  using client = await dial({ port });
  manager.start();
  assert.match(await client.reply(), /^220 /);
  assert.match(await transact(client, { ...ALICE, message: MESSAGE }), /^250 /);
});

test("SIGTERM: a new client is refused, a client in DATA gets its 250, and the service ends with 0", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({ ...FILES, config: throughHop(hop.port) });
  using client = await greeted(service);
  for (const command of ["EHLO c.example", `MAIL FROM:<${ALICE.from}>`, `RCPT TO:<${ALICE.to}>`, "DATA"]) {
    assert.match(await client.ask(command), /^[23]/);
  }
  client.send("From: bob@source.example\r\n\r\nHel");
  const ended = service.stop("SIGTERM");
  await waitFor(async () => (await refused(service.port)) || undefined, {
    seconds: 4,
    otherwise: () => "new clients are still accepted",
  });
  client.send("lo!\r\n.\r\n");
  assert.match(await client.reply(), /^250 2\.0\.0 <alice@forwarder\.example>: passed on$/);
  assert.match(await client.reply(), /^421 4\.3\.2 /);
  assert.equal(await ended, 0);
  assert.match(String(hop.messages[0]), /\r\nHello!\r\n\.\r\n$/);
});

test("the log hides addresses as log.addresses says", async () => {
  await using hop = await startHop({ dot: "550 5.1.1 <alice@home.example>: gone" });
  const hidden = `${throughHop(hop.port)}\nlog: { addresses: domain }\n`;
  await using service = await startHomingService({ ...FILES, config: hidden });
  using client = await greeted(service);
  assert.match(await transact(client, { ...ALICE, message: MESSAGE }), /^550 /);
  await service.waitForOutput(/"event":"answered"/);
  assert.match(service.stdout(), /"targets":\["\*@home\.example"\]/);
  assert.match(service.stdout(), /"detail":"550 5\.1\.1 <\*@home\.example>: gone/);
  assert.doesNotMatch(service.stdout(), /alice|bob/);
});

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
