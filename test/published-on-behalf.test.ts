// The site's part of on-behalf as sites get it: packed, installed outside of this workspace, used by ES modules, CommonJS and
// TypeScript, with this Node and with the machine's; and the examples of its README and of docs/on-behalf.md run there.
import assert from "node:assert/strict";
import { accessSync, constants, realpathSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { packOnBehalf } from "../scripts/pack-on-behalf.ts";
import { run } from "./harness/command.ts";

const ROOT = resolve(import.meta.dirname, "..");
const README = join(ROOT, "packages/on-behalf/README.md");
/** With how many examples each has at least. */
const PAGES: readonly [page: string, examples: number][] = [
  ["packages/on-behalf/README.md", 4],
  ["docs/on-behalf.md", 1],
];
const SOURCES = join(ROOT, "packages/on-behalf/src");
/** This one, and the first that stands outside of a workspace: on machines of sites it is an older one. */
const NODES = [process.execPath, ...machinesNode()];
let folder = "";
let tarball = "";
let project = "";
let installed = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "homing-"));
  project = join(folder, "project");
  installed = join(project, "node_modules/@homing/on-behalf");
  await mkdir(project);
  await writeFile(
    join(project, "package.json"),
    '{ "name": "somebody-elses", "private": true, "type": "module" }\n',
  );
  tarball = packOnBehalf(folder);
  const argv = ["npm", "install", "--offline", "--no-save", tarball];
  const { code, stderr } = await run(argv, { cwd: project, seconds: 60, env: environment() });
  assert.equal(code, 0, stderr);
  await cp(join(ROOT, "node_modules/nodemailer"), join(project, "node_modules/nodemailer"), {
    recursive: true,
  });
  await writeFile(join(project, "srs-secrets"), "a secret of more than 22 characters\n", { mode: 0o600 });
});
after(() => rm(folder, { recursive: true, force: true }));

test("the package holds two modules with their types, README and licences, and nothing of the service", async () => {
  const files = (await readdir(installed, { recursive: true })).filter((file) => /\.\w+$|LICENSE/.test(file));
  for (const kind of ["esm", "cjs"]) {
    for (const file of ["index.js", "index.d.ts", "nodemailer.js", "nodemailer.d.ts", "package.json"]) {
      assert.ok(files.includes(`dist/${kind}/${file}`), `dist/${kind}/${file}`);
    }
  }
  for (const file of ["README.md", "LICENSE", "package.json", "dist/THIRD-PARTY.txt"]) {
    assert.ok(files.includes(file), file);
  }
  assert.deepEqual(
    files.filter((file) => /test|\.map$|(?<!\.d)\.ts$|messages|identities|tokens|sender/.test(file)),
    [],
  );
  for (const kind of ["esm", "cjs"]) {
    const code = await readFile(join(installed, `dist/${kind}/index.js`), "utf8");
    assert.doesNotMatch(code, /createOnBehalf|mail-composer|ob-nonce|ob-sent/);
    assert.equal(code.includes(ROOT), false, "it holds a path of this machine");
  }
});

test("the package depends on nothing, and on nodemailer 6.9 to 10 where it is there", async () => {
  const manifest = await manifestOf();
  assert.equal(manifest.dependencies, undefined);
  assert.deepEqual(manifest.peerDependencies, { nodemailer: ">=6.9 <11" });
  assert.deepEqual(manifest.peerDependenciesMeta, { nodemailer: { optional: true } });
  assert.deepEqual(await readdir(join(project, "node_modules/@homing")), ["on-behalf"]);
});

test("licences of all libraries inside stand in the package", async () => {
  const code = await readFile(join(installed, "dist/esm/index.js"), "utf8");
  const inside = new Set(
    [...code.matchAll(/^\/\/ .*node_modules\/([^/\n]+)\//gm)].map(([, name = ""]) => name),
  );
  assert.ok(inside.size > 0);
  const licences = await readFile(join(installed, "dist/THIRD-PARTY.txt"), "utf8");
  for (const name of inside) assert.match(licences, new RegExp(`^${name} \\d`, "m"));
});

test("the README says the same oldest Node as the package", async () => {
  const { engines } = await manifestOf();
  const [, oldest] = /Node (\S+) or later/.exec(await readFile(README, "utf8")) ?? [];
  assert.equal(`>=${oldest}`, engines.node);
});

test("the README names every option, every member of a user, and every code", async () => {
  const readme = await readFile(README, "utf8");
  const options = await readFile(join(SOURCES, "plugin/options.ts"), "utf8");
  const problems = await readFile(join(SOURCES, "plugin/plugin-problem.ts"), "utf8");
  const [, body = ""] = /interface OnBehalfPluginOptions \{([\s\S]*?)\n\}/.exec(options) ?? [];
  const names = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = ""]) => name);
  const members = [
    ...options.matchAll(
      /^ {2}readonly (address|name|confirmedAt|lastUsedAt|proof|id|site|scope|status|requestedAt|expires)\??:/gm,
    ),
  ];
  const [, codes = ""] = /type OnBehalfCode =([\s\S]*?);\n/.exec(problems) ?? [];
  const words = [...codes.matchAll(/"([a-z-]+)"/g)].map(([, word = ""]) => word);
  assert.ok(names.length > 9 && members.length > 10 && words.length > 12);
  for (const name of [...names, ...words]) assert.ok(readme.includes(`\`${name}\``), name);
  for (const [, member = ""] of members) assert.match(readme, new RegExp(`[{ ]${member}[,: }]`), member);
});

test("the pages install the tarball by its name", async () => {
  for (const [page] of PAGES) {
    const text = await readFile(join(ROOT, page), "utf8");
    assert.ok(text.includes(`npm install ./${basename(tarball)} nodemailer\n`), page);
  }
});

for (const node of NODES) {
  for (const [page, least] of PAGES) {
    test(`every example of ${page} prints what the page says, with ${node}`, async () => {
      const text = await readFile(join(ROOT, page), "utf8");
      const examples = [...text.matchAll(/```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];
      assert.equal(examples.length, text.split("```js").length - 1, "an example without its output");
      assert.ok(examples.length >= least);
      for (const [index, [, code = "", output = ""]] of examples.entries()) {
        await writeFile(join(project, `example-${index}.js`), code);
        const { stdout, stderr } = await run([node, `example-${index}.js`], { cwd: project });
        assert.equal(withoutTag(String(stdout)), withoutTag(output), stderr);
      }
    });
  }

  test(`CommonJS has the same names by require, with ${node}`, async () => {
    await writeFile(
      join(project, "names.cjs"),
      `const names = require("@homing/on-behalf");
require("@homing/on-behalf/nodemailer");
import("@homing/on-behalf").then((module) => {
  console.log(Object.keys(names).sort().join(), Object.keys(module).filter((name) => name !== "default").sort().join());
  const error = new names.OnBehalfError({ code: "unavailable", detail: "d", hint: "h" });
  console.log(error instanceof Error, error.name, error.message, require("@homing/on-behalf/package.json").version);
});\n`,
    );
    // Node could load an ES module by require, too: here it may not.
    const argv = [node, "--no-experimental-require-module", "names.cjs"];
    const { stdout, stderr } = await run(argv, { cwd: project });
    const names = "OnBehalfError,PROBLEMS,onBehalf,verifyProof";
    assert.equal(String(stdout), `${names} ${names}\ntrue OnBehalfError d: h 0.1.0\n`, stderr);
  });
}

const PROGRAM = `import nodemailer = require("nodemailer");
import { onBehalf, OnBehalfError, verifyProof, type OnBehalfOf, type OnBehalfCode, type UserIdentity } from "@homing/on-behalf";
import "@homing/on-behalf/nodemailer";
const transporter = nodemailer.createTransport({ host: "127.0.0.1", port: 25 });
transporter.use("compile", onBehalf({ secretsFile: "s", bounceDomain: "b.example", from: "a@b.example",
  isConfirmed: async (address) => address.length > 5, homing: undefined }));
const user: OnBehalfOf = { address: "alice@example.org", name: undefined, confirmedAt: new Date(0), lastUsedAt: null };
transporter.sendMail({ onBehalfOf: user, to: "bob@peer.example", subject: "s" }).catch((error: unknown) => {
  const code: OnBehalfCode | undefined = error instanceof OnBehalfError ? error.code : undefined;
  console.log(code);
});
transporter.sendMail({ onBehalfOf: "alice@example.org", to: "bob@peer.example" }, (error) => console.log(error));
transporter.sendMail({ onBehalfOf: { proof: "p", name: "Alice" } });
// @ts-expect-error a user is no number
transporter.sendMail({ onBehalfOf: 5 });
transporter.sendMail({ onBehalfOf: { proof: "p", address: "a@b.example" } });
declare const stored: UserIdentity;
transporter.sendMail({ onBehalfOf: { ...stored, name: "Alice" } });
transporter.sendMail({ onBehalfOf: { id: "i", site: "s", address: "a@b.example", scope: "user", status: "confirmed",
  requestedAt: 1, confirmedAt: 2, expires: new Date(0), revokedAt: null, proof: null } });
// @ts-expect-error an identity has an end
transporter.sendMail({ onBehalfOf: { address: "a@b.example", scope: "user", status: "confirmed", confirmedAt: 2 } });
// @ts-expect-error there is no such option
onBehalf({ secrets: ["s"], bounceDomain: "b.example", from: "a@b.example", maxRecipient: 5 });
const verified = verifyProof("p", { identityKeys: [], site: "s", now: 0 });
// @ts-expect-error an outcome must be taken apart
verified.address;
console.log(verified.ok ? verified.address : verified.reason);
`;
const KINDS = [
  ["CommonJS", "cts", ["--module", "nodenext"]],
  ["ES modules", "mts", ["--module", "nodenext"]],
  ["CommonJS as of Node 16", "cts", ["--module", "node16"]],
  ["ES modules for a bundler", "mts", ["--module", "esnext", "--moduleResolution", "bundler"]],
] as const;
const TYPES = [
  ["nodemailer 10", "nodemailer", undefined],
  ["nodemailer 7 and @types/nodemailer", "nodemailer-7", "@types/nodemailer"],
] as const;

for (const [version, library, types] of TYPES) {
  for (const [kind, extension, options] of KINDS) {
    test(`a strict TypeScript program with ${version} compiles, as ${kind}`, async (t) => {
      const place = await mkdtemp(join(folder, "types-"));
      t.after(() => rm(place, { recursive: true }));
      const modules = join(place, "node_modules");
      await mkdir(join(modules, "@types"), { recursive: true });
      await cp(installed, join(modules, "@homing/on-behalf"), { recursive: true });
      await cp(join(ROOT, "node_modules", library), join(modules, "nodemailer"), { recursive: true });
      if (types) await cp(join(ROOT, "node_modules", types), join(modules, types), { recursive: true });
      for (const one of ["@types/node", "undici-types"]) {
        await symlink(join(ROOT, "node_modules", one), join(modules, one));
      }
      const program = join(place, `program.${extension}`);
      const imported = PROGRAM.replace("import nodemailer = require(", "import nodemailer from ").replace(
        '"nodemailer");',
        '"nodemailer";',
      );
      await writeFile(program, extension === "cts" ? PROGRAM : imported);
      const tsc = join(ROOT, "node_modules/.bin/tsc");
      const argv = [
        tsc,
        "--noEmit",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--target",
        "es2022",
        "--types",
        "node",
      ];
      const { code, stdout } = await run([...argv, "--skipLibCheck", "false", ...options, program], {
        cwd: place,
        seconds: 60,
        env: environment(),
      });
      assert.equal(code, 0, String(stdout));
    });
  }
}

/** Every day has its own tag. */
function withoutTag(text: string): string {
  return text.replace(/SRS0=[a-z2-7]{14}=[A-Z2-7]{2}=/g, "SRS0=TAG=DAY=");
}

async function manifestOf(): Promise<Record<string, unknown> & { engines: { node: string } }> {
  return JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as never;
}

function machinesNode(): string[] {
  for (const place of ["/usr/local/bin", ...(process.env.PATH ?? "").split(":")]) {
    const node = join(place, "node");
    try {
      accessSync(node, constants.X_OK);
    } catch {
      continue;
    }
    const real = realpathSync(node);
    if (!real.includes("node_modules") && real !== realpathSync(process.execPath)) return [node];
  }
  return [];
}

function environment(): Record<string, string> {
  const { PATH = "", HOME = folder } = process.env;
  return {
    PATH: `${join(ROOT, "node_modules/.bin")}:${PATH}`,
    HOME,
    npm_config_cache: join(folder, "cache"),
  };
}
