// Submission where Dovecot knows the passwords: a real one, asked through its auth-client socket.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createDovecotPasswords, type LogIn, parseUsersFile, systemClock } from "@homing/forwarder";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./harness/availability.ts";
import { type Dovecot, startDovecot } from "./harness/dovecot.ts";
import { ALICE, client, logIn, policyOf, submissionTo, submitMail } from "./harness/submission-scene.ts";

const skip = (await storiesNeed("dovecot-lmtpd")) ?? false;

const PASSWORD = "süß & secret";
const USERS = `alice@home.example::${ALICE}\nbob::bob@home.example\n`;
/** Below /var, since the /run of an instance is its own. */
const SOCKET = "/var/dovecot/auth-client";

function start(): Promise<Dovecot> {
  return startDovecot({
    users: {},
    settings: { auth_mechanisms: "plain login", disable_plaintext_auth: "yes", auth_failure_delay: "1 secs" },
    files: {
      "/etc/dovecot/people": `alice@home.example:{PLAIN}${PASSWORD}::::::\nstranger:{PLAIN}secret::::::\n`,
    },
    blocks: `
passdb {
  driver = passwd-file
  args = /etc/dovecot/people
}
service auth {
  unix_listener ${SOCKET} {
    mode = 0666
  }
}
`,
  });
}

function passwordsOf(dovecot: Dovecot) {
  let drawn = 0;
  return createDovecotPasswords({
    path: join(dovecot.folder, SOCKET),
    clock: systemClock,
    random: () => ++drawn / 1000,
  });
}

const login = (name: string, password: string): LogIn => ({ name, password, clientAddress: "192.0.2.1" });

test("Dovecot says who it is, in its own spelling, and many at a time", { skip }, async () => {
  await using dovecot = await start();
  const passwords = passwordsOf(dovecot);
  try {
    const answers = await Promise.all([
      passwords.check(login("Alice@Home.example", PASSWORD)),
      passwords.check(login("alice@home.example", "guess")),
      passwords.check(login("nobody", PASSWORD)),
      passwords.check(login("alice@home.example", `${PASSWORD}\t`)),
      passwords.check(login("alice@home.example\tuser=bob", PASSWORD)),
      passwords.check(login("alice@home.example", "x".repeat(3000))),
      passwords.check(login("stranger", "secret")),
    ]);
    const [alice, ...wrong] = answers;
    assert.deepEqual([alice, wrong.pop()], ["alice@home.example", "stranger"], await dovecot.log());
    assert.deepEqual(new Set(wrong), new Set([undefined]));
  } finally {
    passwords.close();
  }
});

test("a Dovecot that went away is told as that, and asked again when it is back", { skip }, async () => {
  const dovecot = await start();
  const passwords = passwordsOf(dovecot);
  try {
    assert.equal(await passwords.check(login("alice@home.example", PASSWORD)), "alice@home.example");
    await dovecot.run(["doveadm", "stop"]);
    await dovecot.stop();
    await assert.rejects(passwords.check(login("alice@home.example", PASSWORD)), /Dovecot: /);
  } finally {
    passwords.close();
  }
});

test("people log in by Dovecot, and send as the users file says", { skip }, async (t) => {
  await using dovecot = await start();
  await using hop = await startHop();
  const parsed = parseUsersFile(USERS, { passwords: "elsewhere" });
  assert.ok(parsed.ok);
  const passwords = passwordsOf(dovecot);
  t.after(() => passwords.close());
  await using forwarder = await submissionTo(t, hop, { policy: policyOf(() => parsed.users, passwords) });
  using wire = await client(forwarder);
  assert.match(await logIn(wire, "alice@home.example", "guess"), /^535 5\.7\.8 /);
  assert.match(await logIn(wire, "ALICE@home.example", PASSWORD), /^235 2\.7\.0 /);
  assert.match(await submitMail(wire), /^250 /);
  assert.match(await submitMail(wire, { from: "bob@home.example" }), /^550 5\.7\.1 /);
  using other = await client(forwarder);
  assert.match(await logIn(other, "stranger", "secret"), /^235 /, "Dovecot knows him");
  assert.match(await submitMail(other), /^550 5\.7\.1 /, "and the users file has no address of his");
  await dovecot.stop();
  using late = await client(forwarder);
  assert.match(await logIn(late, "alice@home.example", PASSWORD), /^454 4\.7\.0 /);
  const failed = forwarder.events.findLast(({ event }) => event === "log-in-failed");
  assert.ok(failed?.event === "log-in-failed" && failed.reason === "unavailable");
  assert.match(failed.cause ?? "", /^Dovecot: /);
});
