// What goes wrong at the command line: one clear message that says what to do, the right exit code, no stack trace.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, homingUnprivileged, MAIN, writeServiceFiles } from "./harness/homing.ts";

const CONFIG = `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs:
  domain: forwarder.example
  secretsFile: secrets
`;

interface Case {
  readonly config?: string;
  readonly aliases?: string;
  readonly secret?: string;
  readonly spoil?: (folder: string) => Promise<void>;
  readonly code: number;
  /** The whole of stderr; FOLDER stands for the folder of the files. */
  readonly stderr: RegExp;
}

const serveCases: Record<string, Case> = {
  "no configuration file": {
    spoil: (folder) => rm(join(folder, "homing.yaml")),
    code: 78,
    stderr: /^homing: configuration FOLDER\/homing\.yaml: there is no such file\n$/,
  },
  "a setting that does not exist, and a wrong value": {
    config: `${CONFIG}  speed: fast\nlimits: { clients: many }\n`,
    code: 78,
    stderr:
      /^homing: FOLDER\/homing\.yaml:8:3 srs\.speed: there is no such setting \(here: domain, .*\): .*\nhoming: FOLDER\/homing\.yaml:9:20 limits\.clients: is not a whole number from 1 to 10000: .*\n$/,
  },
  "YAML that is none": {
    config: "hostname: [\n",
    code: 78,
    stderr: /^homing: FOLDER\/homing\.yaml:\d+:\d+ .*\n$/,
  },
  "a route that no domain can have, and a second one for the same": {
    config: `${CONFIG}delivery:\n  routes: { "no domain": "a:25", x.example: "a:25", X.Example: "b:25" }\n`,
    code: 78,
    stderr:
      /^homing: FOLDER\/homing\.yaml:9:26 delivery\.routes\.no domain: "no domain" is not a domain name: .*\nhoming: FOLDER\/homing\.yaml:9:64 delivery\.routes\.X\.Example: is a second spelling of this domain: keep one\n$/,
  },
  "a next hop at port 0": {
    config: `${CONFIG}delivery: { smartHost: "127.0.0.1:0" }\n`,
    code: 78,
    stderr: /^homing: FOLDER\/homing\.yaml:8:24 delivery\.smartHost: port 0 is no server's: .*\n$/,
  },
  "no secrets file": {
    spoil: (folder) => rm(join(folder, "secrets")),
    code: 78,
    stderr: /^homing: secrets file FOLDER\/secrets: there is no such file\n$/,
  },
  "a secrets file that others can read": {
    spoil: (folder) => chmod(join(folder, "secrets"), 0o644),
    code: 78,
    stderr:
      /^homing: secrets file FOLDER\/secrets has mode 0644: others can read or change it: run chmod 600 FOLDER\/secrets\n$/,
  },
  "a secret that can be guessed": {
    secret: "password",
    code: 78,
    stderr:
      /^homing: secrets file FOLDER\/secrets:1: the secret has fewer than 22 characters, .*: openssl rand -base64 24\n$/,
  },
  "an alias loop": {
    aliases: "postmaster: alice\nalice: bob, outside@home.example\nbob: Alice@Forwarder.example\n",
    code: 78,
    stderr: /^homing: FOLDER\/aliases:3:6 loop: alice → bob → alice: give one of them an address outside\n$/,
  },
  "several mistakes in the aliases, told at once": {
    aliases: 'alice: "|/usr/bin/vacation"\nbob: nobody-here\n\ncarol: a b@home.example\n',
    code: 78,
    stderr:
      /^homing: FOLDER\/aliases:1:8 programs are not run: .*\nhoming: FOLDER\/aliases:2:6 "nobody-here" is neither .*\nhoming: FOLDER\/aliases:4:8 address "a b@home\.example": .*\n$/,
  },
  "a port that cannot be had": {
    config: CONFIG.replace("127.0.0.1:0", "192.0.2.1:2525").concat("dkim: unsigned\n"),
    code: 69,
    stderr: /^homing: cannot listen on 192\.0\.2\.1:2525: .*: change listen in FOLDER\/homing\.yaml\n$/,
  },
};

for (const [what, one] of Object.entries(serveCases)) {
  test(`homing serve with ${what}`, async (t) => {
    const files = {
      config: one.config ?? CONFIG,
      aliases: one.aliases ?? "alice: a@home.example\n",
      secret: one.secret ?? "k".repeat(22),
    };
    const path = await writeServiceFiles(files);
    const folder = dirname(path);
    t.after(() => rm(folder, { recursive: true, force: true }));
    await one.spoil?.(folder);
    const { code, stdout, stderr } = await homing(["serve", "--config", path]);
    assert.match(stderr.replaceAll(folder, "FOLDER"), one.stderr);
    assert.equal(code, one.code);
    assert.equal(String(stdout), "");

    const json = await homing(["serve", "--config", path, "--json"]);
    assert.equal(json.code, one.code);
    const document = JSON.parse(String(json.stdout)) as { ok: boolean; message: string };
    assert.equal(document.ok, false);
    assert.match(document.message, /./);
  });
}

test("a secrets file that this user may not read is exit code 77", async (t) => {
  const path = await writeServiceFiles({ config: CONFIG, aliases: "", secret: "k".repeat(22) });
  const folder = dirname(path);
  t.after(() => rm(folder, { recursive: true, force: true }));
  const secrets = join(folder, "secrets");
  await chmod(secrets, 0o000);
  const { code, stderr } = await homingUnprivileged([
    "forge",
    "bob@source.example",
    "--domain",
    "fwd.example",
    "--secrets",
    secrets,
  ]);
  assert.match(
    stderr.replaceAll(folder, "FOLDER"),
    /^homing: secrets file FOLDER\/secrets: not allowed to this user: .*\n$/,
  );
  assert.equal(code, 77);
});

const usage: [args: string[], stderr: RegExp][] = [
  [["--colour"], /unknown option '--colour'/],
  [["serve", "--confg", "x"], /unknown option '--confg'[\s\S]*Did you mean --config\?/],
  [["sevre"], /unknown command 'sevre'[\s\S]*Did you mean serve\?/],
  [["forge", "bob@source.example"], /required option '--domain <domain>' not specified/],
  [["forge", "--domain", "d.example", "--secrets", "s"], /missing required argument 'address'/],
  [["send", "--to", "no address"], /--to: address "no address": /],
  [["send", "--to", "a@b.example", "--server", "nowhere"], /--server nowhere: write HOST:PORT/],
  [["local", "--port", "x"], /--port x: write a number from 0 to 65535/],
  [["reverse", "x@y", "--secrets", "/dev/null", "--at", "noon"], /--at noon: not a time/],
];
for (const [args, pattern] of usage) {
  test(`homing ${args.join(" ")} is a usage error: exit code 2`, async () => {
    const { code, stdout, stderr } = await homing(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.equal(String(stdout), "");
  });
}

test("help is no error", async () => {
  for (const args of [["--help"], ["forge", "--help"], ["help", "serve"]]) {
    const { code, stdout } = await homing(args);
    assert.equal(code, 0);
    assert.match(String(stdout), /^Usage: homing/);
  }
});

test("homing send to a port where nobody listens is exit code 69", async () => {
  const server = `127.0.0.1:${PORT_OF_NOBODY}`;
  const { code, stderr } = await homing([
    "send",
    "--server",
    server,
    "--from",
    "a@b.example",
    "--to",
    "c@d.example",
  ]);
  assert.equal(code, 69);
  assert.match(
    stderr,
    /^homing: no answer from 127\.0\.0\.1:\d+: .*ECONNREFUSED.*: is a server running there\?\n$/,
  );
});

test("the negative answers of forge and reverse are exit code 1, with their reason", async (t) => {
  const path = await writeServiceFiles({ config: "", aliases: "", secret: "k".repeat(22) });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  const secrets = ["--secrets", join(dirname(path), "secrets")];
  const forge = ["--domain", "fwd.example", ...secrets];
  const cases: [args: string[], reason: string][] = [
    [["forge", "", ...forge], "null-sender"],
    [["forge", "<>", ...forge], "null-sender"],
    [["forge", "no address", ...forge], "bad-address"],
    [["forge", `${"l".repeat(50)}@source.example`, ...forge], "too-long"],
    [["reverse", "bob@fwd.example", ...secrets], "not-srs"],
    [["reverse", "SRS0=x@fwd.example", ...secrets], "malformed"],
    [["reverse", "SRS0=aaaaaaaa=AA=source.example=bob@fwd.example", ...secrets], "bad-tag"],
  ];
  for (const [args, reason] of cases) {
    const { code, stdout, stderr } = await homing(args);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.startsWith(`homing: ${reason}: `), stderr);
    assert.equal(String(stdout), "");
    const json = await homing([...args, "--json"]);
    assert.equal(json.code, 1);
    assert.equal((JSON.parse(String(json.stdout)) as { reason: string }).reason, reason);
    assert.equal(json.stderr, "");
  }
});

test("forge and reverse undo each other, and mind the time", async (t) => {
  const path = await writeServiceFiles({ config: "", aliases: "", secret: "a long random secret of 22+" });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  const secrets = ["--secrets", join(dirname(path), "secrets")];
  const forged = await homing([
    "forge",
    "bob@source.example",
    "--domain",
    "fwd.example",
    ...secrets,
    "--at",
    "1700000000",
  ]);
  const address = String(forged.stdout).trim();
  assert.match(address, /^SRS0=[a-z2-7]{8}=G3=source\.example=bob@fwd\.example$/);
  const reversed = await homing(["reverse", address, ...secrets, "--at", "2023-12-05T00:00:00Z", "--json"]);
  assert.deepEqual(JSON.parse(String(reversed.stdout)), { ok: true, address: "bob@source.example" });
  const later = await homing(["reverse", address, ...secrets]);
  assert.equal(later.code, 1);
  assert.match(later.stderr, /^homing: expired: /);
  await writeFile(join(dirname(path), "secrets"), "another secret of 22 characters and more\n");
  assert.match(
    (await homing(["reverse", address, ...secrets, "--at", "1700000000"])).stderr,
    /^homing: bad-tag: /,
  );
});

test("a service whose log cannot be written ends in order, and says why", {
  skip: process.platform !== "linux" && "needs /dev/full",
}, async (t) => {
  const path = await writeServiceFiles({ config: CONFIG, aliases: "", secret: "k".repeat(22) });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  const full = await open("/dev/full", "w");
  t.after(() => full.close());
  const child = spawn(process.execPath, [MAIN, "serve", "--config", path], {
    stdio: ["ignore", full.fd, "pipe"],
  });
  let stderr = "";
  child.stderr?.on("data", (part) => (stderr += part));
  const [code] = await once(child, "close");
  assert.equal(code, 69);
  assert.match(stderr, /^homing: the log cannot be written: .*: stopped$/m);
  assert.doesNotMatch(stderr, /^\s+at /m);
});
