// STARTTLS: what is offered, what came before it in plain text, and the end of a session at each step.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { startRecorder } from "./testing/recorder.ts";
import { greeted, hello, stuffed } from "./testing/smtp-peers.ts";
import { Wire, within } from "./testing/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "homing-tls-"));
after(() => rmSync(folder, { recursive: true }));

function certificate(name: string) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const argv = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  execFileSync("openssl", [...argv.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

const tls = certificate("mx.test");

async function handshake(client: Wire): Promise<{ wire: Wire; socket: TLSSocket }> {
  client.socket.removeAllListeners("data");
  const socket = connect({ socket: client.socket, rejectUnauthorized: false });
  socket.on("error", () => {});
  await within(once(socket, "secureConnect"), "a handshake");
  return { wire: new Wire(socket), socket };
}

test("STARTTLS is offered with a certificate alone, and not again; REQUIRETLS never", async (t) => {
  using client = await greeted(await startRecorder(t, {}, { tls }));
  assert.match(await client.ask("EHLO c.test"), /^250-STARTTLS$/m);
  assert.equal(await client.ask("STARTTLS now"), "501 5.5.4 syntax: STARTTLS");
  assert.match(await client.ask("STARTTLS"), /^220 2\.0\.0 /);
  const { wire } = await handshake(client);
  const offered = await wire.ask("EHLO c.test");
  assert.doesNotMatch(offered, /STARTTLS|REQUIRETLS/);
  assert.match(await wire.ask("STARTTLS"), /^503 5\.5\.1 /);
  assert.match(await wire.ask("MAIL FROM:<a@b.test> REQUIRETLS"), /^555 5\.5\.4 /);
});

test("after the handshake the session begins anew, and the message came by ESMTPS", async (t) => {
  const server = await startRecorder(t, {}, { tls });
  using client = await hello(server);
  await client.ask("MAIL FROM:<plain@b.test>");
  await client.ask("STARTTLS");
  const { wire } = await handshake(client);
  assert.match(await wire.ask("MAIL FROM:<a@b.test>"), /^503 5\.5\.1 /, "EHLO is forgotten");
  assert.match(await wire.ask("EHLO c.test"), /^250-/);
  assert.match(await wire.ask("RCPT TO:<c@d.test>"), /^503 5\.5\.1 /, "MAIL is forgotten");
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) {
    assert.match(await wire.ask(command), /^[23]/);
  }
  wire.send(stuffed("x\r\n"));
  assert.match(await wire.reply(), /^250 /);
  assert.equal(server.mails.at(-1)?.client.protocol, "ESMTPS");
  await wire.ask("MAIL FROM:<> SMTPUTF8");
  assert.equal(server.mails.at(-1)?.client.protocol, "UTF8SMTPS");
});

for (const behind of ["RSET\r\n", "MAIL FROM:<evil@b.test>\r\n", "half a comm", "NOOP\r\n".repeat(250)]) {
  test(`what came in plain text behind STARTTLS is thrown away: ${JSON.stringify(behind).slice(0, 40)}`, async (t) => {
    const server = await startRecorder(t, {}, { tls });
    using client = await hello(server);
    client.send(`STARTTLS\r\n${behind}`);
    assert.match(await client.reply(), /^220 /);
    const { wire } = await handshake(client);
    assert.match(await wire.ask("EHLO after.test"), /^250-mx\.test\n/, "the first reply is to EHLO");
    assert.equal(server.mails.length, 0);
    assert.equal(server.counts().discardedAtStartTls, 1);
  });
}

test("TLS 1.1 is refused", async (t) => {
  using client = await hello(await startRecorder(t, {}, { tls }));
  await client.ask("STARTTLS");
  client.socket.removeAllListeners("data");
  const socket = connect({
    socket: client.socket,
    rejectUnauthorized: false,
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  const [error] = await within(once(socket, "error"), "an error");
  assert.ok(error instanceof Error);
});

test("a certificate is replaced while sessions go on, and STARTTLS begins where it was not", async (t) => {
  const server = await startRecorder(t);
  using plain = await hello(server);
  assert.match(await plain.ask("STARTTLS"), /^502 /);
  server.replaceTls(tls);
  assert.match(await plain.ask("EHLO c.test"), /^250-STARTTLS$/m);
  server.replaceTls(certificate("new.test"));
  await plain.ask("STARTTLS");
  const { socket } = await handshake(plain);
  assert.equal(socket.getPeerCertificate().subject.CN, "new.test");
  const other = certificate("other.test");
  assert.throws(() => server.replaceTls({ key: other.key, cert: tls.cert }));
  using next = await hello(server);
  await next.ask("STARTTLS");
  const kept = await handshake(next);
  assert.equal(
    kept.socket.getPeerCertificate().subject.CN,
    "new.test",
    "those that do not fit change nothing",
  );
});

test("a client that never shakes hands is cut at the deadline, and one that resets there hurts nobody", async (t) => {
  const limits = { commandSeconds: 0.5, stressSeconds: 0.5 };
  const server = await startRecorder(t, {}, { tls, limits });
  for (const octets of ["", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "EHLO plain.test\r\n"]) {
    using client = await hello(server);
    await client.ask("STARTTLS");
    client.send(octets);
    await client.rest();
  }
  using gone = await hello(server);
  await gone.ask("STARTTLS");
  gone.send("\x16\x03\x01\x02\x00");
  gone.socket.resetAndDestroy();
  using next = await hello(server);
  await next.ask("STARTTLS");
  const { wire, socket } = await handshake(next);
  await wire.ask("EHLO c.test");
  socket.destroy();
  while (server.counts().clients > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(server.failures, []);
});
