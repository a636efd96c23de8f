// The harness itself: real programs start, talk, and leave nothing behind, however the test process ends.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { addAccounts } from "./accounts.ts";
import { storiesNeed } from "./availability.ts";
import { CACHE_FOLDER, packagesOfPlan } from "./debian-packages.ts";
import { createDkimKey, dkim } from "./dkim.ts";
import { watch } from "./homing.ts";
import { perlSrs } from "./mail-srs.ts";
import { startPostfix } from "./postfix.ts";
import { settledOutput } from "./settled-output.ts";
import { waitFor } from "./wait.ts";

const procSkip = (await storiesNeed()) ?? false;
const postfixSkip = (await storiesNeed("postfix")) ?? false;
const srsSkip = (await storiesNeed("libmail-srs-perl")) ?? false;
const dkimSkip = (await storiesNeed("python3-dkim")) ?? false;

test("output is whole when its process has nothing left to do, and not before", {
  skip: procSkip,
}, async () => {
  const program = `process.stdin.once("data", () => {
    for (const end = performance.now() + 300; performance.now() < end; );
    console.log("at last");
  });
  console.log("begun")`;
  const child = spawn(process.execPath, ["-e", program]);
  await using busy = watch(child);
  await busy.waitForOutput(/begun/);
  child.stdin.write("go");
  assert.equal(await settledOutput(busy), "begun\nat last\n");
});

test("a DSN of one private Postfix comes back to a mailbox of another", { skip: postfixSkip }, async () => {
  const passwdBefore = await readFile("/etc/passwd", "utf8");
  // Each relays to the other: the first one's next hop is known before the second has a port.
  await using hop = await startPassThrough();
  await using source = await startPostfix({
    hostname: "source.example",
    destinations: ["source.example"],
    relayHost: `[127.0.0.1]:${hop.port}`,
    mailboxes: ["bob"],
  });
  await using destination = await startPostfix({
    hostname: "dest.example",
    destinations: ["dest.example"],
    relayHost: `[127.0.0.1]:${source.port}`,
    mailboxes: ["ok"],
    aliases: { gone: '"|/bin/false"' },
  });
  hop.target = destination.port;
  const folders = [source.folder, destination.folder];
  const namespaces = await Promise.all([source, destination].map(({ pid }) => namespaceOf(pid)));

  await source.submit({
    from: "bob@source.example",
    to: ["ok@dest.example", "gone@dest.example"],
    message: "From: Bob <bob@source.example>\nSubject: hello\n\nTwo recipients, one of them gone.\n",
  });
  const [arrived] = await destination.mail("ok");
  assert.match(String(arrived), /^Return-Path: <bob@source\.example>$/m);
  assert.match(String(arrived), /^Subject: hello$/m);

  const [dsn] = await source.mail("bob");
  assert.match(String(dsn), /^Return-Path: <>$/m);
  assert.match(String(dsn), /^Content-Type: multipart\/report; report-type=delivery-status;/m);
  assert.match(String(dsn), /^Final-Recipient: rfc822; gone@dest\.example$/m);

  await destination.waitForLog(/to=<ok@dest\.example>, .*status=sent \(delivered to maildir\)/);
  await destination.waitForLog(/to=<gone@dest\.example>, .*status=bounced .*Command died with status 1/);
  await destination.waitForLog("sender non-delivery notification");
  await destination.waitForLog(/to=<bob@source\.example>, relay=127\.0\.0\.1.*status=sent/);
  await source.waitForLog(/to=<gone@dest\.example>, relay=127\.0\.0\.1.*status=sent/);
  await source.waitForLog(/from=<>, size=/);
  await source.waitForLog(/to=<bob@source\.example>, relay=local, .*status=sent \(delivered to maildir\)/);
  for (const site of [source, destination]) {
    // postfix-script warns that postdrop is not setgid, which only users other than root would need.
    assert.doesNotMatch(await site.log(), /(?<!postfix-script.*)(warning|error|fatal|panic):/);
    assert.ok((await processesIn(await namespaceOf(site.pid))).length > 2);
  }

  await Promise.all([source.stop(), destination.stop()]);
  for (const namespace of namespaces) assert.deepEqual(await processesIn(namespace), []);
  for (const folder of folders) assert.equal(existsSync(folder), process.env.HOMING_KEEP === "1");
  assert.equal(await readFile("/etc/passwd", "utf8"), passwdBefore);
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  for (const path of [CACHE_FOLDER, ...folders]) assert.equal(mounts.includes(path), false);
});

test("the null reverse-path can be submitted, and a program of the instance run", {
  skip: postfixSkip,
}, async () => {
  await using site = await startPostfix({
    hostname: "site.example",
    destinations: ["site.example"],
    mailboxes: ["bob"],
  });
  await site.submit({ from: "", to: "bob@site.example", message: "Subject: 1\n\n" });
  await site.mail("bob");
  await site.submit({ from: "", to: "bob@site.example", message: "Subject: 2\n\n" });
  const messages = await site.mail("bob", { count: 2 });
  assert.deepEqual(
    messages.map((message) => /^Subject: (.*)$/m.exec(String(message))?.[1]),
    ["1", "2"],
  );
  assert.match(String(messages[0]), /^Return-Path: <>$/m);
  await site.waitForLog(/to=<bob@site\.example>.*status=sent/);
  assert.match(String((await site.run(["postqueue", "-p"])).stdout), /Mail queue is empty/);
});

test("a Postfix that cannot start says so with the end of its log", { skip: postfixSkip }, async () => {
  const started = startPostfix({
    hostname: "site.example",
    destinations: [],
    settings: { inet_protocols: "nonsense" },
  });
  await assert.rejects(started, /ended before it logged daemon started.*fatal:.*nonsense/s);
});

test("a port that is taken meanwhile is an error that names it", { skip: postfixSkip }, async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(
    startPostfix({ hostname: "b.example", destinations: [], port }),
    /address already in use/i,
  );
  other.close();
});

for (const end of ["is killed", "ends without stopping it"]) {
  test(`a Postfix is gone when the test process ${end}`, { skip: postfixSkip }, async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", startAndForget], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, HOMING_KEEP: "" },
    });
    const ended = once(child, "close");
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { pid, folder } = JSON.parse(line.toString()) as { pid: number; folder: string };
    const namespace = await namespaceOf(pid);
    assert.ok((await processesIn(namespace)).length > 2);
    if (end === "is killed") child.kill("SIGKILL");
    else child.stdin.end();
    await ended;
    await waitFor(async () => (await processesIn(namespace)).length === 0 || undefined, {
      seconds: 5,
      otherwise: async () => `still there: ${await processesIn(namespace)}`,
    });
    if (end === "is killed") await rm(folder, { recursive: true, force: true });
    else assert.equal(existsSync(folder), false);
  });
}

const startAndForget = `
  import { startPostfix } from ${JSON.stringify(import.meta.resolve("./postfix.ts"))};
  const { pid, folder } = await startPostfix({ hostname: "site.example", destinations: [] });
  process.stdin.resume();
  console.log(JSON.stringify({ pid, folder }));
`;

test("Mail::SRS forges and reverses with the clock that it is given", { skip: srsSkip }, async () => {
  await using srs = await perlSrs();
  const made = { secret: "a secret", now: new Date("2026-01-01T12:00:00Z") };
  const address = await srs.forward("bob@source.example", "fwd.example", made);
  assert.match(address, /^SRS0=[\w+/]{4}=[A-Z2-7]{2}=source\.example=bob@fwd\.example$/);
  assert.equal(await srs.reverse(address, made), "bob@source.example");
  assert.equal(await srs.reverse(address, { ...made, secret: ["new", "a secret"] }), "bob@source.example");
  await assert.rejects(srs.reverse(address, { ...made, secret: "another" }), /Invalid hash/);
  const later = new Date("2026-01-23T12:00:00Z");
  await assert.rejects(srs.reverse(address, { ...made, now: later }), /Invalid timestamp/);
  const international = await srs.forward("jörg@source.example", "fwd.example", made);
  assert.equal(await srs.reverse(international, made), "jörg@source.example");
  const double = await srs.forward(address, "next.example", made);
  assert.match(double, /^SRS1=[\w+/]{4}=fwd\.example==[\w+/]{4}=/);
  assert.equal(await srs.reverse(double, made), address);
});

test("dkimpy verifies what it signed, and nothing that was changed", { skip: dkimSkip }, async () => {
  await using peer = await dkim();
  const { signer, dns } = createDkimKey("source.example", "s1");
  const message = Buffer.from(
    "From: bob@source.example\r\nSubject: hello\r\n\r\nBody, 8-bit: \xe9\r\n",
    "latin1",
  );
  const signed = await peer.sign(message, signer);
  assert.match(signed.toString("latin1"), /^DKIM-Signature: .*d=source\.example;/);
  assert.deepEqual(signed.subarray(-message.length), message);
  assert.equal(await peer.verify(signed, { dns }), true);
  const tampered = Buffer.from(
    signed.toString("latin1").replace("Subject: hello", "Subject: hellO"),
    "latin1",
  );
  assert.equal(await peer.verify(tampered, { dns }), false);
  assert.equal(await peer.verify(signed, { dns: {} }), false);
});

test("apt's plan names each package with its version", () => {
  const plan = [
    "Reading package lists...",
    "Inst libicu72 [72.1-3] (72.1-3+deb12u1 Debian:12.1/stable [amd64])",
    "Inst postfix (3.7.11-0+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])",
    "Conf postfix (3.7.11-0+deb12u1 Debian:12.15/oldstable [amd64])",
  ];
  assert.deepEqual(packagesOfPlan(plan.join("\n")), ["libicu72=72.1-3+deb12u1", "postfix=3.7.11-0+deb12u1"]);
});

test("added accounts take free ids, and replace those of the same name", () => {
  const host = {
    passwd: "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Bob:/home/bob:/bin/bash\n",
    group: "root:x:0:\nbob:x:1000:\ntaken:x:900:\n",
  };
  const { passwd, group, ids } = addAccounts(host, { users: ["bob"], groups: ["drop"] });
  const replaced = "bob:x:901:901::/tmp:/usr/sbin/nologin\n";
  assert.equal(passwd, `root:x:0:0:root:/root:/bin/bash\n${replaced}`);
  assert.equal(group, "root:x:0:\ntaken:x:900:\nbob:x:901:\ndrop:x:902:\n");
  assert.deepEqual(
    [...ids],
    [
      ["bob", 901],
      ["drop", 902],
    ],
  );
});

/** Passes connections on to `target` as they are. */
async function startPassThrough() {
  const passThrough = { port: 0, target: 0, [Symbol.asyncDispose]: async () => void server.close() };
  const server = createServer((client) => {
    const next = connect(passThrough.target, "127.0.0.1");
    client.pipe(next).pipe(client);
    for (const socket of [client, next]) socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  passThrough.port = (server.address() as AddressInfo).port;
  return passThrough;
}

/** Names a process's pid namespace. */
function namespaceOf(pid: number | string): Promise<string> {
  return readlink(join("/proc", `${pid}`, "ns/pid"));
}

/** Living ones: in a container, the first process may never wait for what a killed test leaves to it. */
async function processesIn(namespace: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => livesIn(namespace, pid)));
  return pids.filter((_, index) => found[index]);
}

async function livesIn(namespace: string, pid: string): Promise<boolean> {
  try {
    if ((await namespaceOf(pid)) !== namespace) return false;
    return !/^State:\t[ZX]/m.test(await readFile(join("/proc", pid, "status"), "utf8"));
  } catch {
    // It ended while it was looked at.
    return false;
  }
}
