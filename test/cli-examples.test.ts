// The examples of docs/cli.md: every command of a `console` block is run, with the files that the page shows, and must
// print what the page says.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { homing } from "./harness/homing.ts";

const page = await readFile(resolve(import.meta.dirname, "../docs/cli.md"), "utf8");
const blocks = [...page.matchAll(/^```(file|console) ?(\S*)\n([\s\S]*?)^```$/gm)].map(
  ([, kind = "", name = "", text = ""]) => ({ kind, name, text }),
);

interface Example {
  readonly command: string;
  readonly output: string;
}

const examples: Example[] = blocks
  .filter(({ kind }) => kind === "console")
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((text) => ({
    command: text.slice(0, text.indexOf("\n")),
    output: text.slice(text.indexOf("\n") + 1),
  }));

test("the page has examples", () => {
  assert.ok(examples.length >= 10);
});

for (const { command, output } of examples) {
  test(`docs/cli.md: ${command}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "homing-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    for (const { kind, name, text } of blocks) {
      if (kind === "file") await writeFile(join(folder, name), text, { mode: 0o600 });
    }
    const [line = "", input] = command.split(" < ");
    const [program, ...args] = line.split(" ");
    assert.equal(program, "homing");
    const stdin = input === undefined ? "" : await readFile(join(folder, input), "utf8");
    const { stdout } = await homing(args, { cwd: folder, input: stdin });
    assert.equal(String(stdout), output);
  });
}
