// The shape of the code, checked: which package may import which, and that each mail library stands behind one file.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

/** What each package may import of ours. Nothing points the other way. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "srs-core": [],
  mail: ["srs-core"],
  "bounce-handler": ["srs-core", "mail"],
  spf: [],
  forwarder: ["srs-core", "mail", "bounce-handler", "spf"],
  "mta-adapters": ["srs-core", "mail", "bounce-handler", "spf"],
  "on-behalf": ["srs-core", "mail"],
  http: ["srs-core", "mail", "bounce-handler", "forwarder", "spf", "on-behalf"],
  cli: ["srs-core", "mail", "bounce-handler", "forwarder", "http", "spf", "mta-adapters", "on-behalf"],
};

/**
 * Parts of a package that may be imported alone, for commands that need no more: some start for every message, and each module
 * costs a start a millisecond. Each says in its file what it is for; test/start-weight.test.ts has what it spares.
 */
const ENTRANCES = [
  "@homing/bounce-handler/gate",
  "@homing/forwarder/bounded-lines",
  "@homing/forwarder/dns",
  "@homing/forwarder/dot-forward",
  "@homing/forwarder/host-port",
  "@homing/forwarder/settings",
  "@homing/forwarder/submit",
  "@homing/forwarder/tables",
  "@homing/forwarder/trust",
  "@homing/forwarder/users",
  "@homing/mta-adapters/import",
  "@homing/mta-adapters/pipe",
  "@homing/mta-adapters/spfquery",
  "@homing/on-behalf/site",
  "@homing/spf/actions",
  "@homing/spf/records",
];

/** Libraries, and parts of one, whose shapes must not travel. */
const ONE_FILE_EACH: Readonly<Record<string, string>> = {
  "smtp-server": "packages/forwarder/src/smtp-in/library.ts",
  "nodemailer/lib/smtp-connection": "packages/forwarder/src/smtp-out.ts",
  "nodemailer/lib/mail-composer": "packages/on-behalf/src/messages/compose-mail.ts",
  mailauth: "packages/forwarder/src/authenticate.ts",
};

/** Classes that extend the library's. */
const SMTP_IN = "packages/forwarder/src/smtp-in/";

/** Libraries that stay inside one package. */
const ONE_PACKAGE_EACH: Readonly<Record<string, string>> = { hono: "http", "@hono/node-server": "http" };

/** Packages without I/O, clock, environment, randomness or log: they get these as arguments. */
const PURE = ["srs-core", "mail", "spf"];
const PURE_BUILTINS = ["node:crypto", "node:net", "node:url"];
const IMPURE =
  /(?<![.\w])process\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bconsole\b|\bsetTimeout\b|\brandomBytes\b|\bconnect\(/;

/** The plug-in runs in programs of others, which have no command line of ours. */
const PLUG_IN_WORLD = "packages/on-behalf/src/plugin/world.ts";

/** The places of the clock, of DNS and of randomness. */
const ONE_PLACE: readonly [what: string, pattern: RegExp, files: readonly string[]][] = [
  ["the clock", /\bDate\.now\b/, ["packages/cli/src/time.ts", PLUG_IN_WORLD]],
  ["DNS", /from "node:dns/, ["packages/forwarder/src/dns/c-ares.ts", PLUG_IN_WORLD]],
  ["randomness", /\bMath\.random\b|\brandomBytes\b/, ["packages/cli/src/system-world.ts", PLUG_IN_WORLD]],
];

interface Source {
  readonly file: string;
  readonly package: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: Source[] = globSync("packages/*/src/**/*.ts", { cwd: ROOT })
  .filter((file) => !file.endsWith(".test.ts") && !file.includes("/testing/"))
  .map((file) => {
    const text = readFileSync(resolve(ROOT, file), "utf8");
    const imports = [...text.matchAll(/(?:\bfrom |\bimport\(|^import |\basCommonJs\(\s*)"([^"]+)"/gm)].map(
      (match) => match[1] ?? "",
    );
    return { file, package: file.split("/")[1] ?? "", text, imports };
  });

test("there is something to check, and every package has its row", () => {
  assert.ok(sources.length > 30);
  assert.ok(sources.reduce((sum, source) => sum + source.imports.length, 0) > 100);
  assert.deepEqual([...new Set(sources.map((source) => source.package))].sort(), Object.keys(ARROWS).sort());
});

for (const [name, allowed] of Object.entries(ARROWS)) {
  test(`${name} imports of ours only ${allowed.join(", ") || "nothing"}, and declares what it imports`, () => {
    const manifest = JSON.parse(readFileSync(resolve(ROOT, "packages", name, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    const declared = Object.keys(manifest.dependencies ?? {});
    const used = new Set<string>();
    for (const source of sources.filter((one) => one.package === name)) {
      for (const specifier of source.imports.filter((one) => !one.startsWith(".") && !isBuiltin(one))) {
        const library = libraryName(specifier);
        used.add(library);
        if (library.startsWith("@homing/")) {
          assert.ok(
            allowed.includes(library.slice("@homing/".length)),
            `${source.file} imports ${specifier}`,
          );
          const isEntrance = specifier === library || ENTRANCES.includes(specifier);
          assert.ok(isEntrance, `${source.file} reaches into ${library}`);
        }
      }
    }
    assert.deepEqual([...used].sort(), declared.sort(), "imported and declared dependencies differ");
  });
}

test("relative imports stay inside their package", () => {
  for (const source of sources) {
    for (const specifier of source.imports.filter((one) => one.startsWith("."))) {
      const target = relative(ROOT, resolve(ROOT, dirname(source.file), specifier));
      assert.ok(target.startsWith(`packages/${source.package}/src/`), `${source.file} imports ${specifier}`);
    }
  }
});

test("what extends smtp-server is seen by smtp-in.ts alone", () => {
  const users = sources.filter(({ file, imports }) => {
    const targets = imports.filter((one) => one.startsWith(".")).map((one) => join(dirname(file), one));
    return !file.startsWith(SMTP_IN) && targets.some((one) => one.startsWith(SMTP_IN));
  });
  assert.deepEqual(
    users.map(({ file }) => file),
    ["packages/forwarder/src/smtp-in.ts"],
  );
});

for (const [library, only] of Object.entries(ONE_FILE_EACH)) {
  test(`${library} is imported by ${only} alone`, () => {
    const isIt = (one: string): boolean => one === library || one.startsWith(`${library}/`);
    const users = sources.filter((source) => source.imports.some(isIt));
    assert.deepEqual(
      users.map((source) => source.file),
      [only],
    );
  });
}

test("of a library that stands behind files, no other part is imported", () => {
  const whole = new Set(Object.keys(ONE_FILE_EACH).map(libraryName));
  const parts = sources.flatMap(({ imports }) => imports.filter((one) => whole.has(libraryName(one))));
  const isListed = (one: string): boolean =>
    Object.keys(ONE_FILE_EACH).some((part) => one === part || one.startsWith(`${part}/`));
  assert.deepEqual(
    parts.filter((one) => !isListed(one)),
    [],
  );
});

for (const [library, only] of Object.entries(ONE_PACKAGE_EACH)) {
  test(`${library} is imported in packages/${only} alone`, () => {
    const users = sources.filter((source) => source.imports.some((one) => libraryName(one) === library));
    assert.deepEqual([...new Set(users.map((source) => source.package))], [only]);
  });
}

for (const name of PURE) {
  test(`${name} is pure`, () => {
    for (const source of sources.filter((one) => one.package === name)) {
      const code = source.text.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
      assert.doesNotMatch(code, IMPURE, source.file);
      const builtins = source.imports.filter(isBuiltin);
      for (const builtin of builtins)
        assert.ok(PURE_BUILTINS.includes(builtin), `${source.file} imports ${builtin}`);
    }
  });
}

for (const [what, pattern, files] of ONE_PLACE) {
  test(`${what} is read in ${files.join(", ")} alone`, () => {
    const users = sources.filter((source) => pattern.test(source.text)).map((source) => source.file);
    assert.deepEqual(users.sort(), [...files].sort());
  });
}

test("versions are exact, and the lockfile names no host", () => {
  for (const file of ["package.json", ...globSync("packages/*/package.json", { cwd: ROOT })]) {
    const manifest = JSON.parse(readFileSync(resolve(ROOT, file), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        // Of one library that is tested in several versions, each has a name of its own.
        assert.match(version, /^(?:npm:[a-z-]+@)?\d+\.\d+\.\d+$/, `${file}: ${name}`);
      }
    }
  }
  assert.doesNotMatch(readFileSync(resolve(ROOT, "package-lock.json"), "utf8"), /"resolved": "https?:/);
});

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

function libraryName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
