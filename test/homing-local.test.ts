// `homing local` as a newcomer uses it: npm start, the story, a message of one's own, Ctrl-C.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { freePort } from "./harness/free-port.ts";
import { homing, plainEnvironment, startHoming, watch } from "./harness/homing.ts";

const ROOT = resolve(import.meta.dirname, "..");
const END_OF_STORY = /Homing keeps running/;
const ESCAPE = "\u001b";
const COLOUR = new RegExp(`${ESCAPE}\\[`);
const TAG_IN_COLOUR = new RegExp(`SRS0=${ESCAPE}\\[35m[a-z2-7]{14}${ESCAPE}\\[39m=`);

/** In the order in which they must be told. */
const STORY = [
  /received +from bob@origin\.example for alice@forwarder\.example/,
  /alias +alice@forwarder\.example leads to alice@home\.example/,
  /before +bob@origin\.example/,
  /after +SRS0=[a-z2-7]{14}=[A-Z2-7]{2}=origin\.example=bob@forwarder\.example/,
  /delivered +to alice@home\.example/,
  /bounced +/,
  /received +from <> \(a bounce\) for SRS0=/,
  /verified +/,
  /unwrapped +the address holds bob@origin\.example/,
  /delivered +to bob@origin\.example/,
  END_OF_STORY,
];

test("npm start tells the whole story, then shows each further message, and Ctrl-C ends it", async () => {
  const port = await freePort();
  const child = spawn("npm", ["start", "--", "--port", String(port)], {
    cwd: ROOT,
    detached: true,
    env: plainEnvironment(),
  });
  await using local = watch(child);
  // Ctrl-C in a terminal reaches the whole group: npm, its shell and Homing.
  const interrupt = (): void => void process.kill(-local.pid, "SIGINT");
  try {
    await local.waitForOutput(END_OF_STORY);
    const text = local.stdout();
    const places = STORY.map((pattern) => text.search(pattern));
    assert.ok(!places.includes(-1), text);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      text,
    );
    assert.match(
      text,
      new RegExp(
        `npm exec --no -- homing send --server 127\\.0\\.0\\.1:${port} --to carol@forwarder\\.example`,
      ),
    );
    assert.doesNotMatch(text, COLOUR, "no terminal, no colours");

    const server = `127.0.0.1:${port}`;
    const sent = await homing([
      "send",
      "--server",
      server,
      "--from",
      "me@my.example",
      "--to",
      "carol@forwarder.example",
    ]);
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(
      String(sent.stdout),
      /→ RCPT TO:<carol@forwarder\.example>[\s\S]*← 250 2\.0\.0 <carol@forwarder\.example>: passed on/,
    );
    await local.waitForOutput(/received +from me@my\.example for carol@forwarder\.example/);
    await local.waitForOutput(/in the inbox +of carol@home\.example/);

    const refused = await homing([
      "send",
      "--server",
      server,
      "--from",
      "me@my.example",
      "--to",
      "nobody@forwarder.example",
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /refused the message: 550 5\.1\.1 /);
    await local.waitForOutput(/refused +me@my\.example → nobody@forwarder\.example: 550 5\.1\.1/);
  } finally {
    interrupt();
  }
  await local.waitForOutput(/Stopped\./);
});

test("an interrupt ends homing local with exit code 0", async () => {
  await using local = startHoming(["local", "--port", "0"]);
  await local.waitForOutput(END_OF_STORY);
  assert.equal(await local.stop("SIGINT"), 0);
  assert.equal(local.stderr(), "");
});

/**
 * What a terminal shows: script(1) gives the command one. Nothing but the terminal may speak for colours, so the
 * environment is made here: Node also judges by CI, NODE_DISABLE_COLORS, TEAMCITY_VERSION and more.
 */
async function onTerminal(env: Record<string, string>): Promise<string> {
  const argv = ["-qec", `${process.execPath} packages/cli/bin/homing.js local --port 0`, "/dev/null"];
  const { PATH, HOME, TMPDIR } = process.env;
  await using local = watch(
    spawn("script", argv, { cwd: ROOT, env: { PATH, HOME, TMPDIR, TERM: "xterm-256color", ...env } }),
  );
  await local.waitForOutput(END_OF_STORY);
  return local.stdout();
}

const noTerminal = process.platform !== "linux" && "needs script(1) of Linux";
test("on a terminal the SRS parts are coloured, and NO_COLOR switches that off", {
  skip: noTerminal,
}, async () => {
  assert.match(await onTerminal({}), TAG_IN_COLOUR);
  assert.doesNotMatch(await onTerminal({ NO_COLOR: "1" }), COLOUR);
});

test("with --json the story is one JSON object a line, and nothing else", async () => {
  await using local = startHoming(["local", "--port", "0", "--json"]);
  await local.waitForOutput(/("event":"answered"[\s\S]*){2}/);
  assert.equal(await local.stop("SIGINT"), 0);
  const events = local
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { event: string }).event);
  for (const event of [
    "listening",
    "received",
    "forwarded",
    "delivered",
    "bounced",
    "unwrapped",
    "arrived",
  ]) {
    assert.ok(events.includes(event), event);
  }
  assert.equal(local.stderr(), "");
});

for (const option of ["--port", "--http"]) {
  test(`a port of ${option} that is taken is one clear line that names the option`, async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    t.after(() => server.close());
    await new Promise((listening) => server.once("listening", listening));
    const address = server.address();
    assert.ok(typeof address === "object" && address);
    const ports = { "--port": "0", [option]: String(address.port) };
    const { code, stdout, stderr } = await homing(["local", ...Object.entries(ports).flat()]);
    assert.equal(code, 69);
    assert.equal(String(stdout), "");
    assert.match(
      stderr,
      new RegExp(
        `^homing: 127\\.0\\.0\\.1:${address.port} is taken by another program: [^\n]* ${option} ${address.port + 1}\\n$`,
      ),
    );
  });
}

const badKeys: [what: string, text: string, told: RegExp][] = [
  ["short", "guess me\n", /:1: the key has fewer than 22 characters, which can be guessed: /],
  ["not there", "# none yet\n", / holds no key: /],
];
for (const [what, text, told] of badKeys) {
  test(`a site key that is ${what} is refused, as homing serve does`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "homing-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "key");
    await writeFile(file, text, { mode: 0o600 });
    const argv = ["local", "--port", "0", "--http", "0", "--site-key-file", file];
    const { code, stderr } = await homing(argv);
    assert.equal(code, 78);
    assert.match(stderr, /^homing: --site-key-file: file of keys /);
    assert.match(stderr, told);
  });
}
