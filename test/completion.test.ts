// Completion in real shells: the script is loaded, and the shell's own answer is looked at.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run, SYSTEM_PATH } from "./harness/command.ts";
import { homing } from "./harness/homing.ts";

const folder = await mkdtemp(join(tmpdir(), "homing-"));
test.after(() => rm(folder, { recursive: true, force: true }));
await writeFile(join(folder, "my secrets"), "");
await writeFile(join(folder, "message.eml"), "");

for (const shell of ["bash", "zsh", "fish"]) {
  await writeFile(join(folder, `_${shell}`), (await homing(["completion", shell])).stdout);
}

const HAS = { bash: await has("bash"), zsh: await has("zsh"), fish: await has("fish") };

async function has(shell: string): Promise<boolean> {
  const env = { PATH: SYSTEM_PATH };
  return (await run(["/bin/sh", "-c", `command -v ${shell}`], { env })).code === 0;
}

const offers: [line: string, words: string[]][] = [
  ["homing f", ["forge"]],
  ["homing se", ["serve", "send", "secrets"]],
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
    skip: !HAS.bash && "no bash",
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

test("zsh reads its script", { skip: !HAS.zsh && "no zsh" }, async () => {
  const { code, stderr } = await run(["zsh", "-n", "_zsh"], { cwd: folder });
  assert.deepEqual([code, stderr], [0, ""]);
});

test("fish offers commands, options and choices", { skip: !HAS.fish && "no fish" }, async () => {
  for (const [line, word] of [
    ["homing for", "forge"],
    ["homing secrets ro", "rotate"],
    ["homing forge --scheme cl", "classic"],
    ["homing reverse --max", "--max-age-days"],
  ]) {
    const { stdout } = await run(["fish", "--no-config", "-c", `source _fish; complete -C '${line}'`], {
      cwd: folder,
    });
    assert.match(String(stdout), new RegExp(`^${word}\\t`, "m"));
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
