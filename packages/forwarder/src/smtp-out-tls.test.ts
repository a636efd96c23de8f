// A next hop with real TLS. Its certificate is the library's sample: nobody vouches for it, and its key is public.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { TLSSocket } from "node:tls";
import { memoryContent } from "@homing/mail";
import sampleCertificate from "smtp-server/lib/tls-options.js";
import type { HostPort } from "./host-port.ts";
import { submit } from "./smtp-out.ts";
import { Wire, within } from "./testing/wire.ts";

interface SecureHop extends HostPort {
  /** As they came, with `TLS` where the connection became secret. */
  readonly heard: string[];
}

/** Speaks in turns, as no client of ours pipelines here. */
async function startSecureHop(t: TestContext, plain: string, secret: string): Promise<SecureHop> {
  const heard: string[] = [];
  const sockets: Socket[] = [];

  const overTls = async (socket: Socket): Promise<void> => {
    const secure = new TLSSocket(socket, { isServer: true, ...sampleCertificate() });
    const wire = new Wire(secure);
    for (const reply of [secret, "250 MAIL", "250 RCPT", "354 DATA", "250 2.0.0 queued", "221 bye"]) {
      const line = await wire.until(reply === "250 2.0.0 queued" ? "\r\n.\r\n" : "\r\n");
      if (line === undefined) return;
      heard.push(line);
      wire.send(`${reply}\r\n`);
    }
  };
  const server = createServer(async (socket) => {
    sockets.push(socket);
    for (const reply of ["220 hop.example", plain, "220 go"]) {
      socket.write(`${reply}\r\n`);
      if (reply === "220 go") break;
      const [line] = await once(socket, "data");
      heard.push(String(line));
    }
    heard.push("TLS");
    await overTls(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port, heard };
}

const submission = {
  hostname: "mx.test",
  envelope: {
    reversePath: { localPart: "a", domain: "b.test" },
    recipient: { localPart: "c", domain: "d.test" },
    eightBit: true,
    smtpUtf8: false,
  },
  message: memoryContent(Buffer.from("Subject: x\r\n\r\ny\r\n")),
};

test("mail goes over TLS where it is offered, whoever signed the certificate", async (t) => {
  const server = await startSecureHop(
    t,
    "250-hop.example\r\n250 STARTTLS",
    "250-hop.example\r\n250 8BITMIME",
  );
  const attempt = await within(submit({ ...submission, server }), "the attempt");
  assert.equal(attempt.kind, "accepted");
  assert.deepEqual(server.heard.slice(0, 8), [
    "EHLO mx.test\r\n",
    "STARTTLS\r\n",
    "TLS",
    "EHLO mx.test\r\n",
    "MAIL FROM:<a@b.test> BODY=8BITMIME\r\n",
    "RCPT TO:<c@d.test>\r\n",
    "DATA\r\n",
    "Subject: x\r\n\r\ny\r\n.\r\n",
  ]);
});

test("what a server offered before TLS is not believed after it (RFC 3207 §4.2)", async (t) => {
  const before = "250-hop.example\r\n250-SIZE 1\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 STARTTLS";
  const server = await startSecureHop(t, before, "250 hop.example");
  const attempt = await within(submit({ ...submission, server }), "the attempt");
  assert.equal(attempt.kind, "accepted");
  assert.equal(server.heard[4], "MAIL FROM:<a@b.test>\r\n");
});
