// `homing route`, as an operator asks it why mail goes where it goes: through the tables, lists and a .forward file.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createForwardReader, startReaderServer, systemFiles } from "@homing/forwarder";
import { homing, writeServiceFiles } from "./harness/homing.ts";

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "homing-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A reader for one user, alice, in the folder. */
async function startReader(t: TestContext, folder: string): Promise<string> {
  const home = join(folder, "home");
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, ".forward"), "# mine\n\nalice@home.example\n", { mode: 0o600 });
  await chmod(join(home, ".forward"), 0o600);
  const reader = createForwardReader({
    findHome: async (user) =>
      user === "alice" ? { kind: "home", home: { path: home } } : { kind: "no-user" },
    files: systemFiles,
    now: Date.now,
  });
  const path = join(folder, "socket");
  const server = await startReaderServer({ place: { path }, reader, onError: assert.ifError });
  t.after(() => server.close());
  return path;
}

test("route names the line of each entry, list and .forward file that decided", async (t) => {
  const folder = await makeFolder(t);
  const socket = await startReader(t, folder);
  const list = join(folder, "list");
  await writeFile(list, "# members\n\ndora@y.example,\n  eve@y.example\n");
  const path = await writeServiceFiles({
    config: `hostname: mx.forwarder.example
domains: [forwarder.example]
aliasesFile: aliases
dotForward: { socket: ${socket} }
srs:
  domain: forwarder.example
  secretsFile: secrets
`,
    aliases: `postmaster: a@x.example\nteam: alice,\n  :include:${list}, bob@x.example\n`,
    secret: "v3ry-s3cret-and-long-enough",
  });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  const aliases = join(dirname(path), "aliases");

  const { code, stdout } = await homing(["route", "team@forwarder.example", "--config", path]);
  assert.equal(code, 0);
  assert.deepEqual(String(stdout).trimEnd().split("\n"), [
    `team  ${aliases}:2`,
    "  ~alice  ~alice/.forward:3",
    `  :include:${list}  ${aliases}:3`,
    "→ alice@home.example  ~alice/.forward:3",
    `→ dora@y.example  ${list}:3`,
    `→ eve@y.example  ${list}:4`,
    `→ bob@x.example  ${aliases}:3`,
  ]);

  const json = await homing(["route", "team@forwarder.example", "--config", path, "--json"]);
  const { steps, destinations } = JSON.parse(String(json.stdout)) as Record<string, unknown>;
  assert.deepEqual(steps, [
    { depth: 0, key: "team", file: aliases, line: 2 },
    { depth: 1, key: "~alice", file: "~alice/.forward", line: 3 },
    { depth: 1, key: `:include:${list}`, file: aliases, line: 3 },
  ]);
  assert.deepEqual(destinations, [
    { address: "alice@home.example", stays: false, file: "~alice/.forward", line: 3 },
    { address: "dora@y.example", stays: false, file: list, line: 3 },
    { address: "eve@y.example", stays: false, file: list, line: 4 },
    { address: "bob@x.example", stays: false, file: aliases, line: 3 },
  ]);
});
