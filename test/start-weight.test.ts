// What a command loads before it does its work. Some start for every message, and each module costs a start about a
// millisecond: a library or a whole package that a command does not use shows here.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { run } from "./harness/command.ts";
import { MAIN, plainEnvironment, startHomingService } from "./harness/homing.ts";

const HOOK = join(import.meta.dirname, "harness/list-loaded.ts");
const FOLDER = await mkdtemp(join(tmpdir(), "homing-"));
after(() => rm(FOLDER, { recursive: true, force: true }));
await writeFile(join(FOLDER, "aliases"), "postmaster: root@home.example\n");
await writeFile(join(FOLDER, "secrets"), "v3ry-s3cret-and-long-enough\n", { mode: 0o600 });
await writeFile(join(FOLDER, "users"), "", { mode: 0o600 });
await writeFile(join(FOLDER, "sendmail.yaml"), "server: 127.0.0.1:1\n");
await writeFile(
  join(FOLDER, "homing.yaml"),
  `hostname: mx.forwarder.example
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
dkim: unsigned
stateDirectory: state
`,
);

const SRS = ["@homing/srs-core", "base32-encode", "to-data-view", "tweetnacl"];
const CONFIGURATION = [...SRS, "yaml", "zod"];

/** Libraries, and packages of ours by their whole index; commander is in all. */
const commands: readonly [args: readonly string[], loads: readonly string[]][] = [
  [["--version"], []],
  [["--help"], []],
  [["spf", "check", "--help"], []],
  [["forge", "a@origin.example", "--domain", "forwarder.example", "--secrets", "secrets"], SRS],
  [["reverse", "a@forwarder.example", "--secrets", "secrets"], SRS],
  [["inspect", "a@forwarder.example"], SRS],
  [
    ["spf", "check", "--ip", "192.0.2.1", "--sender", "a@[x]", "--dns", "127.0.0.1"],
    [...SRS, "@homing/spf"],
  ],
  [
    ["spf", "lint", "--record", "v=spf1 -all"],
    [...SRS, "@homing/spf"],
  ],
  [["dotforward"], SRS],
  [["users", "list", "users"], SRS],
  [["secrets", "check", "secrets"], SRS],
  [
    ["pipe", "--socket", "nowhere/socket", "-f", "a@b.example", "c@d.example"],
    [...SRS, "@homing/mail"],
  ],
  [
    ["sendmail", "a@b.example"],
    [...SRS, "@homing/mail", "nodemailer", "yaml"],
  ],
  [["config", "check"], CONFIGURATION],
  [["config", "show"], CONFIGURATION],
  [["queue", "list"], CONFIGURATION],
  [["route", "a@forwarder.example"], CONFIGURATION],
];

for (const [args, loads] of commands) {
  test(`homing ${args.join(" ")} loads ${loads.join(", ") || "nothing"} beside commander`, async () => {
    const list = join(FOLDER, "loaded");
    const { stdout, stderr } = await run([process.execPath, "--import", HOOK, MAIN, ...args], {
      input: "Subject: x\n\nHello.\n",
      cwd: FOLDER,
      env: {
        ...plainEnvironment(),
        LOADED_MODULES: list,
        HOMING_SENDMAIL_CONFIG: join(FOLDER, "sendmail.yaml"),
      },
    });
    assert.doesNotMatch(`${stdout}${stderr}`, /usage|unknown (?:option|command)|a bug/);
    assert.deepEqual(heavy(await readFile(list, "utf8")), [...loads, "commander"].sort());
    await rm(list);
  });
}

test("homing serve delivers mail without the library of SMTP out in its main thread", async () => {
  const list = join(FOLDER, "loaded");
  await using hop = await startHop();
  await using service = await startHomingService({
    config: `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
delivery: { smartHost: "127.0.0.1:${hop.port}" }
`,
    aliases: "alice: private@home.example\n",
    secret: "a secret of the stories, and long enough",
    env: { NODE_OPTIONS: `--import=${HOOK}`, LOADED_MODULES: list },
  });
  using client = await greeted(service);
  const envelope = { from: "bob@origin.example", to: "alice@forwarder.example" };
  assert.match(await transact(client, { ...envelope, message: "Subject: x\r\n\r\nhello\r\n" }), /^250/);
  await service.stop();
  assert.equal(hop.messages.length, 1);
  const loaded = (await readFile(list, "utf8")).split("\n");
  const connections = loaded.filter(
    (url) => url.endsWith("/smtp-connection.js") || url.includes("/smtp-connection/"),
  );
  assert.deepEqual(
    connections.map((url) => /node_modules\/([^/]+)/.exec(url)?.[1]),
    ["smtp-server"],
  );
});

function heavy(urls: string): string[] {
  const libraries = [...urls.matchAll(/\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//g)].map(
    ([, name]) => name ?? "",
  );
  const whole = [...urls.matchAll(/\/packages\/([^/\n]+)\/src\/index\.ts$/gm)].map(
    ([, name]) => `@homing/${name}`,
  );
  return [...new Set([...libraries, ...whole])].sort();
}
