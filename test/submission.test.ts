// Submission for people: real mail clients log in and send, each recipient's mail goes where it should, and is on the disk before
// the client hears 250.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { createMessageSigner, createPeople, createScryptPasswords } from "@homing/forwarder";
import { hello, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { dialTls, overTls } from "../packages/forwarder/src/testing/tls-client.ts";
import { storiesNeed } from "./harness/availability.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { type InProcessForwarder, NOW } from "./harness/in-process.ts";
import { startInstance } from "./harness/instance.ts";
import { startLinePeer } from "./harness/line-peer.ts";
import {
  ALICE,
  ASCII_PASSWORD,
  alicesClient,
  client,
  HOSTNAME,
  logIn,
  PASSWORD,
  people,
  policyOf,
  submissionTo,
  submitMail,
} from "./harness/submission-scene.ts";
import { queued, until } from "./harness/trust-scene.ts";

const skip = (await storiesNeed("msmtp", "python3-dkim")) ?? false;

function ports({ submission }: InProcessForwarder): { starttls: number; tls: number } {
  const { listen, listenTls } = submission;
  assert.ok(listen && listenTls);
  return { starttls: listen.port, tls: listenTls.port };
}

const DRAFT = `From: Alice Ö <${ALICE}>\nTo: fred@far.example\nSubject: draft\n\nHello!\n.a dot\n`;

/** As it came to the next hop, without the final dot. */
function textOf(message: Buffer | undefined): string {
  return message?.toString("latin1") ?? "";
}

function assertArrived(message: string): void {
  assert.match(
    message,
    /^Received: from \S+ \(\[127\.0\.0\.1\]\)\r\n\tby mx\.forwarder\.example \(Homing\) with ESMTPSA id id\d+\r\n/,
  );
  assert.match(message, /^From: Alice \S+ <alice@home\.example>\r$/m);
  assert.match(message, /\r\n\r\nHello!\r\n\.\.a dot\r\n\.\r\n$/);
  for (const name of ["Date", "Message-ID", "From", "Subject"])
    assert.equal(message.match(new RegExp(`^${name}: `, "gim"))?.length, 1, name);
}

function createCertificate() {
  const folder = mkdtempSync(join(tmpdir(), "homing-submission-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const argv =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=next.test";
  execFileSync("openssl", [...argv.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  const read = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return read;
}

const SMTPLIB = `
import json, smtplib, ssl, sys
context = ssl._create_unverified_context()
for line in sys.stdin:
    job = json.loads(line)
    try:
        if job["tls"]:
            server = smtplib.SMTP_SSL("127.0.0.1", job["port"], context=context, timeout=20)
        else:
            server = smtplib.SMTP("127.0.0.1", job["port"], timeout=20)
            server.starttls(context=context)
        server.ehlo()
        server.user, server.password = job["name"], job["password"]
        code, text = server.auth(job["mechanism"], getattr(server, job["way"]), initial_response_ok=job["initial"])
        server.sendmail(job["from"], job["to"], job["message"].replace("\\n", "\\r\\n").encode())
        server.quit()
        answer = {"answer": code}
    except smtplib.SMTPResponseException as error:
        answer = {"answer": str(error.smtp_code) + " " + error.smtp_error.decode()}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
`;

test("Python's smtplib logs in by PLAIN and LOGIN, with and without initial response, on both ports", {
  skip,
}, async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  await using python = await startLinePeer({
    packageName: "python3-dkim",
    interpreter: ["python3", "-I"],
    script: SMTPLIB,
  });
  const { starttls, tls } = ports(forwarder);
  const wrong = "535 5.7.8 name or password is wrong";
  for (const port of [starttls, tls]) {
    for (const mechanism of ["plain", "login"]) {
      for (const initial of [true, false]) {
        const way = { mechanism: mechanism.toUpperCase(), way: `auth_${mechanism}`, initial };
        const mail = { from: ALICE, to: ["fred@far.example"], message: DRAFT };
        const job = { port, tls: port === tls, name: "alice2", ...way, ...mail };
        const what = JSON.stringify(way);
        assert.equal(await python.ask({ ...job, password: ASCII_PASSWORD }), 235, what);
        assert.equal(await python.ask({ ...job, password: "guess" }), wrong, what);
      }
    }
  }
  await until(() => hop.messages.length === 8, "all have arrived");
  for (const message of hop.messages) assertArrived(textOf(message));
  assert.equal(hop.commands.filter((command) => command.startsWith(`MAIL FROM:<${ALICE}>`)).length, 8);
});

test("msmtp, with GnuTLS, sends on both ports, and is told when the sender is not its user's", {
  skip,
}, async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  await using msmtp = await startInstance({ packageName: "msmtp", command: ["sleep", "1000"] });
  const { starttls, tls } = ports(forwarder);
  const send = (port: number, auth: string, from: string) =>
    msmtp.run(
      [
        ...["msmtp", "--host=127.0.0.1", `--port=${port}`, "--tls=on", "--tls-certcheck=off"],
        ...[`--tls-starttls=${port === starttls ? "on" : "off"}`, `--auth=${auth}`, "--user=alice"],
        ...['--passwordeval=printf %s "$HOMING_PASSWORD"', `--from=${from}`, "fred@far.example"],
      ],
      {
        input: DRAFT,
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", HOMING_PASSWORD: PASSWORD },
      },
    );
  for (const port of [starttls, tls]) {
    for (const auth of ["plain", "login"]) {
      const { code, stderr } = await send(port, auth, ALICE);
      assert.equal(code, 0, `${stderr}${JSON.stringify(forwarder.events)}`);
    }
  }
  await until(() => hop.messages.length === 4, "all have arrived");
  for (const message of hop.messages) assertArrived(textOf(message));
  const refused = await send(tls, "plain", "boss@corp.example");
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /550 5\.7\.1 the sender is none of your addresses/);
});

test("recipients elsewhere get it themselves, those at our domains where the tables lead, each its one copy", async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  using wire = await alicesClient(forwarder);
  const to = [
    "far@far.example",
    "friends@forwarder.example",
    "other@other.example",
    "lost@forwarder.example",
  ];
  assert.equal(await submitMail(wire, { to }), "250 2.0.0 kept, and on its way");
  await until(() => hop.messages.length === 3, "all have arrived");
  const mails = hop.commands
    .filter((command) => command.startsWith("MAIL "))
    .map((line) => line.split(" ")[1]);
  const srs = mails.find((path) => path?.includes("SRS0="));
  assert.match(
    srs ?? "",
    /^FROM:<SRS0=\S+=home\.example=alice@forwarder\.example>$/,
    "forwarded mail is rewritten",
  );
  assert.equal(mails.filter((path) => path === `FROM:<${ALICE}>`).length, 2);
  const recipients = hop.commands.filter((command) => command.startsWith("RCPT "));
  assert.deepEqual(recipients.toSorted(), [
    "RCPT TO:<far@far.example>",
    "RCPT TO:<fred@far.example>",
    "RCPT TO:<other@other.example>",
  ]);
  const events = forwarder.events.map(({ event }) => event);
  assert.deepEqual(events.slice(0, 2), ["logged-in", "submitted"]);
  assert.equal(events.filter((event) => event === "received").length, 4);
  assert.equal(events.filter((event) => event === "discarded").length, 1);
  assert.equal(
    await submitMail(wire, { to: ["nobody@forwarder.example"] }).then((reply) => reply.slice(0, 9)),
    "550 5.1.1",
  );
  assert.match(await wire.ask("RSET"), /^250 /);
  const { mailbox } = { mailbox: srs?.slice(6, -1) ?? "" };
  assert.match(
    await submitMail(wire, { from: "", to: [mailbox] }),
    /^550 5\.7\.1 this address takes bounces alone/,
  );
});

test("it is on the disk before the client hears 250, whatever the next hop does", async (t) => {
  await using forwarder = await submissionTo(t, { port: PORT_OF_NOBODY });
  using wire = await alicesClient(forwarder);
  assert.equal(await submitMail(wire), "250 2.0.0 kept, and on its way");
  assert.equal(await queued(forwarder), 1);
});

test("without room on the disk it is 452, and the log says that it was not kept", async (t) => {
  await using forwarder = await submissionTo(
    t,
    { port: PORT_OF_NOBODY },
    { minFreeOctets: Number.MAX_SAFE_INTEGER },
  );
  using wire = await alicesClient(forwarder);
  assert.match(await submitMail(wire), /^452 4\.3\.1 /);
  assert.equal(await queued(forwarder), 0);
});

test("what cannot be delivered comes back to the person", async (t) => {
  await using hop = await startHop({ RCPT: "550 5.1.1 no such user" });
  await using forwarder = await submissionTo(t, hop);
  using wire = await alicesClient(forwarder);
  assert.match(await submitMail(wire), /^250 /);
  await until(() => forwarder.events.some(({ event }) => event === "dsn"), "the sender is told");
  const dsn = forwarder.events.find(({ event }) => event === "dsn");
  assert.ok(dsn?.event === "dsn");
  assert.equal(dsn.to, ALICE);
});

test("of a message without sender, a receipt, nobody is told", async (t) => {
  await using hop = await startHop({ RCPT: "550 5.1.1 no such user" });
  await using forwarder = await submissionTo(t, hop);
  using wire = await alicesClient(forwarder);
  assert.match(await submitMail(wire, { from: "" }), /^250 /);
  await until(() => forwarder.events.some(({ event }) => event === "given-up"), "it is given up");
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  assert.ok(!forwarder.events.some(({ event }) => event === "dsn"));
});

test("a certificate is replaced on all ports at once", async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  const next = createCertificate();
  forwarder.replaceTls(next);
  assert.throws(() => forwarder.replaceTls({ key: Buffer.from("x"), cert: next.cert }));
  const { starttls, tls } = ports(forwarder);
  const direct = await dialTls({ port: tls });
  const behind = [forwarder.port, starttls].map(async (port) => {
    const plain = await hello({ port });
    await plain.ask("STARTTLS");
    return await overTls(plain);
  });
  for (const wire of [direct, ...(await Promise.all(behind))]) {
    using _ = wire;
    assert.ok(wire.socket instanceof TLSSocket);
    assert.equal(wire.socket.getPeerCertificate().subject.CN, "next.test");
  }
});

test("who is taken out of the users file may not send any more, in the session that he has neither", async (t) => {
  await using hop = await startHop();
  let users = await people();
  await using forwarder = await submissionTo(t, hop, {
    policy: policyOf(
      () => users,
      createScryptPasswords(() => users),
    ),
  });
  using wire = await alicesClient(forwarder);
  assert.match(await submitMail(wire), /^250 /);
  users = new Map();
  assert.match(await submitMail(wire), /^550 5\.7\.1 /);
  using again = await client(forwarder);
  assert.match(await logIn(again, "alice", PASSWORD), /^535 /);
});

test("mail of people is signed by the domain in From, with what was added", { skip }, async (t) => {
  const { signer: key, dns } = createDkimKey("home.example", "s1");
  const signer = createMessageSigner([{ ...key, privateKey: key.privateKeyPem }]);
  const domains: string[] = [];
  await using hop = await startHop();
  const users = await people();
  const policy = createPeople({
    hostname: HOSTNAME,
    users: () => users,
    passwords: createScryptPasswords(() => users),
    now: () => NOW,
    async sign(message, fromDomain) {
      domains.push(fromDomain);
      return await signer(message);
    },
  });
  await using forwarder = await submissionTo(t, hop, { policy });
  using wire = await alicesClient(forwarder);
  const large = `From: ${ALICE}\r\n\r\n${"0123456789abcdef\r\n".repeat(30_000)}`;
  for (const message of [undefined, large])
    assert.match(await submitMail(wire, message ? { message } : {}), /^250 /);
  await until(() => hop.messages.length === 2, "both have arrived");
  assert.deepEqual(domains, ["home.example", "home.example"]);
  await using python = await dkim();
  for (const message of hop.messages) {
    const text = textOf(message);
    assert.match(text, /^Received: [\s\S]*?\r\nDKIM-Signature: /);
    const signed = Buffer.from(text.slice(0, -".\r\n".length), "latin1");
    assert.equal(await python.verify(signed, { dns }), true);
  }
});
