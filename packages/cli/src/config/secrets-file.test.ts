import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { checkStrength, readSecretsFile } from "./secrets-file.ts";

const STRONG = "k".repeat(22);

async function written(t: TestContext, text: string | Buffer, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "secrets");
  await writeFile(path, text);
  // Not with writeFile: there the umask has a say.
  await chmod(path, mode);
  return path;
}

const read: [what: string, text: string, secrets: string[]][] = [
  ["one secret", STRONG, [STRONG]],
  ["several, the newest first", "newest\nolder\noldest\n", ["newest", "older", "oldest"]],
  ["comments and empty lines", "# new\n\nnewest\n  # old\n\t\nolder\n\n", ["newest", "older"]],
  ["lines that end with CRLF", "# x\r\nnewest\r\n\r\nolder\r\n", ["newest", "older"]],
  ["blanks around secrets", "  newest \n\tolder\t\n", ["newest", "older"]],
  ["blanks inside a secret", "my old secret\n", ["my old secret"]],
  ["a # inside a secret", "a#b\n", ["a#b"]],
  ["a tab inside a secret", "a\tb\n", ["a\tb"]],
  ["letters beyond ASCII, in UTF-8", "schlüssel-鍵-😀\n", ["schlüssel-鍵-😀"]],
  ["control characters in a comment", "# \u0001\nnewest\n", ["newest"]],
  ["a byte order mark", `\ufeff${STRONG}\n`, [STRONG]],
];
for (const [what, text, secrets] of read) {
  test(`a secrets file may hold ${what}`, async (t) => {
    assert.deepEqual((await readSecretsFile(await written(t, text))).secrets, secrets);
  });
}

for (const mode of [0o600, 0o400, 0o640, 0o440, 0o700, 0o750]) {
  test(`mode ${mode.toString(8)} is accepted: nobody but the owner and the group reads it`, async (t) => {
    const { secrets } = await readSecretsFile(await written(t, STRONG, mode));
    assert.deepEqual(secrets, [STRONG]);
  });
}

for (const mode of [0o644, 0o604, 0o660, 0o620, 0o602, 0o601, 0o666, 0o777]) {
  test(`mode ${mode.toString(8)} is refused, with the command that mends it`, async (t) => {
    const path = await written(t, STRONG, mode);
    await assert.rejects(readSecretsFile(path), {
      reason: "config",
      message: `secrets file ${path} has mode 0${mode.toString(8)}: others can read or change it: run chmod 600 ${path}`,
    });
  });
}

for (const [what, text] of [
  ["nothing", ""],
  ["empty lines", "\n \r\n\t\n"],
  ["comments alone", "# a\n#b\n"],
] as const) {
  test(`a secrets file that holds ${what} holds no secret`, async (t) => {
    const path = await written(t, text);
    await assert.rejects(readSecretsFile(path), {
      reason: "config",
      message: `secrets file ${path} holds no secret: put one on a line, as from: openssl rand -base64 24`,
    });
  });
}

test("a secrets file that is not there is told so", async (t) => {
  const path = `${await written(t, STRONG)}-not`;
  await assert.rejects(readSecretsFile(path), {
    reason: "config",
    message: `secrets file ${path}: there is no such file`,
  });
});

test("a directory is no secrets file, whatever its mode", async (t) => {
  const path = `${await written(t, STRONG)}.d`;
  await mkdir(path, 0o700);
  await assert.rejects(readSecretsFile(path), {
    reason: "config",
    message: `secrets file ${path}: this is not a regular file: name the one that holds the secrets`,
  });
});

test("a named pipe is no secrets file, and nobody waits for who might write into it", async (t) => {
  const path = `${await written(t, STRONG)}.pipe`;
  execFileSync("mkfifo", ["-m", "600", path]);
  await assert.rejects(readSecretsFile(path), {
    reason: "config",
    message: `secrets file ${path}: this is not a regular file: name the one that holds the secrets`,
  });
});

const NEW_SECRET = "put a random one there, as from: openssl rand -base64 24";
const notText: [what: string, octets: readonly number[], line: number, why: string][] = [
  [
    "octets that begin no character",
    [0xff, 0xfe, 0xe6, 0x0a],
    1,
    "this line is not UTF-8: if it is a secret,",
  ],
  ["Latin-1", [0x61, 0x0a, 0xe9, 0xe8, 0xe7, 0x0a], 2, "this line is not UTF-8: if it is a secret,"],
  ["Latin-1 in a comment", [0x23, 0xe9, 0x0a, 0x61], 1, "this line is not UTF-8: if it is a secret,"],
  [
    "a character cut at the end",
    [0x61, 0x0a, 0x0a, 0x62, 0xc3],
    3,
    "this line is not UTF-8: if it is a secret,",
  ],
  ["an overlong form", [0xc1, 0xc2, 0x0a], 1, "this line is not UTF-8: if it is a secret,"],
  [
    "what a decoder leaves of them",
    [0x61, 0x0a, 0xef, 0xbf, 0xbd],
    2,
    "the secret holds a character that is no text:",
  ],
  ["NULs", Array(60_000).fill(0), 1, "the secret holds a character that is no text:"],
  ["a control character", [0x61, 0x0a, 0x62, 0x1b, 0x63], 2, "the secret holds a character that is no text:"],
  ["a lone CR", [0x61, 0x0d, 0x62, 0x0a], 1, "the secret holds a character that is no text:"],
  ["a C1 control", [0x61, 0xc2, 0x85, 0x62], 1, "the secret holds a character that is no text:"],
];
for (const [what, octets, line, why] of notText) {
  test(`a secrets file that holds ${what} is refused, since other octets would be the same secret or none`, async (t) => {
    const path = await written(t, Buffer.from(octets));
    await assert.rejects(readSecretsFile(path), {
      reason: "config",
      message: `secrets file ${path}:${line}: ${why} ${NEW_SECRET}`,
    });
  });
}

test("what cannot be read is the file's trouble and not a bug of ours", async () => {
  await assert.rejects(readSecretsFile("/proc/self/mem"), {
    reason: "config",
    message: /^secrets file \/proc\/self\/mem: EIO: /,
  });
});

test("a file that says it has no octets is read to the limit and no further", async (t) => {
  const child = spawn("sleep", ["60"], { env: { PATH: process.env.PATH, LONG: "x".repeat(70_000) } });
  t.after(() => child.kill());
  await once(child, "spawn");
  await assert.rejects(readSecretsFile(`/proc/${child.pid}/environ`), {
    reason: "config",
    message: /: larger than 64 KiB: not a secrets file: name the one with a secret on each line$/,
  });
});

test("a file of more than 64 KiB is no secrets file", async (t) => {
  const path = await written(t, `${STRONG}\n`.repeat(3000));
  await assert.rejects(readSecretsFile(path), {
    message: `secrets file ${path}: larger than 64 KiB: not a secrets file: name the one with a secret on each line`,
  });
});

test("a secrets file that this user may not read is a matter of permission", async (t) => {
  const path = await written(t, STRONG, 0o000);
  const script = `
    import { readSecretsFile } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "secrets-file.ts")).href)};
    const failure = await readSecretsFile(${JSON.stringify(path)}).catch((error) => error);
    console.log(failure.reason, failure.message);`;
  // Root may read everything, unless it gives that up.
  const giveUp = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  const [command = "", ...args] = [...giveUp, process.execPath, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(command, args);
  assert.equal(
    stdout,
    `permission secrets file ${path}: not allowed to this user: give it the right, or run as another user\n`,
  );
});

test("a secret below 22 characters is weak, and told by the line that it stands on", async (t) => {
  const path = await written(t, `# a comment\n\n${STRONG}\nweak\n${"k".repeat(21)}\n`);
  const file = await readSecretsFile(path);
  assert.deepEqual(file.weakLines, [4, 5]);
  assert.deepEqual(file.lines, [3, 4, 5]);
  assert.throws(() => checkStrength(file, path, { allowed: false }), {
    reason: "config",
    message:
      `secrets file ${path}:4: the secret has fewer than 22 characters, which can be guessed: ` +
      "put a random one there, as from: openssl rand -base64 24",
  });
});

test("secrets of 22 characters and more are strong", async (t) => {
  const path = await written(t, `${STRONG}\r\n${STRONG}x\r\n`);
  const file = await readSecretsFile(path);
  assert.deepEqual(file.weakLines, []);
  assert.deepEqual(checkStrength(file, path, { allowed: false }), []);
});

test("a weak secret that is allowed is a warning for each line; where it could be, the message says how", async (t) => {
  const path = await written(t, `weak\n${STRONG}\nshort\n`);
  const file = await readSecretsFile(path);
  assert.deepEqual(checkStrength(file, path, { allowed: true }), [
    `warning: ${path}:1: this secret is short and can be guessed`,
    `warning: ${path}:3: this secret is short and can be guessed`,
  ]);
  assert.throws(() => checkStrength(file, path, { allowed: false, remedy: "allow it" }), {
    message: /: openssl rand -base64 24, or allow it$/,
  });
});

test("no message shows a secret", async (t) => {
  const path = await written(t, "hunter2\n");
  const file = await readSecretsFile(path);
  assert.throws(
    () => checkStrength(file, path, { allowed: false }),
    (error: Error) => !error.message.includes("hunter2"),
  );
});
