// `homing sendmail` as PHP, cron and mailers call it: their command lines and messages, what the server gets, the exit code.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { FIN, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, MAIN, plainEnvironment } from "./harness/homing.ts";
import {
  type Call,
  callWith,
  FOLDER,
  MESSAGE,
  SETTINGS,
  sendmail,
  settingsFile,
} from "./harness/sendmail-call.ts";
import { startSubmissionPeer } from "./harness/submission-peer.ts";

/** The command lines of real programs, as their sources have them. */
const callers: readonly [
  program: string,
  argv: readonly string[],
  input: string,
  sender: string,
  to: readonly string[],
][] = [
  ["PHP", ["-t", "-i"], MESSAGE, "cards@site.example", ["ann@a.example"]],
  [
    "WordPress",
    ["-t", "-i", "-fwordpress@site.example"],
    MESSAGE,
    "wordpress@site.example",
    ["ann@a.example"],
  ],
  ["PHPMailer", ["-oi", "-fcards@site.example", "-t"], MESSAGE, "cards@site.example", ["ann@a.example"]],
  [
    "Debian's cron",
    ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"],
    "From: root (Cron Daemon)\nTo: root\n\nx\n",
    "cards@site.example",
    ["root@site.example"],
  ],
  [
    "cronie",
    ["-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"],
    "To: root\n\nx\n",
    "root@site.example",
    ["root@site.example"],
  ],
  [
    "mutt",
    [
      "-oem",
      "-oi",
      "-f",
      "cards@site.example",
      "-N",
      "failure,delay",
      "-R",
      "hdrs",
      "--",
      "ann@a.example",
      "bob@b.example",
    ],
    MESSAGE,
    "cards@site.example",
    ["ann@a.example", "bob@b.example"],
  ],
  [
    "git send-email",
    ["-i", "-f", "Ann Lee <ann@site.example>", "bob@b.example", "Bob <list@b.example>"],
    MESSAGE,
    "ann@site.example",
    ["bob@b.example", "list@b.example"],
  ],
  [
    "mailx",
    ["-i", "-r", "cards@site.example", "ann@a.example,bob@b.example"],
    MESSAGE,
    "cards@site.example",
    ["ann@a.example", "bob@b.example"],
  ],
  ["mdadm", ["-t"], MESSAGE, "cards@site.example", ["ann@a.example"]],
  ["a vacation program", ["-f", "<>", "ann@a.example"], MESSAGE, "", ["ann@a.example"]],
  [
    "a Perl module",
    ["-t", "-oi", "-oem", "-U", "-G", "-n", "-X", "/dev/null", "-V", "id-1", "-O", "Timeout=1"],
    MESSAGE,
    "cards@site.example",
    ["ann@a.example"],
  ],
  ["letters in one word", ["-itfbob@b.example"], MESSAGE, "bob@b.example", ["ann@a.example"]],
];

for (const [program, argv, input, sender, recipients] of callers) {
  test(`the command line of ${program} sends the message`, async () => {
    const { code, stdout, stderr, taken } = await sendmail({ argv, input });
    assert.equal(code, 0, stderr);
    assert.equal(String(stdout) + stderr, "");
    assert.equal(taken.length, 1);
    assert.deepEqual(
      [taken[0]?.user, taken[0]?.reversePath, taken[0]?.recipients],
      ["web", sender, recipients],
    );
  });
}

test("with -t, recipients of the command line are added, and nobody sees Bcc", async () => {
  const input = "To: Ann <ann@a.example>, root\nBcc: hidden@h.example\nCc: ann@A.EXAMPLE\n\nx\n";
  const { code, taken } = await sendmail({ argv: ["-t", "dave@d.example"], input });
  assert.equal(code, 0);
  assert.deepEqual(taken[0]?.recipients, [
    ...["dave@d.example", "ann@a.example", "root@site.example", "hidden@h.example"],
  ]);
  assert.doesNotMatch(taken[0]?.message ?? "", /hidden|Bcc/i);
});

test("the message arrives octet by octet, with what it lacked on top", async () => {
  const body = "..\n.\n.x\nFrom here\n\xe9\xff\n";
  const { code, taken } = await sendmail({
    argv: ["-i", "-F", "Cards", "ann@a.example"],
    input: `Subject: \xfc\n\n${body}`,
  });
  assert.equal(code, 0);
  const [top = "", ...rest] = (taken[0]?.message ?? "").split("Subject: ");
  assert.match(
    top,
    /^From: Cards <cards@site\.example>\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\nMessage-ID: <[\w-]{36}@site\.example>\r\n$/,
  );
  assert.equal(rest.join("Subject: "), `\xfc\r\n\r\n${body.replaceAll("\n", "\r\n")}`);
});

test("a line that is a dot ends the message, without -i", async () => {
  const { taken } = await sendmail({ argv: ["ann@a.example"], input: "Subject: x\n\na\n.\nb\n" });
  assert.match(taken[0]?.message ?? "", /\r\n\r\na\r\n$/);
});

test("a message of many megabytes arrives whole, and its file has no name", async () => {
  const line = `${"0123456789".repeat(7)}\n`;
  const input = `To: ann@a.example\nBcc: bob@b.example\n\n${line.repeat(100_000)}`;
  const before = await temporaryFolders();
  const { code, taken, stderr } = await sendmail({ input });
  assert.equal(code, 0, stderr);
  assert.deepEqual(taken[0]?.recipients, ["ann@a.example", "bob@b.example"]);
  const body = (taken[0]?.message ?? "").split("\r\n\r\n")[1];
  assert.ok(body === line.replace("\n", "\r\n").repeat(100_000));
  assert.deepEqual(await temporaryFolders(), before);
});

async function temporaryFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("homing-pipe-"));
}

const UNKNOWN = "550 5.1.1 no such user";
const LATER = "451 4.2.0 come back";

test("a refused recipient is told, and the others get the message", async () => {
  const rcpt = (address: string) => (address.startsWith("no") ? UNKNOWN : undefined);
  const argv = ["no1@a.example", "ann@a.example", "no2@a.example"];
  const { code, stderr, taken } = await sendmail({ argv, peer: { rcpt } });
  assert.equal(code, 67);
  assert.deepEqual(taken[0]?.recipients, ["ann@a.example"]);
  assert.deepEqual(
    stderr
      .trimEnd()
      .split("\n")
      .map((line) => /sendmail: (\S+): .*refuses this recipient: 550 5\.1\.1/.exec(line)?.[1]),
    ["no1@a.example", "no2@a.example"],
  );
});

const refusals: readonly [what: string, peer: Call["peer"], code: number, words: RegExp][] = [
  ["nobody is known", { rcpt: () => UNKNOWN }, 67, /refuses this recipient/],
  ["all may come later", { rcpt: () => LATER }, 75, /send it again later.*there is no queue here/],
  ["one is unknown, and one later", { rcpt: (_, n) => (n === 0 ? LATER : UNKNOWN) }, 75, /defers/],
  [
    "the sender is not ours",
    { mail: () => "550 5.7.1 not your address" },
    77,
    /refused the message: 550 5\.7\.1/,
  ],
  ["a recipient is not allowed", { rcpt: () => "550 5.7.1 not to him" }, 77, /550 5\.7\.1/],
  ["the message is refused", { dot: () => "554 5.6.0 what is this?" }, 65, /nothing was sent/],
  ["the message is spam", { dot: () => "554 5.7.1 no spam" }, 77, /nothing was sent/],
  ["the server is full", { dot: () => "452 4.3.1 no room" }, 75, /there is no queue here/],
  ["it is refused without a reason", { mail: () => "550 no" }, 69, /nothing was sent/],
];

for (const [what, peer, expected, words] of refusals) {
  test(`where ${what}, it ends with ${expected} and says so`, async () => {
    const { code, stderr, taken } = await sendmail({ argv: ["a@a.example", "b@b.example"], peer });
    assert.deepEqual([code, taken.length], [expected, 0]);
    assert.match(stderr, words);
  });
}

test("with --final a temporary failure ends with 69: PHP may take 75 for sent", async () => {
  const { code } = await sendmail({ argv: ["--final", "-t"], peer: { rcpt: () => LATER } });
  assert.equal(code, 69);
});

test("more recipients than a transaction has room for get the message in a second one", async () => {
  const rcpt = (_: string, before: number) => (before >= 2 ? "452 4.5.3 too many" : undefined);
  const argv = ["a@a.example", "b@a.example", "c@a.example", "d@a.example", "e@a.example"];
  const { code, stderr, taken } = await sendmail({ argv, peer: { rcpt } });
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    taken.flatMap((one) => one.recipients),
    argv,
  );
  assert.equal(new Set(taken.map((one) => one.message)).size, 1);
  const never = await sendmail({ argv, peer: { rcpt: () => "452 4.5.3 too many" } });
  assert.deepEqual([never.code, never.taken.length], [75, 0]);
});

test("a server that does not answer to the whole message may have it, and that is said", async () => {
  await using hop = await startHop({ dot: FIN });
  const result = await callWith({ server: `127.0.0.1:${hop.port}`, tls: "none", from: "a@site.example" }, [
    "b@b.example",
  ]);
  assert.equal(result.code, 75);
  assert.match(result.stderr, /may have been sent: sending it again may send it twice/);
});

test("nobody at the server's port: 75, with what to do", async () => {
  const { code, stderr } = await callWith(
    { server: `127.0.0.1:${PORT_OF_NOBODY}`, tls: "none", domain: "site.example" },
    ["a@a.example"],
  );
  assert.equal(code, 75);
  assert.match(
    stderr,
    /no answer from 127\.0\.0\.1:1: .*ECONNREFUSED.*: nothing was sent: is a server running there\?/,
  );
});

/** Each before anything is sent. */
const mistakes: readonly [what: string, call: Call, code: number, words: RegExp][] = [
  ["nobody is named", { argv: ["-i"] }, 64, /nobody is named/],
  ["-t finds nobody", { input: "Subject: x\n\nx\n" }, 65, /names nobody/],
  ["an option is unknown", { argv: ["-k", "a@a.example"] }, 64, /-k is no option/],
  ["a recipient is no address", { argv: ["a b c"] }, 64, /words without/],
  ["a recipient holds a line end", { argv: ["a@a.example\nDATA"] }, 64, /words without|control/],
  ["a recipient in To is no address", { input: "To: a@a.example, <b\n\nx\n" }, 65, /To field/],
  ["the message has a bare CR", { input: "To: a@a.example\n\na\r.\r\n" }, 65, /a CR without its LF/],
  ["the message has a NUL", { input: "To: a@a.example\n\n\0" }, 65, /NUL/],
  ["the message is too large", { settings: { maxMessageOctets: 20 } }, 65, /maxMessageOctets/],
  [
    "the header has no end",
    { input: `To: a@a.example\n${"A: b\n".repeat(400_000)}` },
    65,
    /header of over a megabyte/,
  ],
  ["a setting is unknown", { settings: { pasword: "x" } }, 78, /pasword is no setting/],
  ["there is no server", { settings: { server: undefined } }, 78, /server is missing/],
  [
    "tls: none is not on this machine",
    { settings: { server: "mail.site.example:25", tls: "none" } },
    78,
    /only for a server on this machine/,
  ],
  ["a name has no password", { settings: { passwordFile: undefined } }, 78, /belong together/],
  ["there is no password file", { settings: { passwordFile: "nowhere" } }, 78, /no such file/],
];

for (const [what, call, expected, words] of mistakes) {
  test(`where ${what}, nothing is sent, and it ends with ${expected}`, async () => {
    const { code, stderr, taken, logIns } = await sendmail(call);
    assert.deepEqual([code, taken.length, logIns], [expected, 0, 0], stderr);
    assert.match(stderr, words);
    assert.ok(
      stderr
        .trimEnd()
        .split("\n")
        .every((line) => line.startsWith("homing sendmail: ")),
    );
  });
}

test("who asks for the queue is told that there is none, which is no failure", async () => {
  const { code, stdout } = await homing(["sendmail", "-bp"]);
  assert.equal(code, 0);
  assert.match(String(stdout), /keeps no queue/);
});

test("a writer that is killed with us half way has sent nothing", async () => {
  await using server = await startSubmissionPeer({ folder: FOLDER });
  const config = await settingsFile({ server: `localhost:${server.port}`, ...SETTINGS });
  const child = spawn(process.execPath, [MAIN, "sendmail", "--config", config, "-t"], {
    env: plainEnvironment(),
  });
  child.stdin.on("error", () => {});
  child.stdin.write(`To: ann@a.example\n\n${"half a letter\n".repeat(200_000)}`, () => child.kill("SIGKILL"));
  await once(child, "close");
  assert.deepEqual([server.taken.length, server.logIns], [0, 0]);
});
