// Packs the site's part of on-behalf: the plug-in for nodemailer, in one file for ES modules and one for CommonJS, each with
// types. Nothing of the service is in it, and it depends on nothing. Called by pack.ts and by the test of the package.
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type BuildResult, buildSync } from "esbuild";
import { ENGINES, type Manifest, packStaged, ROOT, run } from "./stage.ts";

const SOURCE = join(ROOT, "packages/on-behalf");
/** What sites import; the rest is the service's. */
const ENTRY = "src/plugin/published.ts";
/** Each with its own folder: a package.json in it says what its files are, the types among them. */
const KINDS = [
  { folder: "esm", format: "esm", type: "module" },
  { folder: "cjs", format: "cjs", type: "commonjs" },
] as const;
/** tweetnacl asks for node:crypto by `require`, which ES modules have not. */
const REQUIRE =
  'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);';
/** Only for TypeScript: the import of the types has to lead somewhere at run time. */
const NOTHING = { esm: "export {};\n", cjs: '"use strict";\n' };

/** Gives the tarball's path. */
export function packOnBehalf(destination: string): string {
  return packStaged({ source: SOURCE, destination, manifest: publishedManifest, build });
}

function publishedManifest({ name, version, description, license }: Manifest): object {
  return {
    name,
    version,
    description,
    license,
    type: "module",
    // For tools that know no `exports`.
    main: "./dist/cjs/index.js",
    types: "./dist/cjs/index.d.ts",
    exports: {
      ".": entries("index"),
      "./nodemailer": entries("nodemailer"),
      "./package.json": "./package.json",
    },
    files: ["dist"],
    engines: ENGINES,
    sideEffects: false,
    peerDependencies: { nodemailer: ">=6.9 <11" },
    // `verifyProof` needs none.
    peerDependenciesMeta: { nodemailer: { optional: true } },
  };
}

function entries(file: string): object {
  const entry = (folder: string) => ({
    types: `./dist/${folder}/${file}.d.ts`,
    default: `./dist/${folder}/${file}.js`,
  });
  return { import: entry("esm"), require: entry("cjs") };
}

function build(dist: string): void {
  const types = join(dist, "types");
  run("tsc", ["-p", join(SOURCE, "tsconfig.build.json"), "--outDir", types]);
  const used = reachable(join(types, relative("src", ENTRY.replace(/\.ts$/, ".d.ts"))));
  for (const { folder, format, type } of KINDS) {
    const target = join(dist, folder);
    const bundle = buildSync({
      absWorkingDir: SOURCE,
      entryPoints: [ENTRY],
      outfile: join(target, "index.js"),
      bundle: true,
      platform: "node",
      target: "node20",
      format,
      banner: format === "esm" ? { js: REQUIRE } : {},
      metafile: true,
      logLevel: "error",
    });
    for (const file of used) writeTypes(file, join(target, relative(types, file)));
    writeFileSync(join(target, "index.d.ts"), 'export * from "./plugin/published.js";\n');
    cpSync(join(SOURCE, "augmentation/nodemailer.d.ts"), join(target, "nodemailer.d.ts"));
    writeFileSync(join(target, "nodemailer.js"), NOTHING[format]);
    writeFileSync(join(target, "package.json"), `${JSON.stringify({ type })}\n`);
    writeFileSync(join(dist, "THIRD-PARTY.txt"), licences(bundle));
  }
  rmSync(types, { recursive: true });
}

const IMPORT = /(?:from |import\()"(\.{1,2}\/[^"]+)\.ts"/g;

/** The file, and all that it imports: types of the service are made, too, and left behind. */
function reachable(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    reachable(join(dirname(file), `${path}.d.ts`), found);
  }
  return found;
}

/** Imported as the JavaScript that they describe. */
function writeTypes(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(
    to,
    readFileSync(from, "utf8").replace(IMPORT, (text) => text.replace(/\.ts"$/, '.js"')),
  );
}

/** Of each library that is in the bundle: their licences ask for it. */
function licences({ metafile }: BuildResult<{ metafile: true }>): string {
  const names = Object.keys(metafile.inputs).flatMap((file) => {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/[^@]*$/.exec(file) ?? [];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].sort().map(licenceOf).join("\n");
}

function licenceOf(name: string): string {
  const folder = join(ROOT, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
    license?: string;
  };
  const [file] = globSync(["LICENSE*", "LICENCE*", "readme*", "README*"], { cwd: folder });
  if (file === undefined || !existsSync(join(folder, file))) throw new Error(`${name}: no licence found`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8")}\n`;
}
