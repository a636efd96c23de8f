// STARTTLS for clients of the service, and a new certificate without a restart.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { hello, startHop, stuffed } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { Wire, within } from "../packages/forwarder/src/testing/wire.ts";
import { startHomingService } from "./harness/homing.ts";

/** A new certificate in the two files that the service knows. */
function certify(folder: string, name: string): void {
  const argv = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  execFileSync(
    "openssl",
    [...argv.split(" "), "-keyout", join(folder, "key"), "-out", join(folder, "cert")],
    {
      stdio: "ignore",
    },
  );
}

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-tls-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function encrypted(port: number): Promise<{ wire: Wire; name: string; [Symbol.dispose](): void }> {
  const client = await hello({ host: "127.0.0.1", port });
  assert.match(await client.ask("STARTTLS"), /^220 /);
  client.socket.removeAllListeners("data");
  const socket = connect({ socket: client.socket, rejectUnauthorized: false });
  await within(once(socket, "secureConnect"), "a handshake");
  const name = String(socket.getPeerCertificate().subject.CN);
  return { wire: new Wire(socket), name, [Symbol.dispose]: () => socket.destroy() };
}

test("mail comes in over STARTTLS; SIGHUP takes a new certificate, and keeps the old one where the new is none", async (t) => {
  const folder = await newFolder(t);
  certify(folder, "old.test");
  await using hop = await startHop();
  await using service = await startHomingService({
    config: `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
delivery: { smartHost: "127.0.0.1:${hop.port}" }
tls: { certificateFile: "${folder}/cert", keyFile: "${folder}/key" }
`,
    aliases: "alice: alice@home.example\n",
    secret: "a secret of the stories, long enough",
  });
  {
    using client = await encrypted(service.port);
    assert.equal(client.name, "old.test");
    for (const command of [
      "EHLO c.test",
      "MAIL FROM:<bob@source.example>",
      "RCPT TO:<alice@forwarder.example>",
      "DATA",
    ])
      assert.match(await client.wire.ask(command), /^[23]/);
    client.wire.send(stuffed("Subject: x\r\n\r\nHello!\r\n"));
    assert.match(await client.wire.reply(), /^250 /);
    assert.match(String(hop.messages[0]), /^Received: .* with ESMTPS id /ms);
  }

  certify(folder, "new.test");
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(/"event":"certificate-reloaded"/);
  {
    using client = await encrypted(service.port);
    assert.equal(client.name, "new.test");
  }

  await rm(join(folder, "key"));
  process.kill(service.pid, "SIGHUP");
  await service.waitForOutput(
    /"event":"certificate-not-reloaded","message":"[^"]*key: there is no such file/,
  );
  using client = await encrypted(service.port);
  assert.equal(client.name, "new.test");
});
