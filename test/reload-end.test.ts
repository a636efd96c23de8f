// The end of a service whose tables cause trouble, and a start that fails: no message is cut off, no port stays open.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { access, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { hello } from "../packages/forwarder/src/testing/smtp-peers.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { storiesNeed } from "./harness/availability.ts";
import { freePort } from "./harness/free-port.ts";
import { homing, writeServiceFiles } from "./harness/homing.ts";
import { type ReloadScene, rcpt, startReloadScene } from "./harness/reload-scene.ts";
import { waitFor } from "./harness/wait.ts";

const ALICE = "alice@forwarder.example";
const ALIASES = "alice: alice@home.example\npostmaster: alice\n";

/** A client that has sent the first half of its message. */
async function inTheMiddle(port: number): Promise<Wire> {
  const client = await hello({ port });
  for (const command of ["MAIL FROM:<bob@source.example>", `RCPT TO:<${ALICE}>`, "DATA"]) {
    assert.match(await client.ask(command), /^[23]/);
  }
  client.send("From: bob@source.example\r\n\r\nHel");
  return client;
}

async function finish(client: Wire): Promise<void> {
  client.send("lo!\r\n.\r\n");
  assert.match(await client.reply(), /^250 2\.0\.0 /);
}

test("SIGHUP after SIGTERM ends nothing: the message in progress is taken, and homing reload finds nobody", async () => {
  await using forwarder = await startReloadScene(ALIASES);
  const { service, port, folder, config } = forwarder;
  using client = await inTheMiddle(port);
  process.kill(service.pid, "SIGTERM");
  await waitFor(async () => ((await exists(join(folder, "pid"))) ? undefined : true), {
    seconds: 5,
    otherwise: () => "the pid file is there yet",
  });
  const told = await homing(["reload", "--config", config]);
  assert.equal(told.code, 69, told.stderr);
  for (let signal = 0; signal < 3; signal++) process.kill(service.pid, "SIGHUP");
  await finish(client);
  // Without a signal: it has one.
  assert.equal(await service.stop("SIGCONT"), 0);
  assert.doesNotMatch(service.stdout(), /reloaded/);
});

test("a FIFO is no table: no command waits for it, and the next reload is good", async () => {
  await using forwarder = await startReloadScene(ALIASES);
  const { service, port, folder, config, path } = forwarder;
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await forwarder.aliases(`${ALIASES}list: :include:${pipe}\n`);
  const words = new RegExp(`table ${pipe} is no regular file: name the file that holds the entries`);
  await service.waitForOutput(/"event":"not-reloaded","cause":"file".*pipe is no regular file/);
  for (const command of [["config", "check"], ["route", ALICE], ["serve"], ["reload"]]) {
    const { code, stderr } = await homing([...command, "--config", config]);
    assert.equal(code, 78, command.join(" "));
    assert.match(stderr, words);
  }
  await rm(path);
  execFileSync("mkfifo", [path]);
  const { code, stderr } = await homing(["config", "check", "--config", config]);
  assert.equal(code, 78);
  assert.match(stderr, /^homing: .*homing\.yaml:\d+:\d+ aliasesFile: table .*\/aliases is no regular file: /);
  await forwarder.aliases("postmaster: p@home.example\n");
  await service.waitForOutput(/"event":"reloaded","cause":"file"/);
  assert.match(await rcpt(port, ALICE), /^550 /);
  assert.equal(await service.stop(), 0);
});

const skip = await storiesNeed();

test("a table whose file system does not answer holds up neither mail nor the end", { skip }, async () => {
  await using forwarder = await startReloadScene(ALIASES);
  const { service, port } = forwarder;
  await using _holder = await holdUp(forwarder.path);
  process.kill(service.pid, "SIGHUP");
  await heldUp(forwarder);
  using client = await inTheMiddle(port);
  const ended = service.stop("SIGTERM");
  await waitFor(async () => ((await exists(join(forwarder.folder, "pid"))) ? undefined : true), {
    seconds: 3,
    otherwise: () => "the pid file is there yet",
  });
  await finish(client);
  // The signal that ends what Node would wait for; a service manager takes it for a good end.
  assert.equal(await ended, null);
  assert.match(service.stdout(), /"event":"error".*"message":"a file does not answer: ended by SIGTERM/);
});

/** fanotify(7): whoever opens the file waits until we say that he may, which we never do. */
async function holdUp(path: string): Promise<AsyncDisposable> {
  const child = spawn("perl", ["-e", HOLD_UP, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}

// fanotify_init(FAN_CLASS_CONTENT), fanotify_mark(FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path).
const HOLD_UP = `
  my ($init, $mark) = \`uname -m\` =~ /x86_64/ ? (300, 301) : (262, 263);
  my $group = syscall($init, 4, 0);
  die "fanotify_init: $!" if $group < 0;
  die "fanotify_mark: $!" if syscall($mark, $group, 1, 0x10000, -100, $ARGV[0]) < 0;
  $| = 1;
  print "held\n";
  sleep 60;
`;

/** A thread of the service waits for an answer from fanotify. */
async function heldUp({ service }: ReloadScene): Promise<void> {
  const waits = async (): Promise<true | undefined> => {
    const folder = `/proc/${service.pid}/task`;
    for (const task of await readdir(folder)) {
      if (/fanotify/.test(await readFile(join(folder, task, "stack"), "utf8"))) return true;
    }
    return undefined;
  };
  await waitFor(waits, { seconds: 5, otherwise: () => "no thread waits for the table" });
}

const unfit: [what: string, pidFile: string, words: RegExp][] = [
  [
    "a folder that is not there",
    "run/pid",
    / pid file .*: there is no folder .*\/run: make it, or change pidFile$/m,
  ],
  ["a folder in its place", ".", / pid file .*: this is a directory: name a file in it$/m],
];
for (const [what, pidFile, words] of unfit) {
  test(`a pid file that cannot be written: ${what}: the service does not start, and config check warns`, async (t) => {
    const port = await freePort();
    const config = await writeServiceFiles({
      config: `hostname: mx.forwarder.example
listen: 127.0.0.1:${port}
domains: [forwarder.example]
aliasesFile: aliases
pidFile: ${pidFile}
srs: { domain: forwarder.example, secretsFile: secrets }
dkim: unsigned
`,
      aliases: ALIASES,
      secret: "a secret of the stories, long enough",
    });
    t.after(() => rm(dirname(config), { recursive: true, force: true }));
    const served = await homing(["serve", "--config", config], { seconds: 5 });
    assert.equal(served.code, 78, served.stderr);
    assert.match(served.stderr, words);
    assert.equal(String(served.stdout), "");
    const checked = await homing(["config", "check", "--config", config]);
    assert.equal(checked.code, 0);
    assert.match(checked.stderr, words);
    assert.ok(checked.stderr.startsWith(`homing: warning: ${config}:5:10 pid file `), checked.stderr);
  });
}

test("a port that is taken leaves the pid file of the service that has it", async () => {
  await using forwarder = await startReloadScene(ALIASES);
  const { service, folder, config, port } = forwarder;
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace("127.0.0.1:0", `127.0.0.1:${port}`));
  const second = await homing(["serve", "--config", config]);
  assert.equal(second.code, 69, second.stderr);
  assert.equal(await readFile(join(folder, "pid"), "utf8"), `${service.pid}\n`);
  assert.equal(await service.stop(), 0);
});

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
