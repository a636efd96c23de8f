// The plug-in of deploy/qpsmtpd in Debian's qpsmtpd, asking a real `homing readsocket`: forged SRS recipients, SPF, and what
// becomes of mail while the daemon is down.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { clientOf, texts } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { freePort } from "./harness/free-port.ts";
import { homing, startHoming } from "./harness/homing.ts";
import { startInstance } from "./harness/instance.ts";
import { recipe, SRS_DOMAIN } from "./harness/pipe-site.ts";
import { untilItGreets } from "./harness/relaying-mta.ts";
import { type ScriptedHop, startScriptedHop } from "./harness/scripted-hop.ts";

const skip = (await storiesNeed("qpsmtpd")) ?? false;
const BOB = "bob@source.example";
const CAROL = "carol@home.example";
const ZONE = {
  "source.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "forged.example": texts("v=spf1 -all"),
};

interface Scene {
  readonly hop: ScriptedHop;
  /** Greeted. */
  client(): Promise<Wire>;
  /** Of the site, for the address. */
  forge(address: string): Promise<string>;
}

async function scene(t: TestContext, daemon: "up" | "down" = "up"): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const hop = await startScriptedHop();
  t.after(() => hop[Symbol.asyncDispose]());
  const [port, asked] = [await freePort(), await freePort()];
  const dns = await startDnsServer(t, ZONE);
  await writeFile(join(folder, "secrets"), "a secret of this story alone, long enough\n", { mode: 0o600 });
  const config = (await recipe("qpsmtpd/homing.yaml"))
    .replace("unix:/run/homing/readsocket", `127.0.0.1:${asked}`)
    .replace("    group: qpsmtpd\n", "");
  await writeFile(
    join(folder, "homing.yaml"),
    `${config}dns: { servers: ["127.0.0.1:${dns.place.port}"] }\n`,
  );
  if (daemon === "up") {
    const homing = startHoming(["readsocket", "--config", join(folder, "homing.yaml")]);
    t.after(() => homing[Symbol.asyncDispose]());
    await homing.waitForOutput(/"event":"adapter-listening"/);
  }
  const qpsmtpd = await startQpsmtpd(port, { asked, hop: hop.port });
  t.after(() => qpsmtpd.stop());
  return {
    hop,
    async client() {
      const wire = await clientOf(port);
      assert.match(await wire.ask("HELO client.example"), /^250/);
      return wire;
    },
    async forge(address) {
      const files = ["--domain", SRS_DOMAIN, "--secrets", join(folder, "secrets")];
      return String((await homing(["forge", address, ...files])).stdout).trim();
    },
  };
}

async function startQpsmtpd(port: number, { asked, hop }: { readonly asked: number; readonly hop: number }) {
  const plugins = (await recipe("qpsmtpd/plugins")).replace("/run/homing/readsocket", `127.0.0.1:${asked}`);
  const daemon = ["qpsmtpd-forkserver", "-l", "127.0.0.1", "-p", `${port}`, "-u", "qpsmtpd", "-H"];
  const instance = await startInstance({
    packageName: "qpsmtpd",
    command: [
      "env",
      "QPSMTPD_CONFIG=/etc/qpsmtpd",
      "perl",
      "-T",
      `/usr/bin/${daemon[0]}`,
      ...daemon.slice(1),
    ],
    users: ["qpsmtpd"],
    files: {
      "/etc/qpsmtpd/me": "mx.home.example\n",
      "/etc/qpsmtpd/rcpthosts": `home.example\n${SRS_DOMAIN}\n`,
      "/etc/qpsmtpd/plugins": `${plugins}rcpt_ok\nqueue/smtp-forward 127.0.0.1 ${hop}\n`,
      "/etc/qpsmtpd/plugin_dirs": "/usr/share/qpsmtpd/plugins\n/etc/qpsmtpd/site-plugins\n",
      "/etc/qpsmtpd/site-plugins/homing_srs": await recipe("qpsmtpd/homing_srs"),
      "/etc/qpsmtpd/spool_dir": "/var/spool/qpsmtpd\n",
      "/etc/qpsmtpd/loglevel": "6\n",
    },
    folders: { "/var/spool/qpsmtpd": "qpsmtpd" },
    log: "output",
  });
  return await untilItGreets(instance, { port, hostname: "mx.home.example" });
}

async function send(client: Wire, from: string, message: string): Promise<string> {
  assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${CAROL}>`), /^250/);
  assert.match(await client.ask("DATA"), /^354/);
  return await client.ask(`${message}\r\n.`);
}

test("qpsmtpd: forged SRS recipients are refused, good ones and everybody else are taken", {
  skip,
}, async (t) => {
  const { client, forge } = await scene(t);
  using wire = await client();
  assert.match(await wire.ask("MAIL FROM:<>"), /^250/);
  assert.match(await wire.ask(`RCPT TO:<SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}>`), /^550 5\.7\.1 /);
  for (const nobody of [`nobody@${SRS_DOMAIN}`, `nobody@${SRS_DOMAIN.toUpperCase()}`])
    assert.match(await wire.ask(`RCPT TO:<${nobody}>`), /^550 5\.1\.1 /);
  const good = await forge(BOB);
  assert.match(good, /^SRS0/);
  assert.match(await wire.ask(`RCPT TO:<${good}>`), /^250/);
  assert.match(await wire.ask(`RCPT TO:<${CAROL}>`), /^250/);
});

test("qpsmtpd: a forged SRS sender is refused, and one of ours that comes back is not", {
  skip,
}, async (t) => {
  const { client, forge } = await scene(t);
  using wire = await client();
  const forged = `SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}`;
  assert.match(await wire.ask(`MAIL FROM:<${forged}>`), /^550 5\.7\.1 .*at a domain of this server/);
  assert.match(await wire.ask(`MAIL FROM:<${await forge(BOB)}>`), /^250/);
});

test("qpsmtpd: who fails SPF is refused at MAIL, and of the others a field tells", { skip }, async (t) => {
  const { client, hop } = await scene(t);
  using wire = await client();
  assert.match(await wire.ask("MAIL FROM:<bob@forged.example>"), /^550 5\.7\.23 /);
  assert.match(await send(wire, BOB, "Subject: x\r\n\r\nHello!"), /^250/);
  const [taken] = hop.taken;
  assert.match(taken?.message ?? "", /^Received-SPF: pass /m);
  assert.equal(taken?.message.match(/^Received-SPF:/gm)?.length, 1);
});

test("qpsmtpd: while the daemon is down SRS recipients wait, and other mail is taken unchecked", {
  skip,
}, async (t) => {
  const { client, hop } = await scene(t, "down");
  using wire = await client();
  assert.match(await send(wire, "bob@forged.example", "Subject: x\r\n\r\nHello!"), /^250/);
  assert.doesNotMatch(hop.taken[0]?.message ?? "", /^Received-SPF:/m);
  assert.match(await wire.ask("MAIL FROM:<>"), /^250/);
  assert.match(await wire.ask(`RCPT TO:<SRS0=AAAA=KP=source.example=bob@${SRS_DOMAIN}>`), /^450 4\.3\.0 /);
});
