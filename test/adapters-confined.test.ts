// `homing adapters` with the rights that deploy/systemd/homing-adapters.service leaves it: a user of its own, in a user
// namespace where no other account exists (PrivateUsers=yes), with one more group (SupplementaryGroups=).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { run } from "./harness/command.ts";
import { type HomingProcess, MAIN, plainEnvironment, watch } from "./harness/homing.ts";

const USER = 61_000;
/** Of the mail server, whose programs ask. */
const GROUP = 61_500;
const STRANGER = 61_600;

const skip = process.getuid?.() !== 0 && "only root may become other users";
if (skip && process.env.HOMING_STORIES === "required")
  throw new Error(`HOMING_STORIES=required, but ${skip}`);

interface Place {
  readonly folder: string;
  readonly sockets: string;
  readonly config: string;
}

/** @param settings of the adapter, behind its listen */
async function place(t: TestContext, settings = ""): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const sockets = join(folder, "sockets");
  await mkdir(sockets);
  // install -d -o root -g GROUP -m 2770
  await chown(sockets, 0, GROUP);
  await chmod(sockets, 0o2770);
  const config = join(folder, "homing.yaml");
  await writeFile(
    config,
    `hostname: mx.forwarder.example
domains: [forwarder.example]
dkim: unsigned
srs: { domain: bounces.forwarder.example, secretsFile: secrets }
adapters:
  socketmap: { listen: "unix:${sockets}/socketmap", mode: "0660"${settings} }
`,
    { mode: 0o644 },
  );
  await writeFile(join(folder, "secrets"), `${"a".repeat(32)}\n`, { mode: 0o400 });
  await chown(join(folder, "secrets"), USER, USER);
  return { folder, sockets, config };
}

function as(user: number, groups: readonly number[], group = user): readonly string[] {
  return ["setpriv", `--reuid=${user}`, `--regid=${group}`, `--groups=${groups.join(",")}`, "--no-new-privs"];
}

/** `homing adapters` as the unit runs it. */
function confined(config: string, group = USER): readonly string[] {
  const inNamespace = ["unshare", "--user", `--map-user=${USER}`, `--map-group=${group}`];
  const withMask = ["sh", "-c", 'umask 077; exec "$0" "$@"'];
  const command = [process.execPath, MAIN, "adapters", "--config", config];
  return [...as(USER, [USER, GROUP], group), ...inNamespace, ...withMask, ...command];
}

function startConfined(config: string, group = USER): HomingProcess {
  const [program = "", ...args] = confined(config, group);
  return watch(spawn(program, args, { env: plainEnvironment() }));
}

/** What the map says to another user of the machine, or why it says nothing. */
async function asked(user: number, groups: readonly number[], socket: string): Promise<string> {
  const client = `
    const socket = require("node:net").connect(process.argv[1], () => socket.end("26:forward bob@origin.example,"));
    socket.on("data", (said) => console.log(String(said))).on("error", (error) => console.log(error.code));`;
  const { stdout } = await run([...as(user, groups), process.execPath, "-e", client, socket]);
  return String(stdout).trim();
}

test("the folder gives its group to the sockets: the mail server may ask, and other users may not", {
  skip,
}, async (t) => {
  const { sockets, config } = await place(t);
  await using service = startConfined(config);
  await service.waitForOutput(/"adapter-listening"/);
  const socket = join(sockets, "socketmap");
  const { uid, gid, mode } = await stat(socket);
  assert.deepEqual([uid, gid, mode & 0o777], [USER, GROUP, 0o660]);
  assert.match(await asked(STRANGER, [GROUP], socket), /^\d+:OK SRS0=/);
  assert.equal(await asked(STRANGER, [STRANGER], socket), "EACCES");
  assert.equal(await service.stop(), 0);
  assert.deepEqual(await readdir(sockets), []);
});

test("with Group= in the unit, sockets in a folder of its own have that group", { skip }, async (t) => {
  const { sockets, config } = await place(t);
  // RuntimeDirectory=, RuntimeDirectoryMode=0750
  await chown(sockets, USER, GROUP);
  await chmod(sockets, 0o750);
  await using service = startConfined(config, GROUP);
  await service.waitForOutput(/"adapter-listening"/);
  assert.match(await asked(STRANGER, [GROUP], join(sockets, "socketmap")), /^\d+:OK SRS0=/);
  assert.equal(await asked(STRANGER, [STRANGER], join(sockets, "socketmap")), "EACCES");
});

test("`group` cannot be had there: the message is about that, and the service is not started again", {
  skip,
}, async (t) => {
  const { sockets, config } = await place(t, `, group: ${GROUP}`);
  const { code, stderr } = await run(confined(config), { env: plainEnvironment() });
  assert.equal(code, 78);
  assert.match(
    stderr,
    new RegExp(
      `^homing: unix:${sockets}/socketmap: the service may not give this socket its owner or group \\(EINVAL\\): take`,
    ),
  );
  assert.deepEqual(await readdir(sockets), []);
});
