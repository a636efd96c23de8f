// `homing users`: the file that it keeps, and what the service reads in it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseUsersFile, verifyPassword } from "@homing/forwarder";
import { type CommandResult, SYSTEM_PATH } from "./harness/command.ts";
import { homing, MAIN, plainEnvironment, watch } from "./harness/homing.ts";

async function newFile(t: TestContext, text?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "users");
  if (text !== undefined) await writeFile(file, text, { mode: 0o600 });
  return file;
}

function users(argv: readonly string[], password = ""): Promise<CommandResult> {
  return homing(["users", ...argv], { input: password });
}

test("a user who is set can log in, with a file that nobody else reads", async (t) => {
  const file = await newFile(t);
  const argv = ["set", file, "ann", "--address", "Ann@home.example", "--address", "*@ann.example"];
  const { code, stdout, stderr } = await users(argv, "correct horse\n");
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(String(stdout), /horse|scrypt/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const text = await readFile(file, "utf8");
  assert.match(
    text,
    /^ann:\$scrypt\$ln=15,r=8,p=\d\$[\w+/]{22}\$[\w+/]{43}:Ann@home\.example,\*@ann\.example\n$/,
  );
  const parsed = parseUsersFile(text);
  assert.ok(parsed.ok);
  const hash = parsed.users.get("ann")?.hash;
  assert.ok(
    hash && (await verifyPassword("correct horse", hash)) && !(await verifyPassword("correct", hash)),
  );
  assert.equal((await users(["check", file, "ANN"], "correct horse\n")).code, 0);
  const wrong = await users(["check", file, "ann", "--json"], "correct horses\n");
  assert.equal(wrong.code, 1);
  assert.equal((JSON.parse(String(wrong.stdout)) as { reason: string }).reason, "wrong-password");
});

const HASH = `$scrypt$ln=15,r=8,p=3$${"A".repeat(22)}$${"B".repeat(42)}A`;
const FILE = `# people\nann:${HASH}:ann@home.example,*@Ann.example\n\n# more\nbob:${HASH}:bob@home.example\n`;

test("a new password leaves name, addresses, comments and all others as they are", async (t) => {
  const file = await newFile(t, FILE);
  await chmod(file, 0o640);
  assert.equal((await users(["set", file, "ANN"], "another password")).code, 0);
  const text = await readFile(file, "utf8");
  assert.equal(text.replace(/^ann:\S+?:/m, `ann:${HASH}:`), FILE);
  assert.notEqual(text, FILE);
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.equal((await users(["set", file, "bob", "--address", "b@b.example"], "another password")).code, 0);
  assert.match(await readFile(file, "utf8"), /^bob:\S+:b@b\.example$/m);
});

test("list shows who there is, and remove takes one line out", async (t) => {
  const file = await newFile(t, FILE);
  const { stdout } = await users(["list", file, "--json"]);
  assert.deepEqual(JSON.parse(String(stdout)), {
    ok: true,
    file,
    users: [
      { name: "ann", addresses: ["ann@home.example", "*@Ann.example"], line: 2, hasPassword: true },
      { name: "bob", addresses: ["bob@home.example"], line: 5, hasPassword: true },
    ],
  });
  assert.equal((await users(["remove", file, "Ann"])).code, 0);
  assert.equal(await readFile(file, "utf8"), FILE.replace(/^ann:.*\n/m, ""));
  assert.equal((await users(["remove", file, "ann"])).code, 1);
});

const mistakes: readonly [
  what: string,
  argv: readonly string[],
  password: string,
  code: number,
  words: RegExp,
][] = [
  ["a short password", ["set", "FILE", "ann"], "1234567\n", 2, /fewer than 8 characters/],
  ["no password", ["set", "FILE", "ann"], "", 2, /fewer than 8 characters/],
  ["a password without end", ["set", "FILE", "ann"], "x".repeat(5000), 2, /1024 octets/],
  ["a NUL in a password", ["set", "FILE", "ann"], "12345678\0\n", 2, /control character/],
  ["a new user without an address", ["set", "FILE", "eve"], "long enough\n", 2, /--address/],
  [
    "an address that is none",
    ["set", "FILE", "eve", "--address", "eve"],
    "long enough\n",
    2,
    /--address eve/,
  ],
  ["two addresses in one", ["set", "FILE", "eve", "--address", "a@a.example,b@b.example"], "", 2, /comma/],
  ["a name that would end the part", ["set", "FILE", "e:ve", "--address", "a@a.example"], "", 2, /colon/],
  [
    "a name that would end the line",
    ["set", "FILE", "e\nroot", "--address", "a@a.example"],
    "",
    2,
    /control/,
  ],
  ["a file that is not there", ["list", "/nowhere/users"], "", 78, /no such file/],
  [
    "a folder that is not there",
    ["set", "/nowhere/users", "eve", "--address", "a@a.example"],
    "long enough\n",
    78,
    /no such folder/,
  ],
];

for (const [what, argv, password, code, words] of mistakes) {
  test(`${what} changes nothing`, async (t) => {
    const file = await newFile(t, FILE);
    const result = await users(
      argv.map((word) => (word === "FILE" ? file : word)),
      password,
    );
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, words);
    assert.equal(await readFile(file, "utf8"), FILE);
    assert.deepEqual(await readdir(join(file, "..")), ["users"]);
  });
}

test("a file that others can read, or that the service would not take, is refused with its places", async (t) => {
  const file = await newFile(t, "ann:plain:ann@home.example\nbob\n");
  const { code, stderr } = await users(["list", file]);
  assert.equal(code, 78);
  assert.match(stderr, /users:1:5 .*\n.*users:2:1 /);
  assert.doesNotMatch(stderr, /plain:/);
  await writeFile(file, FILE);
  await chmod(file, 0o644);
  assert.match((await users(["list", file])).stderr, /chmod 600/);
});

test("two changes at a time: the second waits for nobody, and says so", async (t) => {
  const file = await newFile(t, FILE);
  await writeFile(`${file}.new`, "");
  const { code, stderr } = await users(["remove", file, "ann"]);
  assert.equal(code, 75);
  assert.match(stderr, /another change is being made/);
  assert.equal(await readFile(file, "utf8"), FILE);
});

/** At a terminal: each answer is typed when its question is there. */
async function typed(file: string, answers: readonly [question: RegExp, keys: string][]): Promise<string> {
  const command = [process.execPath, MAIN, "users", "set", file, "ann"].join(" ");
  const env = { ...plainEnvironment(), PATH: SYSTEM_PATH };
  const child = spawn("script", ["-qec", command, "/dev/null"], { env });
  const ended = once(child, "close");
  await using terminal = watch(child);
  for (const [question, keys] of answers) {
    await terminal.waitForOutput(question);
    child.stdin.write(keys);
  }
  await ended;
  return terminal.stdout();
}

test("at a terminal the password is typed twice, and not shown", async (t) => {
  const file = await newFile(t, FILE);
  const shown = await typed(file, [
    [/New password of ann: $/, "Xong phrasx\x7fe\r"],
    [/Once more: $/, "Xong phrase\r"],
  ]);
  assert.doesNotMatch(shown, /phras/);
  assert.equal((await users(["check", file, "ann"], "Xong phrase")).code, 0);
});

test("at a terminal two passwords that differ, or Ctrl-C, change nothing", async (t) => {
  const file = await newFile(t, FILE);
  const differ = await typed(file, [
    [/New password of ann: $/, "long phrase\r"],
    [/Once more: $/, "long phrases\r"],
  ]);
  assert.match(differ, /differ/);
  assert.match(await typed(file, [[/New password of ann: $/, "long\x03"]]), /given up/);
  assert.equal(await readFile(file, "utf8"), FILE);
});
