import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ConfigProblem, problemsOf } from "../config/config-problem.ts";
import { parseConfig } from "../config/load-config.ts";
import { CommandFailure } from "../failure.ts";
import { readUsers } from "./read-users.ts";

const HASH = `$scrypt$ln=15,r=8,p=3$MDEyMzQ1Njc4OWFiY2RlZg$${"A".repeat(43)}`;
const DOVECOT = "\n  dovecotSocket: /run/dovecot/auth-client";

async function told(
  t: TestContext,
  { users, dovecot = false }: { users: string; dovecot?: boolean },
): Promise<readonly ConfigProblem[]> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "users"), users, { mode: 0o600 });
  const config = parseConfig(
    `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs: { domain: srs.ours.test, secretsFile: secrets }
tls: { certificateFile: a, keyFile: b }
http: { publicUrl: "https://mx.ours.test" }
stateDirectory: state
onBehalf:
  keysFile: links
  sites:
    cards: { title: Cards, from: cards@site.test, bounceDomain: bounce.site.test, keysFile: cards.keys }
submission:
  listen: 127.0.0.1:587
  usersFile: users${dovecot ? DOVECOT : ""}
`,
    "homing.yaml",
  );
  try {
    await readUsers(config, join(folder, "homing.yaml"));
    return [];
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return problemsOf(error).map((problem) => ({
      ...problem,
      file: problem.file?.slice(folder.length + 1) ?? "",
    }));
  }
}

test("people with hashes are good without Dovecot, and without hashes beside it", async (t) => {
  assert.deepEqual(await told(t, { users: `ann:${HASH}:ann@home.test\n` }), []);
  assert.deepEqual(await told(t, { users: "ann::ann@home.test\n", dovecot: true }), []);
});

test("an empty hash without Dovecot is a mistake with its place: nobody could ever log in", async (t) => {
  assert.deepEqual(await told(t, { users: "# people\nann::ann@home.test\n" }), [
    { file: "users", line: 2, column: 5, message: "the hash is missing: set a password with homing users" },
  ]);
});

test("a hash beside Dovecot is a mistake with its place: it counts for nothing", async (t) => {
  const [problem] = await told(t, { users: `ann:${HASH}:ann@home.test\n`, dovecot: true });
  assert.deepEqual([problem?.file, problem?.line, problem?.column], ["users", 1, 5]);
  assert.match(problem?.message ?? "", /Dovecot knows the passwords/);
});

test("a person named like a site, in whatever letters, is a mistake with its place", async (t) => {
  assert.deepEqual(await told(t, { users: `ann:${HASH}:ann@home.test\nCards:${HASH}:c@home.test\n` }), [
    {
      ...{ file: "users", line: 2, column: 1 },
      message: "Cards is a site of onBehalf, which logs in by this name: give the person another one",
    },
  ]);
});
