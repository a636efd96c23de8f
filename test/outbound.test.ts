// Connections to next hops that nobody here wrote: Postfix's smtp-sink, and Postfix with TLS and AUTH.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { memoryContent } from "@homing/mail";
import type { NextHop } from "../packages/forwarder/src/next-hops.ts";
import type { Attempt } from "../packages/forwarder/src/outbound/attempt.ts";
import { systemClock } from "../packages/forwarder/src/outbound/clock.ts";
import {
  type Busy,
  createOutbound,
  type OutboundOptions,
  type Patience,
} from "../packages/forwarder/src/outbound/outbound.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../packages/forwarder/src/testing/certificate.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startDovecot } from "./harness/dovecot.ts";
import { freePort, onFreePort } from "./harness/free-port.ts";
import { startInstance } from "./harness/instance.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";
import { waitFor } from "./harness/wait.ts";

const skip = await storiesNeed("postfix");
const skipAuth = skip ?? (await storiesNeed("dovecot-lmtpd"));

const HERE = "127.0.0.1";
const MESSAGE = Buffer.from("Subject: x\r\n\r\n.a line\r\n");
const PATIENT: Patience = { kind: "waiting-client", freeWithinMs: 60_000 };

function createSender(t: TestContext, options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    hostname: "mx.test",
    clock: systemClock,
    random: () => 0,
    ...options,
  });
  t.after(() => outbound.close());
  return (hop: NextHop, patience = PATIENT): Promise<Attempt | Busy> =>
    outbound.submit({
      hop,
      patience,
      envelope: {
        reversePath: { localPart: "a", domain: "b.test" },
        recipient: { localPart: "carol", domain: "hop.example" },
        eightBit: false,
        smtpUtf8: false,
      },
      message: memoryContent(MESSAGE),
    });
}

/** @param options of smtp-sink(1) */
async function startSink(t: TestContext, ...options: readonly string[]): Promise<NextHop> {
  const { instance, port } = await onFreePort(async (port) => ({
    port,
    instance: await startInstance({
      packageName: "postfix",
      users: ["postfix"],
      command: ["smtp-sink", "-u", "postfix", ...options, `${HERE}:${port}`, "100"],
      log: "output",
    }),
  }));
  t.after(() => instance.stop());
  await waitFor(() => accepts(port), { seconds: 10, otherwise: () => instance.tail() });
  return { host: HERE, port };
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, HERE, () => resolve(true));
    socket.once("data", () => socket.destroy()).on("error", () => resolve(undefined));
  });
}

test("smtp-sink takes a second for each message: 60 clients, 20 connections, three seconds, none lost", {
  skip,
}, async (t) => {
  const send = createSender(t);
  const hop = await startSink(t, "-W", ".:1");
  const start = performance.now();
  const attempts = await Promise.all(Array.from({ length: 60 }, () => send(hop)));
  const seconds = (performance.now() - start) / 1000;
  assert.ok(attempts.every(({ kind }) => kind === "accepted"));
  // With 19 connections it would be four rounds, with 21 still three: the unit test counts.
  assert.ok(seconds >= 2.9, `${seconds} s`);
});

test("smtp-sink takes a second for each message: who waits for one second only hears `busy`", {
  skip,
}, async (t) => {
  const send = createSender(t, { limits: { maxConnections: 2 } });
  const hop = await startSink(t, "-W", ".:3");
  const attempts = await Promise.all(Array.from({ length: 5 }, () => send(hop, { kind: "waiting-client" })));
  assert.deepEqual(attempts.map(({ kind }) => kind).sort(), ["accepted", "accepted", "busy", "busy", "busy"]);
});

test("smtp-sink hangs up on MAIL, RCPT, DATA or the dot: an outcome each time", { skip }, async (t) => {
  const send = createSender(t);
  for (const command of ["connect", "ehlo", "mail", "rcpt", "data", "."]) {
    const hop = await startSink(t, "-q", command);
    for (const { kind } of await Promise.all([send(hop), send(hop)]))
      assert.equal(kind, "no-answer", command);
  }
});

/** With the certificate of mx.hop.example. */
async function startSecurePostfix(
  t: TestContext,
  settings: Readonly<Record<string, string>>,
): Promise<Postfix> {
  const chain = "/etc/postfix/chain.pem";
  const postfix = await startPostfix({
    hostname: "mx.hop.example",
    destinations: ["hop.example"],
    mailboxes: ["carol"],
    settings: { smtpd_tls_security_level: "may", smtpd_tls_chain_files: chain, ...settings },
  });
  t.after(() => postfix.stop());
  // Read by smtpd, which starts with the first connection.
  await writeFile(join(postfix.folder, chain), CERTIFICATE_KEY + CERTIFICATE, { mode: 0o600 });
  return postfix;
}

function outcome(attempt: Attempt | Busy): string {
  if (attempt.kind === "accepted") return `accepted ${attempt.tls}`;
  if (attempt.kind === "answered") return `${attempt.reply.code} ${attempt.reply.enhanced}`;
  return attempt.kind;
}

test("Postfix with STARTTLS: the certificate is verified for the MX name, and the outcome is told", {
  skip,
}, async (t) => {
  const { port, mail } = await startSecurePostfix(t, {});
  const send = createSender(t, { ca: CERTIFICATE });
  const hop = { host: HERE, port, name: "mx.hop.example" };
  const other = { ...hop, name: "mx.other.example" };
  for (let sent = 0; sent < 3; sent++) assert.equal(outcome(await send(hop)), "accepted verified");
  assert.equal(outcome(await send(other)), "accepted unverified");
  assert.equal(outcome(await send({ ...hop, tls: "required-verified" })), "accepted verified");
  assert.equal(outcome(await send({ ...other, tls: "required-verified" })), "451 4.7.5");
  const [first] = await mail("carol", { count: 5 });
  assert.match(String(first), /\n\.a line\r?\n/);
});

test("Postfix as a smart host: AUTH over TLS with good and bad credentials", {
  skip: skipAuth,
}, async (t) => {
  const saslPort = await freePort();
  const dovecot = await startDovecot({
    users: {},
    blocks: `
passdb {
  driver = static
  args = password=open-sesame
}
service auth {
  inet_listener {
    address = ${HERE}
    port = ${saslPort}
  }
}
`,
    settings: { auth_mechanisms: "plain login" },
  });
  t.after(() => dovecot.stop());
  const { port } = await startSecurePostfix(t, {
    smtpd_sasl_auth_enable: "yes",
    smtpd_sasl_type: "dovecot",
    smtpd_sasl_path: `inet:${HERE}:${saslPort}`,
    smtpd_tls_auth_only: "yes",
    mynetworks: "192.0.2.0/24",
    smtpd_recipient_restrictions: "permit_sasl_authenticated, reject",
  });
  const send = createSender(t, { ca: CERTIFICATE });
  const hop: NextHop = { host: HERE, port, name: "mx.hop.example", tls: "required-verified" };
  const as = (password: string): NextHop => ({ ...hop, credentials: { user: "site", password } });
  assert.equal(outcome(await send(as("open-sesame"))), "accepted verified");
  assert.equal(outcome(await send(as("wrong"))), "451 4.7.8");
  assert.equal(outcome(await send(hop)), "554 5.7.1");
});
