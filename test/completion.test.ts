// Completion in real shells: the script is loaded, and the shell's own answer is looked at.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { run } from "./harness/command.ts";
import { homing } from "./harness/homing.ts";
import { type Instance, startInstance } from "./harness/instance.ts";

const folder = await mkdtemp(join(tmpdir(), "homing-"));
test.after(() => rm(folder, { recursive: true, force: true }));
await writeFile(join(folder, "my secrets"), "");
await writeFile(join(folder, "message.eml"), "");

await writeFile(join(folder, "_bash"), (await homing(["completion", "bash"])).stdout);

const hasBash = (await run(["/bin/sh", "-c", "command -v bash"])).code === 0;

const offers: [line: string, words: string[]][] = [
  ["homing f", ["forge"]],
  ["homing se", ["serve", "send", "secrets", "sendmail"]],
  ["homing secrets ", ["new", "rotate", "check", "help"]],
  ["homing secrets rotate my", ["my secrets"]],
  ["homing forge --se", ["--secrets", "--separator"]],
  ["homing forge --scheme ", ["strong", "classic"]],
  ["homing forge --scheme c", ["classic"]],
  ["homing forge --scheme = c", ["classic"]],
  ["homing forge x@y.example --secrets my", ["my secrets"]],
  ["homing forge --domain ", []],
  ["homing forge --domain secrets --max", []],
  ["homing reverse --max", ["--max-age-days"]],
  ["homing send --to forge mess", ["message.eml"]],
  ["homing completion ", ["bash", "zsh", "fish"]],
  ["homing frobnicate --", ["--version", "--help"]],
];
for (const [line, words] of offers) {
  test(`bash offers ${words.join(", ") || "nothing"} for: ${line}`, {
    skip: !hasBash && "no bash",
  }, async () => {
    // What bash does at the tab key; "--scheme=c" comes to it as three words.
    const script = `source _bash
COMP_WORDS=(${line}${line.endsWith(" ") ? ' ""' : ""})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
[[ $(complete -p homing) == "complete -F _homing homing" ]] || exit 1
_homing
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { code, stdout, stderr } = await run(["bash", "--norc", "-c", script], { cwd: folder });
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.deepEqual(
      String(stdout)
        .split("\n")
        .filter((word) => word !== ""),
      words,
    );
  });
}

/** A shell from Debian's package, in an instance where its script is /etc/homing-completion. */
async function shellInstance(shell: string): Promise<Instance> {
  const script = String((await homing(["completion", shell])).stdout);
  const files = { "/etc/homing-completion": script };
  return startInstance({ packageName: shell, command: ["sleep", "60"], files, log: "output" });
}

const zshSkip = (await storiesNeed("zsh")) ?? false;
test("zsh reads its script", { skip: zshSkip }, async () => {
  await using instance = await shellInstance("zsh");
  const { code, stderr } = await instance.run(["zsh", "-n", "/etc/homing-completion"]);
  assert.deepEqual([code, stderr], [0, ""]);
});

const fishSkip = (await storiesNeed("fish")) ?? false;
test("fish offers commands, options and choices", { skip: fishSkip }, async () => {
  await using instance = await shellInstance("fish");
  for (const [line, word] of [
    ["homing for", "forge"],
    ["homing secrets ro", "rotate"],
    ["homing forge --scheme cl", "classic"],
    ["homing reverse --max", "--max-age-days"],
  ]) {
    const script = `source /etc/homing-completion; complete -C '${line}'`;
    const { stdout, stderr } = await instance.run(["fish", "--no-config", "-c", script]);
    assert.match(String(stdout), new RegExp(`^${word}\\t`, "m"), stderr);
  }
});

test("every command and option of --help is in every script", async () => {
  const help = String((await homing(["forge", "--help"])).stdout);
  const options = [...help.matchAll(/ --([a-z-]+)/g)].map(([, name = ""]) => name);
  assert.ok(options.length > 5);
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = String((await homing(["completion", shell])).stdout);
    for (const option of options) assert.ok(script.includes(option), `${shell}: ${option}`);
  }
});

test("a shell that is not known is a usage error", async () => {
  const { code, stderr } = await homing(["completion", "tcsh"]);
  assert.equal(code, 2);
  assert.match(stderr, /Allowed choices are bash, zsh, fish/);
});
