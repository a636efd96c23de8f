// Packs srs-core for publishing: plain ES modules and types, made from the sources. npm applies no `exports` of
// publishConfig, so the package is staged with a manifest of its own. `npm run pack` [folder for the tarball]
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const SOURCE = join(ROOT, "packages/srs-core");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Gives the tarball's path. */
export function packSrsCore(destination: string): string {
  const stage = join(destination, "stage");
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  run("tsc", ["-p", join(SOURCE, "tsconfig.build.json"), "--outDir", join(stage, "dist")]);
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
  cpSync(join(SOURCE, "README.md"), join(stage, "README.md"));
  cpSync(join(ROOT, "LICENSE"), join(stage, "LICENSE"));
  const packed = run("npm", ["pack", "--silent", "--json", "--pack-destination", destination, stage]);
  rmSync(stage, { recursive: true });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  return join(destination, filename);
}

function publishedManifest(): object {
  const source = JSON.parse(readFileSync(join(SOURCE, "package.json"), "utf8")) as Manifest;
  const { name, version, description, license, dependencies } = source;
  return {
    name,
    version,
    description,
    license,
    type: "module",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    files: ["dist"],
    engines: { node: ">=20.19" },
    sideEffects: false,
    dependencies,
  };
}

function run(command: string, args: readonly string[]): string {
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`;
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", env: { ...process.env, PATH: path } });
}

if (import.meta.main) {
  const destination = resolve(process.argv[2] ?? ".");
  process.stdout.write(`${packSrsCore(destination)}\n`);
}
