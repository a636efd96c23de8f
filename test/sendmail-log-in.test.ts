// `homing sendmail` and its server: TLS, the name and the password, which nobody else may see.
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { homing, startHomingService } from "./harness/homing.ts";
import { callWith, FOLDER, SETTINGS, sendmail } from "./harness/sendmail-call.ts";

test("TLS from the first octet, on another port than 465, too", async () => {
  const { code, taken, stderr } = await sendmail({
    settings: { tls: "implicit" },
    peer: { implicitTls: true },
  });
  assert.equal(code, 0, stderr);
  assert.equal(taken.length, 1);
});

test("a server on this machine may be without TLS, where the settings say so", async () => {
  const call = { peer: { plain: true } };
  const { code, stderr } = await sendmail({ ...call, settings: { tls: "none" } });
  assert.equal(code, 0, stderr);
  const strict = await sendmail(call);
  assert.deepEqual([strict.code, strict.taken.length, strict.logIns], [75, 0, 0]);
  assert.match(strict.stderr, /TLS is required here, and was not offered/);
});

for (const [what, settings, peer] of [
  ["nobody vouches for", { caFile: undefined }, {}],
  ["nobody vouches for, on a port of TLS", { caFile: undefined, tls: "implicit" }, { implicitTls: true }],
] as const) {
  test(`a server that ${what} is told no password`, async () => {
    const { code, taken, logIns, stderr } = await sendmail({ settings, peer });
    assert.deepEqual([code, taken.length, logIns], [75, 0, 0]);
    assert.match(stderr, /certificate is not verified/);
  });
}

test("a wrong password ends with 77, and is not told", async () => {
  const { code, stderr, logIns } = await sendmail({ peer: { password: "another" } });
  assert.deepEqual([code, logIns], [77, 1]);
  assert.match(stderr, /AUTH PLAIN as web refused \(535 5\.7\.8\).*passwordFile/);
  assert.doesNotMatch(stderr, /good password/);
});

test("a password file that others can read is refused", async () => {
  const path = join(FOLDER, "open-password");
  await writeFile(path, "a good password\n");
  await chmod(path, 0o644);
  const { code, stderr, taken } = await sendmail({ settings: { passwordFile: path } });
  assert.deepEqual([code, taken.length], [78, 0]);
  assert.match(stderr, /chmod 600/);
});

test("-v shows the dialogue, and not the password; --json says who has it", async () => {
  const rcpt = (address: string) => (address.startsWith("no") ? "550 5.1.1 no such user" : undefined);
  const argv = ["--json", "-v", "ann@a.example", "no@a.example"];
  const { code, stdout, stderr } = await sendmail({ argv, peer: { rcpt } });
  assert.equal(code, 67);
  const { ok, accepted, messages } = JSON.parse(String(stdout)) as Record<string, unknown>;
  assert.deepEqual([ok, accepted], [false, ["ann@a.example"]]);
  assert.match(String(messages), /no@a\.example/);
  assert.match(stderr, /→ MAIL FROM:<cards@site\.example>/);
  assert.doesNotMatch(
    stderr,
    new RegExp(`good password|${Buffer.from("\0web\0a good password").toString("base64")}`),
  );
});

test("homing serve takes it from a user of homing users, and no address that is not his", async (t) => {
  const users = join(FOLDER, "users");
  const set = [
    "users",
    "set",
    users,
    "web",
    "--address",
    "cards@site.example",
    "--address",
    "root@site.example",
  ];
  assert.equal((await homing(set, { input: "a good password\n" })).code, 0);
  const state = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(state, { recursive: true, force: true }));
  const hop = await startHop();
  t.after(() => hop[Symbol.asyncDispose]());
  await using service = await startHomingService({
    config: JSON.stringify({
      ...{
        hostname: "mx.site.example",
        listen: "127.0.0.1:0",
        domains: ["forwarder.example"],
        aliasesFile: "aliases",
      },
      ...{ srs: { domain: "forwarder.example", secretsFile: "secrets" }, stateDirectory: state },
      tls: { certificateFile: join(FOLDER, "cert.pem"), keyFile: join(FOLDER, "key.pem") },
      delivery: { smartHost: `127.0.0.1:${hop.port}` },
      submission: { listenTls: "127.0.0.1:0", usersFile: users },
    }),
    aliases: "",
    secret: "a secret of this test, long enough",
  });
  const [, port] = await service.waitForOutput(/"submission-listening".*"port":(\d+)/);
  const settings = { server: `localhost:${port}`, tls: "implicit", ...SETTINGS };
  const cron = "From: root (Cron Daemon)\nTo: root\nSubject: Cron\n\nx\n";
  const taken = await callWith(settings, ["-f", "root", "-i", "ann@a.example"], cron);
  assert.equal(taken.code, 0, taken.stderr);
  await service.waitForOutput(/"event":"delivered"/);
  assert.match(String(hop.messages[0]), /From: root@site\.example \(Cron Daemon\)\r\n/);
  const foreign = await callWith(settings, ["-f", "ann@a.example", "bob@b.example"]);
  assert.equal(foreign.code, 77);
  assert.match(foreign.stderr, /550 5\.7\.1/);
});
