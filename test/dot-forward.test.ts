// `homing dotforward` as a process of its own: without any right but to read, beside homes that are 0700.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createForwardClient } from "../packages/forwarder/src/dot-forward/forward-client.ts";
import type { ForwardAnswer } from "../packages/forwarder/src/dot-forward/forward-reader.ts";
import { type HomingProcess, homing, MAIN, plainEnvironment, startHoming, watch } from "./harness/homing.ts";
import { waitFor } from "./harness/wait.ts";

const NOBODY = 65_534;
const ALICE = 71_001;
const BOB = 71_002;
const root = process.getuid?.() === 0;
const skip = !root && "homes of other users need root";
if (skip && process.env.HOMING_STORIES === "required")
  throw new Error(`HOMING_STORIES=required, but ${skip}`);

const TARGETS: ForwardAnswer = {
  kind: "targets",
  targets: [
    { kind: "local-copy", name: "alice", place: { file: "~/.forward", line: 1, column: 1 } },
    {
      kind: "mailbox",
      mailbox: { localPart: "alice", domain: "home.example" },
      place: { file: "~/.forward", line: 2, column: 1 },
    },
  ],
};
const SECRET = "root:$6$hash:19000:0:99999:7:::";

interface Place {
  readonly folder: string;
  readonly homes: string;
  readonly socket: string;
}

async function makePlace(t: TestContext): Promise<Place> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "homing-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const homes = join(folder, "home");
  await mkdir(homes);
  const run = join(folder, "run");
  await mkdir(run);
  if (root) await chown(run, NOBODY, NOBODY);
  return { folder, homes, socket: join(run, "socket") };
}

/** A home that nobody else may look into. */
async function makeHome({ homes }: Place, user: string, uid: number, forward?: string): Promise<string> {
  const home = join(homes, user);
  await mkdir(home, { mode: 0o700 });
  await chown(home, uid, uid);
  if (forward !== undefined) await own(join(home, ".forward"), forward, uid);
  return home;
}

async function own(path: string, text: string, uid: number): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chown(path, uid, uid);
}

/** As the unit runs it: no user of the system, and one capability, or none. */
function startReader(args: readonly string[], capability: boolean): HomingProcess {
  const set = capability ? "-all,+dac_read_search" : "-all";
  const limits = ["--bounding-set", "--inh-caps", "--ambient-caps"].map((option) => `${option}=${set}`);
  const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--no-new-privs"];
  const command = [process.execPath, MAIN, "dotforward", ...args];
  return watch(spawn("setpriv", [...identity, ...limits, ...command], { env: plainEnvironment() }));
}

async function ask(socket: string, ...users: readonly string[]): Promise<ForwardAnswer[]> {
  const client = createForwardClient(socket);
  const answers = await Promise.all(users.map((user) => client.read(user)));
  client.close();
  return answers;
}

test("without rights of its own, the reader reads homes that are 0700", { skip }, async (t) => {
  const place = await makePlace(t);
  await makeHome(place, "alice", ALICE, "\\alice\nalice@home.example\n");
  await makeHome(place, "bob", BOB);
  await using reader = startReader(["--home", join(place.homes, "{user}"), "--socket", place.socket], true);
  await reader.waitForOutput(/"event":"listening"/);
  assert.equal((await stat(place.socket)).mode & 0o777, 0o660);
  assert.deepEqual(await ask(place.socket, "alice", "bob", "carol"), [
    TARGETS,
    { kind: "none" },
    { kind: "no-user" },
  ]);
  assert.equal(await reader.stop(), 0);
  assert.equal(reader.stderr(), "");
});

test("it is the capability that lets it read, and nothing else of root", { skip }, async (t) => {
  const place = await makePlace(t);
  await makeHome(place, "alice", ALICE, "bob");
  await using reader = startReader(["--home", join(place.homes, "{user}"), "--socket", place.socket], false);
  await reader.waitForOutput(/"event":"listening"/);
  assert.deepEqual(await ask(place.socket, "alice"), [
    { kind: "unavailable", cause: "~/.forward: EACCES open" },
  ]);
});

test("a user cannot have it read what he may not read himself", { skip }, async (t) => {
  const place = await makePlace(t);
  const secret = join(place.folder, "shadow");
  await own(secret, SECRET, 0);
  const byLink = await makeHome(place, "alice", ALICE);
  await symlink(secret, join(byLink, ".forward"));
  const byHardLink = await makeHome(place, "bob", BOB);
  await link(secret, join(byHardLink, ".forward"));
  const byList = await makeHome(place, "carol", BOB, `:include:${secret}\n:include:/dev/zero`);
  const byFolder = await makeHome(place, "dave", BOB, `:include:${place.homes}/dave/sub/shadow`);
  await symlink(place.folder, join(byFolder, "sub"));
  await makeHome(place, "erin", BOB, `:include:${byList}/../alice/x`);
  // One that belongs to another user.
  const other = await makeHome(place, "frank", BOB);
  await own(join(other, ".forward"), "bob", ALICE);
  // One of root, with words that are no addresses.
  const words = await makeHome(place, "grace", BOB);
  await own(join(words, ".forward"), SECRET, 0);

  await using reader = startReader(["--home", join(place.homes, "{user}"), "--socket", place.socket], true);
  await reader.waitForOutput(/"event":"listening"/);
  const users = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
  const answers = await ask(place.socket, ...users);
  assert.deepEqual(
    answers.map((answer) => answer.kind),
    [...Array.from({ length: 6 }, () => "unsafe"), "unparsable"],
  );
  const said = JSON.stringify(answers) + reader.stdout() + reader.stderr();
  assert.doesNotMatch(said, /hash|19000|99999/);
});

test("with a passwd file, it says whose home is where, and who must own the .forward", {
  skip,
}, async (t) => {
  const place = await makePlace(t);
  const passwd = join(place.folder, "passwd");
  const elsewhere = await makeHome(place, "elsewhere", ALICE, "\\alice\nalice@home.example");
  await makeHome(place, "bob", BOB, "alice");
  await writeFile(passwd, `alice:x:${ALICE}:${ALICE}::${elsewhere}:/bin/sh\n`);
  await using reader = startReader(["--passwd", passwd, "--socket", place.socket], true);
  await reader.waitForOutput(/"event":"listening"/);
  assert.deepEqual(await ask(place.socket, "alice", "bob"), [TARGETS, { kind: "no-user" }]);
  await writeFile(passwd, `alice:x:${BOB}:${BOB}::${elsewhere}:/bin/sh\n`);
  assert.deepEqual(
    (await ask(place.socket, "alice")).map((answer) => answer.kind),
    ["unsafe"],
  );
});

test("a socket of the service manager is taken", async (t) => {
  const place = await makePlace(t);
  const home = join(place.homes, "alice");
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, ".forward"), "\\alice\nalice@home.example", { mode: 0o600 });
  const manager = createServer().listen(place.socket);
  await once(manager, "listening");
  // Node removes its name when it closes the socket, and while it is open accepts clients itself.
  const socket = `${place.socket}.kept`;
  await link(place.socket, socket);
  const { fd } = (manager as unknown as { _handle: { fd: number } })._handle;
  // LISTEN_PID is the reader's own: the shell becomes it.
  const command = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"';
  const args = [process.execPath, MAIN, "dotforward", "--home", join(place.homes, "{user}")];
  const child = spawn("/bin/sh", ["-c", command, "sh", ...args], {
    env: plainEnvironment(),
    stdio: ["pipe", "pipe", "pipe", fd],
  });
  assert.ok(child.stdin && child.stdout && child.stderr);
  await using reader = watch(child as Parameters<typeof watch>[0]);
  manager.close();
  await reader.waitForOutput(/"event":"listening","socket":"file descriptor 3"/);
  assert.deepEqual(await ask(socket, "alice"), [TARGETS]);
  assert.equal(await reader.stop(), 0);
});

test("a reader that was killed leaves a socket that its successor takes; one that runs is left alone", async (t) => {
  const place = await makePlace(t);
  const args = ["dotforward", "--home", join(place.homes, "{user}"), "--socket", place.socket];
  await using killed = startHoming(args);
  await killed.waitForOutput(/"event":"listening"/);
  await killed.stop("SIGKILL");
  assert.ok((await stat(place.socket)).isSocket());
  await using running = startHoming(args);
  await running.waitForOutput(/"event":"listening"/);
  const third = await homing(args);
  assert.equal(third.code, 69);
  assert.match(third.stderr, /socket is taken by another program: stop it, or choose another --socket/);
  assert.deepEqual(await ask(place.socket, "alice"), [{ kind: "no-user" }]);
});

test("SIGHUP does not end the reader, as soon as it can hear it", async (t) => {
  const place = await makePlace(t);
  const child = spawn(
    process.execPath,
    [MAIN, "dotforward", "--home", join(place.homes, "{user}"), "--socket", place.socket],
    { env: plainEnvironment() },
  );
  await using reader = watch(child);
  await waitFor(async () => ((await hearsHup(child.pid ?? 0)) ? true : undefined), {
    seconds: 10,
    otherwise: () => reader.stderr(),
  });
  child.kill("SIGHUP");
  await reader.waitForOutput(/"event":"listening"/);
  child.kill("SIGHUP");
  assert.deepEqual(await ask(place.socket, "alice"), [{ kind: "no-user" }]);
  assert.equal(await reader.stop(), 0);
});

/** proc(5): SIGHUP is bit 0 of the signals that are caught. */
async function hearsHup(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const [, caught = "0"] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return (Number.parseInt(caught.slice(-1), 16) & 1) === 1;
}

const wrong: [args: string[], words: RegExp][] = [
  [["--socket", "/s"], /where are the homes\? give --home \/home\/\{user\}, or --passwd/],
  [["--home", "/home/{user}"], /where to listen\? give --socket .*or start it by a socket unit/],
  [["--home", "/home/{user}", "--socket", "s"], /--socket s: write the whole path/],
  [["--home", "/home/{user}/..", "--socket", "/s"], /--home: home pattern .*write it as \/home\/\{user\}/],
  [["--passwd", "passwd", "--socket", "/s"], /--passwd passwd: write the whole path/],
];
for (const [args, words] of wrong) {
  test(`homing dotforward ${args.join(" ")}: a usage error says what to write`, async () => {
    const { code, stdout, stderr } = await homing(["dotforward", ...args]);
    assert.equal(code, 2);
    assert.equal(String(stdout), "");
    assert.match(stderr, words);
  });
}
