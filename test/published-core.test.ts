// srs-core as others get it: packed, installed outside of this workspace, used by JavaScript and by TypeScript, and its
// README's examples run there.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { packSrsCore } from "../scripts/pack.ts";
import { run } from "./harness/command.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** All of them: npm would fetch those that these need, too. */
const LIBRARIES = ["base32-encode", "to-data-view", "tweetnacl"];
let folder = "";
let project = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "homing-"));
  project = join(folder, "project");
  await mkdir(project);
  await writeFile(
    join(project, "package.json"),
    '{ "name": "somebody-elses", "private": true, "type": "module" }\n',
  );
  // The libraries come from this workspace, so that the test asks no registry.
  const libraries = LIBRARIES.map((name) => join(ROOT, "node_modules", name));
  const tarball = packSrsCore(folder);
  const argv = ["npm", "install", "--offline", "--no-save", "--install-links", tarball, ...libraries];
  const { code, stderr } = await run(argv, { cwd: project, seconds: 60, env: environment() });
  assert.equal(code, 0, stderr);
});
after(() => rm(folder, { recursive: true, force: true }));

test("the package holds compiled modules, types, README and licence, and no tests", async () => {
  const { stdout } = await run(["tar", "-tzf", join(folder, "homing-srs-core-0.1.0.tgz")]);
  const files = String(stdout).trim().split("\n");
  for (const file of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]) {
    assert.ok(files.includes(`package/${file}`), file);
  }
  assert.deepEqual(
    files.filter((file) => /test|\.map$|(?<!\.d)\.ts$/.test(file)),
    [],
  );
});

test("the README says the same oldest Node as the package", async () => {
  const manifest = await readFile(join(project, "node_modules/@homing/srs-core/package.json"), "utf8");
  const { engines } = JSON.parse(manifest) as { engines: { node: string } };
  const readme = await readFile(join(ROOT, "packages/srs-core/README.md"), "utf8");
  const [, oldest] = /Node (\S+) or later/.exec(readme) ?? [];
  assert.equal(`>=${oldest}`, engines.node);
});

test("the README names every option and every scheme", async () => {
  const readme = await readFile(join(ROOT, "packages/srs-core/README.md"), "utf8");
  const types = await readFile(
    join(project, "node_modules/@homing/srs-core/dist/rewriter-options.d.ts"),
    "utf8",
  );
  const [, body = ""] = /interface RewriterOptions \{([\s\S]*?)\n\}/.exec(types) ?? [];
  const options = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name = ""]) => name);
  assert.ok(options.length > 10, body);
  for (const option of [...options, "exim"]) assert.ok(readme.includes(`\`${option}\``), option);
});

test("every example of the README prints what the README says", async () => {
  const text = await readFile(join(ROOT, "packages/srs-core/README.md"), "utf8");
  const examples = [...text.matchAll(/```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];
  assert.equal(examples.length, text.split("```js").length - 1, "an example without its output");
  assert.ok(examples.length >= 3);
  for (const [index, [, code = "", output]] of examples.entries()) {
    await writeFile(join(project, `example-${index}.js`), code);
    const { stdout, stderr } = await run([process.execPath, `example-${index}.js`], { cwd: project });
    assert.equal(String(stdout), output, stderr);
  }
});

test("a strict TypeScript program compiles against the types", async () => {
  const program = `import { createRewriter, NULL_PATH, type ReverseOutcome, type SenderStore } from "@homing/srs-core";
const store: SenderStore = { keep: () => true, find: () => undefined };
const rewriter = createRewriter({ secrets: ["s"], domain: "d.example", store });
const outcome: ReverseOutcome = rewriter.reverse({ localPart: "a", domain: "b" }, 0);
const text: string = outcome.ok ? outcome.address.localPart : outcome.reason;
if (rewriter.forward(NULL_PATH, 0).ok) console.log(text);
// @ts-expect-error an outcome must be taken apart
outcome.address;
`;
  await writeFile(join(project, "program.ts"), program);
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", ""];
  const { code, stdout } = await run([tsc, ...options, "--lib", "es2022,dom", "program.ts"], {
    cwd: project,
    env: environment(),
  });
  assert.equal(code, 0, String(stdout));
});

function environment(): Record<string, string> {
  const { PATH = "", HOME = folder } = process.env;
  return {
    PATH: `${join(ROOT, "node_modules/.bin")}:${PATH}`,
    HOME,
    npm_config_cache: join(folder, "cache"),
  };
}
