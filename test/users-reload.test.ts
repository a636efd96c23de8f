// SIGHUP takes a new users file: who was added may log in, who was taken out may not, and a file with a mistake changes nothing.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CERTIFICATE, CERTIFICATE_KEY } from "../packages/forwarder/src/testing/certificate.ts";
import { startTls } from "../packages/forwarder/src/testing/tls-client.ts";
import { homing, startHomingService } from "./harness/homing.ts";
import { authPlain } from "./harness/submit-client.ts";

const PASSWORD = "a good password";

test("SIGHUP takes the users file anew, and keeps what it had where the new one is wrong", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const users = join(folder, "users");
  const set = async (name: string): Promise<void> => {
    const argv = ["users", "set", users, name, "--address", `${name}@forwarder.example`];
    assert.equal((await homing(argv, { input: `${PASSWORD}\n` })).code, 0);
  };
  await set("alice");
  await writeFile(join(folder, "cert.pem"), CERTIFICATE);
  await writeFile(join(folder, "key.pem"), CERTIFICATE_KEY);
  await using service = await startHomingService({
    config: JSON.stringify({
      ...{ hostname: "mx.forwarder.example", listen: "127.0.0.1:0", domains: ["forwarder.example"] },
      ...{ aliasesFile: "aliases", srs: { domain: "forwarder.example", secretsFile: "secrets" } },
      tls: { certificateFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") },
      stateDirectory: join(folder, "state"),
      submission: { listen: "127.0.0.1:0", usersFile: users },
    }),
    aliases: "",
    secret: "a secret of this test, long enough",
  });
  const [, port] = await service.waitForOutput(/"submission-listening".*"port":(\d+)/);
  const logIn = async (name: string): Promise<string> => {
    const client = await startTls({ port: Number(port) });
    await client.ask("EHLO client.test");
    const reply = await authPlain(client, { name, password: PASSWORD });
    client.socket.destroy();
    return reply.slice(0, 3);
  };
  assert.deepEqual([await logIn("alice"), await logIn("bob")], ["235", "535"]);

  await set("bob");
  assert.equal((await homing(["users", "remove", users, "alice"])).code, 0);
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(/"event":"users-reloaded"/);
  assert.deepEqual([await logIn("alice"), await logIn("bob")], ["535", "235"]);

  await writeFile(users, "no user at all\n");
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(
    /"event":"users-not-reloaded","message":"[^"]*users:1:1 a line has three parts/,
  );
  assert.equal(await logIn("bob"), "235");
});
