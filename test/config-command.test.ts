// `homing config check` and `homing config show`, as an operator runs them before a reload.
import assert from "node:assert/strict";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  homing,
  homingUnprivileged,
  type ServiceOptions,
  startHoming,
  writeServiceFiles,
} from "./harness/homing.ts";

const SECRET = "v3ry-s3cret-and-long-enough";
const CONFIG = `hostname: mx.forwarder.example
domains: [forwarder.example]
aliasesFile: aliases
srs:
  domain: forwarder.example
  secretsFile: secrets
`;

/** Where a test says nothing of `dkim`, nobody signs, and that is meant. */
function files(t: TestContext, { config = CONFIG, ...more }: Partial<ServiceOptions> = {}): Promise<string> {
  return filesAsTheyAre(t, {
    ...more,
    config: /^dkim:/m.test(config) ? config : `${config}dkim: unsigned\n`,
  });
}

async function filesAsTheyAre(t: TestContext, options: Partial<ServiceOptions>): Promise<string> {
  const defaults = { config: CONFIG, aliases: "postmaster: a@home.example\n", secret: SECRET };
  const path = await writeServiceFiles({ ...defaults, ...options });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  return path;
}

test("config check says in one line that a configuration is good", async (t) => {
  const path = await files(t);
  const { code, stdout, stderr } = await homing(["config", "check", "--config", path]);
  assert.equal(stderr, "");
  assert.equal(
    String(stdout),
    `${path} and the files that it names are good: mx.forwarder.example forwards for 1 domain, SRS domain forwarder.example\n`,
  );
  assert.equal(code, 0);
  const json = await homing(["config", "check", "--config", path, "--json"]);
  assert.deepEqual(JSON.parse(String(json.stdout)), { ok: true, file: path, warnings: [] });
  assert.equal(json.code, 0);
});

test("config check tells warnings, and is content", async (t) => {
  const path = await files(t, { config: `${CONFIG}  scheme: classic\n  weakSecret: true\n`, secret: "tnx" });
  const { code, stderr } = await homing(["config", "check", "--config", path]);
  assert.match(stderr, /^homing: warning: .*secrets:1: this secret is short and can be guessed\n$/);
  assert.equal(code, 0);
});

test("config check warns of places that are not there", async (t) => {
  const path = await files(t, {
    config: `${CONFIG}localDelivery: { store: "maildir:/no/such/mail/{user}" }\n`,
  });
  const { code, stderr } = await homing(["config", "check", "--config", path]);
  assert.match(stderr, /^homing: warning: localDelivery\.store: there is no folder \/no\/such\/mail: .*\n$/);
  assert.equal(code, 0);
});

test("config check is content with the sample for one machine", async (t) => {
  const sample = join(import.meta.dirname, "../deploy/local");
  const config = await readFile(join(sample, "homing.yaml"), "utf8");
  const path = await filesAsTheyAre(t, {
    config,
    aliases: await readFile(join(sample, "aliases"), "utf8"),
  });
  const { code, stderr } = await homing(["config", "check", "--config", path]);
  assert.deepEqual([code, stderr], [0, ""]);
});

const UNSIGNED =
  "dkim: there is no key, so notifications from mx.forwarder.example fail DMARC or are taken for spam: make a key with " +
  "homing dkim new and name it here, or write dkim: unsigned where a smart host signs";

for (const [what, state] of [
  ["in a queue", "stateDirectory: state\n"],
  ["without a queue", ""],
] as const) {
  test(`config check refuses notifications ${what} that nobody signs, and serve starts with a warning`, async (t) => {
    const path = await filesAsTheyAre(t, { config: `${CONFIG}${state}listen: 127.0.0.1:0\n` });
    const json = await homing(["config", "check", "--config", path, "--json"]);
    assert.equal(json.code, 78);
    assert.deepEqual(JSON.parse(String(json.stdout)), {
      ok: false,
      reason: "config",
      complete: true,
      problems: [{ file: path, line: 1, column: 1, message: UNSIGNED }],
    });
    await using service = startHoming(["serve", "--config", path]);
    await service.waitForOutput(/"event":"listening"/);
    assert.ok(service.stderr().includes(`homing: warning: ${UNSIGNED}\n`), service.stderr());
  });
}

test("dkim: unsigned says that nobody shall sign: config check and serve are content", async (t) => {
  const config = `${CONFIG}stateDirectory: state\nlisten: 127.0.0.1:0\ndkim: unsigned\n`;
  const path = await files(t, { config });
  const { code, stderr } = await homing(["config", "check", "--config", path]);
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /dkim/);
  await using service = startHoming(["serve", "--config", path]);
  await service.waitForOutput(/"event":"listening"/);
  assert.doesNotMatch(service.stderr(), /dkim/);
});

test("a key of another domain is told at its place, beside other mistakes in the order of the file", async (t) => {
  const keys = "[{ domain: other.example, selector: s, keyFile: k }]";
  const config = `${CONFIG}dkim: ${keys}\nstateDirectory: state\nlisten: nowhere\n`;
  const path = await files(t, { config });
  const { code, stderr } = await homing(["config", "check", "--config", path]);
  assert.equal(code, 78);
  const lines = stderr.replaceAll(dirname(path), "FOLDER").trimEnd().split("\n");
  assert.equal(lines.length, 3, stderr);
  assert.match(
    lines[0] ?? "",
    /^homing: FOLDER\/homing\.yaml:7:7 dkim: no key is of mx\.forwarder\.example or above/,
  );
  assert.match(lines[1] ?? "", /^homing: FOLDER\/homing\.yaml:9:9 listen: /);
  assert.equal(lines[2], "homing: DKIM key FOLDER/k: there is no such file");
});

const wrongKeys: [setting: string, place: string, words: RegExp][] = [
  ["off", "7:7", /^dkim: is no list of keys: write domain, selector and keyFile of each, or unsigned$/],
  ["[]", "7:7", /^dkim: is empty: name a key, or write unsigned$/],
  ["[{ domain: a.test, selector: a_b, keyFile: k }]", "7:36", /^dkim\.0\.selector: is no selector: /],
  ["[{ domain: a.test, selector: s }]", "7:8", /^dkim\.0\.keyFile: is missing: add it$/],
  [
    "[{ domain: a.test, selector: s, keyFile: k }, { domain: A.test, selector: S, keyFile: l }]",
    "7:81",
    /^dkim\.1\.selector: names a key of this domain for the second time: /,
  ],
];
for (const [setting, place, words] of wrongKeys) {
  test(`config check explains dkim: ${setting}`, async (t) => {
    const path = await files(t, { config: `${CONFIG}dkim: ${setting}\n` });
    const { code, stderr } = await homing(["config", "check", "--config", path]);
    assert.equal(code, 78);
    const [first = "", last] = stderr.trimEnd().split("\n");
    assert.ok(first.startsWith(`homing: ${path}:${place} `), first);
    assert.match(first.slice(`homing: ${path}:${place} `.length), words);
    assert.match(last ?? "", /^homing: not looked at yet: the DKIM keys of /);
  });
}

interface Wrong {
  readonly files?: Partial<ServiceOptions>;
  readonly spoil?: (folder: string) => Promise<void>;
  /** FOLDER stands for the folder of the files. */
  readonly problems: readonly object[];
  readonly complete: boolean;
}

const wrong: Readonly<Record<string, Wrong>> = {
  "all mistakes of the configuration": {
    files: { config: `${CONFIG}  speed: 1\nlisten: nowhere\nhost: x\n` },
    problems: [
      { file: "FOLDER/homing.yaml", line: 7, column: 3, message: /^srs\.speed: there is no such setting/ },
      { file: "FOLDER/homing.yaml", line: 8, column: 9, message: /^listen: "nowhere" is not HOST:PORT/ },
      { file: "FOLDER/homing.yaml", line: 9, column: 1, message: /^host: there is no such setting/ },
    ],
    complete: true,
  },
  "a mistake of the configuration beside those of its files": {
    files: {
      config: `${CONFIG}listen: nowhere\n`,
      aliases: "postmaster: a@home.example\nb: |/bin/x\n",
      secret: "short",
    },
    problems: [
      { file: "FOLDER/homing.yaml", line: 7, column: 9, message: /^listen: "nowhere" is not HOST:PORT/ },
      { file: "FOLDER/aliases", line: 2, column: 4, message: /./ },
      { message: /^secrets file FOLDER\/secrets:1: the secret has fewer than 22 characters/ },
    ],
    complete: true,
  },
  "a mistake that leaves open what is right in the tables": {
    files: { config: CONFIG.replace("[forwarder.example]", "[a b]"), secret: "short" },
    problems: [
      { file: "FOLDER/homing.yaml", line: 2, column: 11, message: /^domains\.0: "a b" is not a domain name/ },
      { message: /^secrets file FOLDER\/secrets:1: the secret has fewer than 22 characters/ },
    ],
    complete: false,
  },
  "text that is no YAML": {
    files: { config: `${CONFIG}listen: [::1]:25\n` },
    problems: [{ file: "FOLDER/homing.yaml", line: 7, column: 9, message: /^\[::1\]:25 is a list to YAML/ }],
    complete: false,
  },
  "all mistakes of the aliases": {
    files: { aliases: "postmaster: a@home.example\nb: |/bin/x\n\nc: nobody-here\n" },
    problems: [
      { file: "FOLDER/aliases", line: 2, column: 4, message: /./ },
      { file: "FOLDER/aliases", line: 4, column: 4, message: /./ },
    ],
    complete: true,
  },
  "a mistake of the aliases beside one of the secrets": {
    files: { aliases: "postmaster: a@home.example\nb: |/bin/x\n" },
    spoil: (folder) => chmod(join(folder, "secrets"), 0o644),
    problems: [
      { file: "FOLDER/aliases", line: 2, column: 4, message: /./ },
      { message: /^secrets file FOLDER\/secrets has mode 0644/ },
    ],
    complete: true,
  },
  "a secrets file that is not there": {
    spoil: (folder) => rm(join(folder, "secrets")),
    problems: [{ message: /^secrets file FOLDER\/secrets: there is no such file$/ }],
    complete: true,
  },
  "two tables that are not there": {
    files: { config: `${CONFIG}virtualFile: virtual\n` },
    spoil: (folder) => rm(join(folder, "aliases")),
    problems: [
      {
        file: "FOLDER/homing.yaml",
        line: 3,
        column: 14,
        message: /^aliasesFile: table FOLDER\/aliases: there is no such file$/,
      },
      {
        file: "FOLDER/homing.yaml",
        line: 7,
        column: 14,
        message: /^virtualFile: table FOLDER\/virtual: there is no such file$/,
      },
    ],
    complete: false,
  },
  "a table that is not there, and what is wrong with the text of the other": {
    files: {
      config: `${CONFIG}virtualFile: virtual\n`,
      aliases: "postmaster: in-the-other-table\nb: |/bin/x\n",
    },
    problems: [
      { file: "FOLDER/homing.yaml", line: 7, column: 14, message: /^virtualFile: table FOLDER\/virtual: / },
      { file: "FOLDER/aliases", line: 2, column: 4, message: /^programs are not run/ },
    ],
    complete: false,
  },
  "a bad name among the domains of a maildir": {
    files: {
      config: CONFIG.replace("[forwarder.example]", '["forwarder.example", "forwarder.example."]').concat(
        'localDelivery: { store: "maildir:/var/mail/{user}" }\n',
      ),
    },
    problems: [
      { file: "FOLDER/homing.yaml", line: 2, column: 32, message: /^domains\.1: .* no domain name|/ },
    ],
    complete: false,
  },
  "a configuration that is not there": {
    spoil: (folder) => rm(join(folder, "homing.yaml")),
    problems: [{ message: /^configuration FOLDER\/homing\.yaml: there is no such file$/ }],
    complete: false,
  },
};
for (const [what, one] of Object.entries(wrong)) {
  test(`config check tells ${what}: as lines, as objects, and as serve does`, async (t) => {
    const path = await files(t, one.files);
    const folder = dirname(path);
    await one.spoil?.(folder);
    const json = await homing(["config", "check", "--config", path, "--json"]);
    assert.equal(json.code, 78);
    assert.equal(json.stderr, "");
    const told = JSON.parse(String(json.stdout).replaceAll(folder, "FOLDER")) as {
      ok: boolean;
      reason: string;
      complete: boolean;
      problems: { file?: string; line?: number; column?: number; message: string }[];
    };
    const { ok, reason, complete, problems } = told;
    assert.deepEqual({ ok, reason, complete }, { ok: false, reason: "config", complete: one.complete });
    assert.equal(problems.length, one.problems.length, JSON.stringify(problems));
    for (const [at, problem] of problems.entries())
      assert.partialDeepStrictEqual(asMatched(problem, one.problems[at]), one.problems[at] ?? {});

    const { code, stdout, stderr } = await homing(["config", "check", "--config", path]);
    assert.equal(code, 78);
    assert.equal(String(stdout), "");
    const lines = stderr.replaceAll(folder, "FOLDER").trimEnd().split("\n");
    const rendered = problems.map(({ file, line, column, message }) =>
      file === undefined ? `homing: ${message}` : `homing: ${file}:${line}:${column} ${message}`,
    );
    assert.deepEqual(lines.slice(0, problems.length), rendered);
    assert.equal(lines.length, problems.length + (one.complete ? 0 : 1));
    if (!one.complete) assert.match(lines.at(-1) ?? "", /^homing: not looked at yet: the tables/);

    const serve = await homing(["serve", "--config", path]);
    assert.equal(serve.code, 78);
    // It may end with the first file that is wrong.
    for (const line of serve.stderr.replaceAll(folder, "FOLDER").trimEnd().split("\n")) {
      assert.ok(rendered.includes(line), line);
    }
  });
}

/** The problem, with the expected pattern in the place of a message that it matches. */
function asMatched(problem: { readonly message: string }, expected: object | undefined): object {
  const pattern = expected && "message" in expected ? expected.message : undefined;
  assert.ok(pattern instanceof RegExp);
  assert.match(problem.message, pattern);
  return { ...problem, message: pattern };
}

test("config check of secrets that this user may not read is exit code 77", async (t) => {
  const path = await files(t);
  await chmod(dirname(path), 0o755);
  await chmod(join(dirname(path), "secrets"), 0o000);
  const { code, stderr } = await homingUnprivileged(["config", "check", "--config", path]);
  assert.match(stderr, /^homing: secrets file .*: not allowed to this user: /);
  assert.equal(code, 77);
});

test("config show has every setting, its value and its place, and no secret", async (t) => {
  const path = await files(t, {
    config: `${CONFIG}listen: "[::1]:2525"\ndelivery:\n  routes:\n    BÜCHER.example: 192.0.2.1:25\n`,
  });
  const folder = dirname(path);
  const { code, stdout, stderr } = await homing(["config", "show", "--config", path]);
  assert.equal(code, 0, stderr);
  const text = String(stdout).replaceAll(folder, "FOLDER");
  for (const row of [
    /^hostname +mx\.forwarder\.example +FOLDER\/homing\.yaml:1:11$/m,
    /^listen +\[::1\]:2525 +FOLDER\/homing\.yaml:7:9$/m,
    /^domains +forwarder\.example +FOLDER\/homing\.yaml:2:10$/m,
    /^aliasesFile +FOLDER\/aliases +FOLDER\/homing\.yaml:3:14$/m,
    /^srs\.secretsFile +FOLDER\/secrets +FOLDER\/homing\.yaml:6:16$/m,
    /^srs\.maxAgeDays +21 +default$/m,
    /^srs\.accept +\(the scheme\) +default$/m,
    /^delivery\.routes\.xn--bcher-kva\.example +192\.0\.2\.1:25 +FOLDER\/homing\.yaml:10:21$/m,
    /^delivery\.smartHost +\(none\) +default$/m,
    /^trustedNetworks +\(none\) +default$/m,
  ]) {
    assert.match(text, row);
  }
  const json = await homing(["config", "show", "--config", path, "--json"]);
  const { ok, settings } = JSON.parse(String(json.stdout)) as { ok: boolean; settings: object[] };
  assert.equal(ok, true);
  assert.equal(settings.length, text.trimEnd().split("\n").length);
  assert.deepEqual(
    settings.filter((one) => "setting" in one && ["listen", "srs.accept"].includes(String(one.setting))),
    [
      { setting: "listen", value: "[::1]:2525", from: "file", line: 7, column: 9 },
      { setting: "srs.accept", value: null, from: "default" },
    ],
  );
  assert.ok(!`${text}${String(json.stdout)}`.includes(SECRET));
});

test("config show of a wrong configuration tells what is wrong", async (t) => {
  const path = await files(t);
  await writeFile(path, `${CONFIG}limits: { clients: 0 }\n`);
  const { code, stdout, stderr } = await homing(["config", "show", "--config", path]);
  assert.equal(code, 78);
  assert.equal(String(stdout), "");
  assert.match(stderr, /^homing: .*homing\.yaml:7:20 limits\.clients: .*\n$/);
});
