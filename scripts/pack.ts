// Packs what is published: srs-core as plain ES modules and types, made from the sources; and the site's part of on-behalf.
// `npm run pack` [folder for the tarballs]
import { join, resolve } from "node:path";
import { packOnBehalf } from "./pack-on-behalf.ts";
import { ENGINES, type Manifest, packStaged, ROOT, run } from "./stage.ts";

const SOURCE = join(ROOT, "packages/srs-core");

/** Gives the tarball's path. */
export function packSrsCore(destination: string): string {
  return packStaged({
    source: SOURCE,
    destination,
    manifest: publishedManifest,
    build: (dist) => run("tsc", ["-p", join(SOURCE, "tsconfig.build.json"), "--outDir", dist]),
  });
}

function publishedManifest({ name, version, description, license, dependencies }: Manifest): object {
  return {
    name,
    version,
    description,
    license,
    type: "module",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    files: ["dist"],
    engines: ENGINES,
    sideEffects: false,
    dependencies,
  };
}

if (import.meta.main) {
  const destination = resolve(process.argv[2] ?? ".");
  process.stdout.write(`${packSrsCore(destination)}\n${packOnBehalf(destination)}\n`);
}
