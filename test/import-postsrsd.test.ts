// `homing import postsrsd`: what it prints is a configuration that serves what PostSRSd served.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { freePort } from "./harness/free-port.ts";
import { homing, startHoming } from "./harness/homing.ts";
import { DOMAIN, SECRET, SRS0 } from "./postsrsd/questions.ts";

const CONF = `
domains = { "home.example", ".customers.example" }
srs-domain = "${DOMAIN}"
socketmap = inet:localhost:PORT
secrets-file = "FOLDER/secrets"
chroot-dir = "/var/lib/postsrsd"
`;

async function importFolder(t: TestContext, text: string): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  const file = join(folder, "postsrsd.conf");
  await writeFile(file, text.replaceAll("FOLDER", folder));
  return { folder, file };
}

test("what homing import prints for PostSRSd 2 passes the check, and serves the map at the same place", async (t) => {
  const port = await freePort();
  const { folder, file } = await importFolder(t, CONF.replace("PORT", String(port)));
  const imported = await homing(["import", "postsrsd", file]);
  assert.equal(imported.code, 0, imported.stderr);
  assert.match(imported.stderr, new RegExp(`^homing: ${file}:6: chroot-dir: there is no chroot`, "m"));
  const config = join(folder, "homing.yaml");
  await writeFile(config, imported.stdout);
  const checked = await homing(["config", "check", "--config", config]);
  assert.equal(checked.code, 0, checked.stderr);
  await using service = startHoming(["socketmap", "--config", config]);
  await service.waitForOutput(/adapter-listening/);
  using wire = new Wire(connect(port, "127.0.0.1"));
  wire.send(`${`reverse ${SRS0}`.length}:reverse ${SRS0},26:forward bob@origin.example,`);
  assert.equal(await wire.until(","), "21:OK bob@origin.example,");
  assert.match((await wire.until(",")) ?? "", /:OK SRS0=.*=origin\.example=bob@srs\.example,$/);
});

test("a milter of PostSRSd's is served beside its map by homing adapters, and checks no SPF, as before", async (t) => {
  const ports = [await freePort(), await freePort()] as const;
  const text = `${CONF.replace("PORT", String(ports[0]))}milter = inet:localhost:${ports[1]}\n`;
  const { folder, file } = await importFolder(t, text);
  const imported = await homing(["import", "postsrsd", file]);
  assert.match(imported.stderr, /^homing: authentication\.mode is "off"/m);
  assert.match(imported.stderr, /start homing adapters --config FILE: it runs all .*\n$/);
  const config = join(folder, "homing.yaml");
  await writeFile(config, imported.stdout);
  const { stdout } = await homing(["config", "show", "--config", config]);
  assert.match(String(stdout), /^authentication\.mode +off /m);
  await using service = startHoming(["adapters", "--config", config]);
  await service.waitForOutput(/"adapter":"socketmap".*\n.*"adapter":"milter"/);
  assert.equal(await service.stop(), 0);
});

test("homing import --json prints the configuration and the notes", async (t) => {
  const { file } = await importFolder(t, CONF.replace("PORT", "10003"));
  const { code, stdout, stderr } = await homing(["import", "postsrsd", "--json", file]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const { ok, config, notes } = JSON.parse(String(stdout));
  assert.equal(ok, true);
  assert.deepEqual(config.adapters.socketmap, { listen: "127.0.0.1:10003" });
  assert.equal(notes[0].file, file);
  assert.equal(notes[0].line, 6);
});

const failing: readonly [text: string, said: RegExp][] = [
  [
    "SRS_SECRET=/etc/x\n",
    /:1: SRS_DOMAIN is not set: .*add --srs-domain with what `postconf -h mydomain` prints$/m,
  ],
  ["socketmap = unix:/run/srs\n", /:1: neither srs-domain nor domains tell the SRS domain: add --srs-domain/],
  ['domains = { a.example }\nsocketmap = ""\n', /:1: PostSRSd serves nothing here: set socketmap/],
  ["domains-file = FOLDER/none\n", /\/none: there is no such file/],
  ["\nsrs-domain x\n", /:2: "x" stands where = behind srs-domain is expected/],
];
for (const [text, said] of failing) {
  test(`homing import of ${JSON.stringify(text)} says ${said}`, async (t) => {
    const { file } = await importFolder(t, text);
    const { code, stdout, stderr } = await homing(["import", "postsrsd", file]);
    assert.equal(code, 78);
    assert.equal(String(stdout), "");
    assert.match(stderr, said);
  });
}

test("an SRS domain that the file leaves open is the first of the file of own domains, or the option's", async (t) => {
  const { folder, file } = await importFolder(t, "domains-file = FOLDER/domains\n");
  await writeFile(join(folder, "domains"), "# ours\n.club.example\nhome.example\n");
  assert.match(String((await homing(["import", "postsrsd", file])).stdout), /^ {2}domain: club\.example$/m);
  const chosen = await homing(["import", "postsrsd", "--srs-domain", "x.example", file]);
  assert.match(String(chosen.stdout), /^ {2}domain: x\.example$/m);
});
