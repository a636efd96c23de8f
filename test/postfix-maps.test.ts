// Postfix with the maps of Homing, by the recipes of deploy/postfix: with homing serve for what comes back, and without.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { leaksIn } from "../packages/bounce-handler/src/testing/leaks.ts";
import { startDnsServer, type Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type HomingProcess, homing } from "./harness/homing.ts";
import {
  freePorts,
  type MapsScene,
  PRIVATE,
  parametersOf,
  REFUSED,
  recipe,
  socketFolder,
  startMapsScene,
} from "./harness/postfix-maps-scene.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
const CREDENTIALS = "/run/credentials/homing.service/secrets";
const SOCKETS = "/var/spool/postfix/homing";
const SRS = /^SRS0=[a-z2-7]{8}=[A-Z2-7]{2}=source\.example=bob@bounces\.forwarder\.example$/;
const FORGED = "SRS0=abcdefgh=G3=source.example=bob@bounces.forwarder.example";
const LOCAL_PART = FORGED.slice(0, FORGED.indexOf("@"));
const ZONE: Zone = {
  "fail.example": [{ type: "TXT", strings: ["v=spf1 -all"] }],
  "source.example": [{ type: "TXT", strings: ["v=spf1 ip4:127.0.0.0/8 -all"] }],
};

const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());

/** Of old, and as RFC 5322 has it: Postfix would make `user@domain` of each after it has asked. */
function spellingsOf(user: string, domain: string): readonly string[] {
  const home = "forwarder.example";
  return [`${user}%${domain}`, `${user}%${domain}@${home}`, `${domain}!${user}`, `${domain}!${user}@${home}`];
}

/** With homing serve, and with `homing socketmap` alone. */
const scenes: { serve?: MapsScene; alone?: MapsScene } = {};

function scene(which: keyof typeof scenes): MapsScene {
  const started = scenes[which];
  assert.ok(started, "the scene has not started");
  return started;
}

before(async () => {
  if (skip) return;
  const [serving, alone] = await Promise.all([startServing(), startAlone()]);
  scenes.serve = serving.scene;
  scenes.alone = alone;
});

interface Serving {
  readonly scene: MapsScene;
  /** Starts it, or starts it anew. */
  readonly start: () => Promise<HomingProcess>;
  readonly homing: HomingProcess;
}

async function startServing(): Promise<Serving> {
  const ports = await freePorts();
  const settings = parametersOf(await recipe("postfix/main.cf"));
  const transport = await recipe("postfix/transport", [["127.0.0.1]:2525", `127.0.0.1]:${ports.service}`]]);
  const scene = stack.use(await startMapsScene({ ports, settings, files: { transport } }));
  const { place } = await startDnsServer({ after: (end: () => void) => stack.defer(end) } as never, ZONE);
  const config = await recipe("postfix/homing.yaml", [
    [CREDENTIALS, join(scene.folder, "secrets")],
    ["/var/lib/homing", join(scene.folder, "state")],
    [SOCKETS, socketFolder(scene.postfix.folder)],
    ["127.0.0.1:2525", `127.0.0.1:${ports.service}`],
    ["127.0.0.1:25\n", `127.0.0.1:${ports.postfix}\n`],
    ["# dns: { servers: [127.0.0.1] }", `dns: { servers: ["127.0.0.1:${place.port}"] }`],
  ]);
  const start = () => scene.start("serve", config, 2);
  return { scene, start, homing: await start() };
}

async function startAlone(): Promise<MapsScene> {
  const settings = parametersOf(await recipe("postfix/without-serve/main.cf"));
  const scene = stack.use(await startMapsScene({ ports: await freePorts(), settings }));
  const config = await recipe("postfix/without-serve/homing.yaml", [
    [CREDENTIALS, join(scene.folder, "secrets")],
    [SOCKETS, socketFolder(scene.postfix.folder)],
  ]);
  await scene.start("socketmap", config, 1);
  return scene;
}

for (const which of ["serve", "alone"] as const) {
  test(`Postfix, maps | SRS out | mail to an alias leaves with an SRS sender (${which})`, {
    skip,
  }, async () => {
    const { send, sentOn } = scene(which);
    const reply = await send({ from: "bob@source.example", to: "alice@forwarder.example" });
    assert.match(reply, /^250 /);
    const taken = await sentOn(PRIVATE);
    assert.match(taken.reversePath, SRS);
    assert.match(taken.message, /^From: bob@source\.example\r$/m);
  });

  test(`Postfix, maps | forged refused | a forged SRS recipient is refused at RCPT (${which})`, {
    skip,
  }, async () => {
    assert.match(await scene(which).send({ from: "", to: FORGED }), /^550 5\.7\.1 .*takes only bounces/);
  });

  test(`Postfix, maps | forged refused | however a forged SRS recipient or sender is spelt, it is refused (${which})`, {
    skip,
  }, async () => {
    const { send, hop } = scene(which);
    const before = hop.taken.length;
    for (const forged of [...spellingsOf(LOCAL_PART, "bounces.forwarder.example"), `${FORGED}.`]) {
      assert.match(await send({ from: "r@source.example", to: forged }), /^[45]5\d /, forged);
      const reply = await send({ from: forged, to: "keeper@forwarder.example" });
      // Without the policy service nobody refuses a strange sender: he stays what he is, a name at this site.
      if (which === "serve" || forged.endsWith("bounces.forwarder.example."))
        assert.match(reply, /^55[03] 5\.\d\.\d /, forged);
    }
    assert.match(await send({ from: "", to: "nobody@bounces.forwarder.example" }), /^550 5\.1\.1 /);
    assert.deepEqual(hop.taken.slice(before), []);
  });

  test(`the null sender and our own senders stay as they are (${which})`, { skip }, async () => {
    const { send, hop } = scene(which);
    for (const [index, from] of ["", "ann@forwarder.example", "postmaster@mx.forwarder.example"].entries()) {
      const to = `own${index}@elsewhere.example`;
      assert.match(await send({ from, to, client: "127.0.0.1" }), /^250 /);
      const taken = await waitFor(() => hop.taken.find(({ recipient }) => recipient === to), {
        seconds: 20,
        otherwise: () => `nothing for ${to}`,
      });
      assert.equal(taken.reversePath, from);
    }
  });
}

test("Postfix, maps | bounce back | the failure at the new home reaches the original sender", {
  skip,
}, async () => {
  const { send, sentOn } = scene("serve");
  assert.match(await send({ from: "bob@source.example", to: "refused@forwarder.example" }), /^250 /);
  const { reversePath, message } = await sentOn("bob@source.example");
  assert.equal(reversePath, "");
  assert.match(message, /^Content-Type: multipart\/report; report-type=delivery-status/m);
  assert.match(message, /^Action: failed\r$/m);
  assert.match(message, /^Status: 5\.1\.1\r$/m);
});

test("Postfix, maps | private DSN | what the original sender gets says nothing of the address behind the alias", {
  skip,
}, async () => {
  const { sentOn } = scene("serve");
  const { message } = await sentOn("bob@source.example");
  assert.match(message, /^Reporting-MTA: dns; mx\.forwarder\.example\r$/m);
  assert.deepEqual(leaksIn(message, [REFUSED, "hidden", "home.example"], []), []);
});

test("Postfix, maps | SPF: with policy | a sender whose SPF record does not name the client is refused at RCPT", {
  skip,
}, async () => {
  const { send, sentOn } = scene("serve");
  const reply = await send({ from: "eve@fail.example", to: "alice@forwarder.example" });
  assert.match(reply, /^550 5\.7\.23 /);
  for (const from of spellingsOf("eve", "fail.example"))
    assert.match(
      await send({ from, to: "alice@forwarder.example" }),
      /^553 5\.1\.3 .*the sender has a % or !/,
    );
  assert.match((await sentOn(PRIVATE)).message, /^Received-SPF: pass /m);
});

test("Postfix, maps | local mail untouched: no | cleanup does not know yet that the mail stays here", {
  skip,
}, async () => {
  const { send, postfix } = scene("serve");
  assert.match(await send({ from: "bob@source.example", to: "keeper@forwarder.example" }), /^250 /);
  const [mail] = await postfix.mail("keeper");
  assert.match(String(mail), /^Return-Path: <SRS0=.*@bounces\.forwarder\.example>$/m);
});

test("without homing serve the bounce comes back, with the private address in it", { skip }, async () => {
  const { send, sentOn, hop } = scene("alone");
  assert.match(await send({ from: "bob@source.example", to: "refused@forwarder.example" }), /^250 /);
  const { message } = await sentOn("bob@source.example");
  assert.match(message, new RegExp(`^Final-Recipient: rfc822; ${REFUSED}`, "m"));

  const { reversePath } = await sentOn(PRIVATE);
  const before = hop.taken.length;
  const bounce = `From: <>\r\nTo: ${reversePath}\r\nSubject: from another server\r\n\r\nNo such user.\r\n`;
  assert.match(await send({ from: "", to: reversePath, message: bounce }), /^250 /);
  const second = await waitFor(() => hop.taken[before], { seconds: 20, otherwise: () => "no bounce" });
  assert.equal(second.recipient, "bob@source.example");
  assert.ok(second.message.includes(`\r\nTo: ${reversePath}\r\n`), "the header is not changed");
});

test("where only maps judge, a good SRS address takes mail with a sender, and the policy service refuses it", {
  skip,
}, async () => {
  for (const [which, reply] of [
    ["alone", /^250 /],
    ["serve", /^550 5\.7\.1 /],
  ] as const) {
    const { send, sentOn } = scene(which);
    const { reversePath } = await sentOn(PRIVATE);
    assert.match(await send({ from: "eve@source.example", to: reversePath }), reply);
  }
});

test("without homing serve other addresses at the SRS domain are unknown", { skip }, async () => {
  const reply = await scene("alone").send({ from: "", to: "somebody@bounces.forwarder.example" });
  assert.match(reply, /^550 5\.1\.1 .*no such address here/);
});

test("postmap asks a map alone, many keys over one connection", { skip }, async () => {
  const { postfix } = scene("alone");
  const senders = Array.from({ length: 500 }, (_, index) => `bob${index}@source.example`);
  const shell = "cd /var/spool/postfix && exec postmap -q - socketmap:unix:homing/socketmap:forward";
  const { code, stdout, stderr } = await postfix.run(["sh", "-c", shell], { input: senders.join("\n") });
  assert.equal(code, 0, stderr);
  const lines = String(stdout).trimEnd().split("\n");
  assert.equal(lines.length, senders.length);
  for (const [index, sender] of senders.entries()) {
    const srs = `SRS0=\\S+=source\\.example=bob${index}@bounces\\.forwarder\\.example`;
    assert.match(lines[index] ?? "", new RegExp(`^${sender}\t${srs}$`));
  }
  const unknown = await postfix.run(["sh", "-c", shell], { input: "ann@forwarder.example\n" });
  assert.equal(unknown.code, 1, "not found");
});

test("the recipes' configurations pass the check", { skip }, async () => {
  for (const which of ["serve", "alone"] as const) {
    const checked = await homing(["config", "check", "--config", join(scene(which).folder, "homing.yaml")]);
    assert.equal(checked.code, 0, checked.stderr);
  }
});

test("nobody but root and the group postfix may ask", { skip }, async () => {
  const { postfix } = scene("serve");
  const { gid } = await stat(join(postfix.folder, "var/lib/postfix"));
  for (const name of ["socketmap", "policy"]) {
    const socket = await stat(join(socketFolder(postfix.folder), name));
    assert.equal(socket.mode & 0o777, 0o660);
    assert.equal(socket.gid, gid);
  }
});

test("cleanup and smtpd find the sockets in a chroot, as Debian has them", { skip }, async () => {
  const { postfix, send, hop } = scene("alone");
  const masterCf = join(postfix.folder, "etc/postfix/master.cf");
  const services = await readFile(masterCf, "utf8");
  const jailed = services.replace(/^(\S+ +(?:inet|unix) +\S +\S +)n(?=.* (?:smtpd|cleanup)$)/gm, "$1y");
  assert.equal(jailed.match(/^[^#].* y .* (?:smtpd|cleanup)$/gm)?.length, 2);
  await writeFile(masterCf, jailed);
  await postfix.run(["postfix", "reload"]);
  await postfix.waitForLog("reload -- version");
  const before = hop.taken.length;
  assert.match(await send({ from: "bob@source.example", to: "alice@forwarder.example" }), /^250 /);
  const taken = await waitFor(() => hop.taken[before], { seconds: 20, otherwise: () => postfix.tail() });
  assert.match(taken.reversePath, SRS);
  assert.match(await send({ from: "", to: FORGED }), /^550 5\.7\.1 /);
});

test("while Homing is away every client keeps its mail, and nothing leaves with the sender of others", {
  skip,
}, async () => {
  const { scene, homing: service, start } = await startServing();
  const { send, hop, sentOn, postfix } = scene;
  await service.stop();
  assert.match(await send({ from: "bob@source.example", to: "alice@forwarder.example" }), /^451 4\.3\.0 /);
  // The policy service is away, too, and lets pass what it would refuse: the map behind it does not.
  assert.match(await send({ from: "", to: FORGED }), /^451 4\.3\.5 /);
  assert.match(await postfix.log(), /warning: .*socketmap:unix:homing\/socketmap:forward.*lookup error/);
  assert.deepEqual(hop.taken, []);

  await start();
  assert.match(await send({ from: "bob@source.example", to: "alice@forwarder.example" }), /^250 /);
  assert.match((await sentOn(PRIVATE)).reversePath, SRS);
  assert.match(await send({ from: "", to: FORGED }), /^550 /);
});

test("while homing socketmap is away without the policy service, RCPT and DATA are deferred", {
  skip,
}, async () => {
  const scene = await startAlone();
  await scene.stop();
  assert.match(await scene.send({ from: "", to: FORGED }), /^451 4\.3\.5 .*Server configuration error/);
  assert.match(
    await scene.send({ from: "bob@source.example", to: "alice@forwarder.example" }),
    /^451 4\.3\./,
  );
  assert.deepEqual(scene.hop.taken, []);
});
