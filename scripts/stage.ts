// A package as it is published: staged in a folder with a manifest of its own, because npm applies no `exports` of
// publishConfig, and packed there. Called by the pack scripts.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
/** The oldest Node that the packages are tested with. */
export const ENGINES = { node: ">=20.19" };

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface Packing {
  /** Folder of the package. */
  readonly source: string;
  /** Of the tarball. */
  readonly destination: string;
  readonly manifest: (source: Manifest) => object;
  /** Writes the folder `dist`. */
  readonly build: (dist: string) => void;
}

/** Gives the tarball's path. */
export function packStaged({ source, destination, manifest, build }: Packing): string {
  const stage = join(destination, "stage");
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  build(join(stage, "dist"));
  const own = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as Manifest;
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest(own), null, 2)}\n`);
  cpSync(join(source, "README.md"), join(stage, "README.md"));
  cpSync(join(ROOT, "LICENSE"), join(stage, "LICENSE"));
  const packed = run("npm", ["pack", "--silent", "--json", "--pack-destination", destination, stage]);
  rmSync(stage, { recursive: true });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  return join(destination, filename);
}

export function run(command: string, args: readonly string[]): string {
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`;
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", env: { ...process.env, PATH: path } });
}
