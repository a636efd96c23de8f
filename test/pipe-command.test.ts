// `homing pipe` as a local delivery runs it: its environment, what the sendmail program gets, and the exit code, in qmail's way
// (dot-qmail(5), qmail-command(8)) and in that of sysexits. Debian 12 has no qmail: its environment is made here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CommandResult, run } from "./harness/command.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, MAIN, plainEnvironment } from "./harness/homing.ts";
import { keepingSendmail, SRS_DOMAIN, startReadsocket } from "./harness/pipe-scene.ts";
import { recipe } from "./harness/pipe-site.ts";
import { startScriptedHop } from "./harness/scripted-hop.ts";

const SOCKET = join(tmpdir(), `homing-pipe-${process.pid}.sock`);
const daemon = await startReadsocket(SOCKET);
after(() => daemon[Symbol.asyncDispose]());

const FAR = "private@far.example";
const LETTER = "Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\nSubject: x\n\nFrom here on\n.\n";
const FROM_LINE = "From bob@source.example Sat Nov 21 12:00:00 2026\n";
const REWRITTEN = new RegExp(`^SRS0\\S*source\\.example=bob@${SRS_DOMAIN.replaceAll(".", "\\.")}$`);
const QMAIL = {
  SENDER: "bob@source.example",
  RECIPIENT: "alice@home.example",
  RPLINE: "Return-Path: <bob@source.example>\n",
  DTLINE: "Delivered-To: alice@home.example\n",
};

interface Ran extends CommandResult {
  readonly args: readonly string[] | undefined;
  readonly message: string | undefined;
}

interface Run {
  readonly options?: readonly string[];
  readonly recipients?: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function pipe({
  options = [],
  recipients = [FAR],
  input = FROM_LINE + LETTER,
  env = {},
}: Run): Promise<Ran> {
  await using sendmail = await keepingSendmail();
  const argv = ["pipe", "--socket", SOCKET, "--sendmail", sendmail.path, ...options, ...recipients];
  const result = await homing(argv, {
    input: Buffer.from(input, "latin1"),
    env: { ...plainEnvironment(), ...env },
  });
  const got = await sendmail.got();
  return { ...result, args: got?.args, message: got?.message };
}

test("a message goes on with a rewritten sender, and its octets as they are", async () => {
  const { code, args, message, stderr, stdout } = await pipe({});
  assert.equal(code, 0, stderr);
  assert.deepEqual(args?.toSpliced(2, 1), ["-i", "-f", "--", FAR]);
  assert.match(args?.[2] ?? "", REWRITTEN);
  assert.equal(message, LETTER);
  assert.equal(String(stdout), "");
  assert.equal(stderr, "");
});

const tops: readonly [what: string, run: Run, sender: RegExp, message: string][] = [
  [
    "CRLF and 8 bits",
    { input: `Return-Path: <bob@source.example>\r\nA: \xe9\r\n\r\nx` },
    REWRITTEN,
    "A: \xe9\r\n\r\nx",
  ],
  ["no header at all", { input: `${FROM_LINE}\nbody` }, REWRITTEN, "\nbody"],
  ["a sender of the site's own", { options: ["-f", "carol@home.example"] }, /^carol@home\.example$/, LETTER],
  [
    "an SRS address of the site's own",
    { options: ["-f", `SRS0=x=y=z=a@${SRS_DOMAIN}`] },
    /^SRS0=x=y=z=a@/,
    LETTER,
  ],
  ["a sender without a domain", { options: ["-f", "root"] }, /^root$/, LETTER],
  ["the null sender", { options: ["-f", ""] }, /^<>$/, LETTER],
  ["the null sender of the mbox line", { input: `From MAILER-DAEMON Sat\n${LETTER}` }, /^<>$/, LETTER],
  ["an empty SENDER", { env: { SENDER: "" }, input: LETTER }, /^<>$/, LETTER],
  [
    "a SENDER that Postfix filtered",
    { env: { SENDER: "b_b@source.example" }, input: `From b'b@source.example Sat\n${LETTER}` },
    /=b'b@/,
    LETTER,
  ],
  [
    "a recipient that the delivery names",
    { env: { SENDER: "bob@source.example", RECIPIENT: "alice@home.example" } },
    REWRITTEN,
    `Delivered-To: alice@home.example\n${LETTER}`,
  ],
];

for (const [what, run, sender, message] of tops) {
  test(`a message with ${what}`, async () => {
    const ran = await pipe(run);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.args?.[2] ?? "", sender);
    assert.equal(ran.message, message);
  });
}

test("a large message arrives whole", async () => {
  const input = `${FROM_LINE}Subject: x\n\n${"0123456789abcdef\n".repeat(600_000)}`;
  const { code, message } = await pipe({ input });
  assert.equal(code, 0);
  assert.ok(message === input.slice(FROM_LINE.length));
});

test("under qmail: Delivered-To is on top, --stop ends with 99, and both null senders are empty", async () => {
  const { code, args, message } = await pipe({ env: QMAIL, input: LETTER });
  assert.equal(code, 0);
  assert.match(args?.[2] ?? "", REWRITTEN);
  assert.equal(message, QMAIL.DTLINE + LETTER);
  assert.equal((await pipe({ env: QMAIL, input: LETTER, options: ["--stop"] })).code, 99);
  for (const SENDER of ["", "#@[]"]) {
    const bounce = await pipe({ env: { ...QMAIL, SENDER }, input: LETTER });
    assert.deepEqual([bounce.code, bounce.args], [0, ["-i", "-f", "", "--", FAR]]);
  }
});

test("the line of deploy/qmail/dot-qmail, run as qmail-local runs it, passes the message on", async () => {
  await using sendmail = await keepingSendmail();
  await writeFile(join(sendmail.folder, ".forward-to"), `${FAR}\n`);
  const places = `--socket ${SOCKET} --sendmail ${sendmail.path}`;
  const line = (await recipe("qmail/dot-qmail")).trim();
  const command = line.slice(1).replace("/usr/local/bin/homing pipe", `"$NODE" "$MAIN" pipe ${places}`);
  const env = { ...plainEnvironment(), ...QMAIL, NODE: process.execPath, MAIN };
  const ran = await run(["sh", "-c", command], { cwd: sendmail.folder, env, input: LETTER });
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual((await sendmail.got())?.args.slice(3), ["--", FAR]);
});

/** Nothing went out, and the delivery is told so. */
const failures: readonly [what: string, run: Run, qmail: number, sysexits: number, words: RegExp][] = [
  ["no sender is known", { input: LETTER }, 111, 75, /nobody says who sent the message/],
  ["an unknown option", { options: ["--nonsense"] }, 111, 75, /--nonsense is no option/],
  ["nobody to send to", { recipients: [] }, 111, 75, /nobody is named/],
  [
    "no daemon",
    { options: ["--socket", "/nowhere/readsocket"] },
    111,
    75,
    /no answer from the daemon at \/nowhere/,
  ],
  ["no place of a daemon", { options: ["--socket", "nowhere"] }, 111, 75, /no path and no HOST:PORT/],
  ["no sendmail", { options: ["--sendmail", "/nowhere/sendmail"] }, 111, 75, /cannot be run: ENOENT/],
  ["a header of megabytes", { input: FROM_LINE + "A: b\n".repeat(300_000) }, 100, 65, /over a megabyte/],
  [
    "a sender who does not fit into an address, and nothing that keeps him",
    { options: ["-f", `${"v".repeat(65)}@source.example`] },
    100,
    65,
    /the sender cannot be rewritten: .* 64: .* run homing serve with a stateDirectory/,
  ],
  [
    "a sender that servers read as another",
    { options: ["-f", "bob%source.example"] },
    100,
    65,
    /cannot be rewritten/,
  ],
  ["a sender with a line end", { options: ["-f", "a@x.example\nRSET"] }, 100, 65, /the sender .* no address/],
];

for (const [what, run, qmail, sysexits, words] of failures) {
  test(`${what}: ${sysexits}, and ${qmail} to qmail; one line says why`, async () => {
    for (const [env, expected] of [
      [{ RPLINE: "x", DTLINE: "y" }, qmail],
      [{}, sysexits],
    ] as const) {
      const ran = await pipe({ ...run, env });
      assert.equal(ran.code, expected, ran.stderr);
      assert.match(ran.stderr, words);
      assert.match(ran.stderr, /^homing pipe: [^\n]*\n$/);
      assert.doesNotMatch(ran.stderr, /private|far\.example/);
      assert.equal(ran.args, undefined, "sendmail did not run");
    }
  });
}

test("--conventions is before what the environment shows", async () => {
  const failing = { input: LETTER, env: { RPLINE: "x", DTLINE: "y" } };
  assert.equal((await pipe({ ...failing, options: ["--conventions", "sysexits"] })).code, 75);
  assert.equal((await pipe({ input: LETTER, options: ["--conventions", "qmail"] })).code, 111);
});

test("a message that was here before is a loop, which ends: 69, and 100 to qmail", async () => {
  const before = LETTER.replace("Subject", "Delivered-To: Alice@home.example\nSubject");
  const qmail = await pipe({ env: QMAIL, input: before });
  assert.deepEqual([qmail.code, qmail.args], [100, undefined]);
  assert.match(qmail.stderr, /^homing pipe: the message was here before: a mail loop\n$/);
  const env = { SENDER: "bob@source.example", RECIPIENT: "alice@home.example" };
  const top = "Delivered-To: alice@home.example\n";
  assert.deepEqual(await codeAndArgs({ env, input: top + before }), [69, undefined]);
  assert.equal((await pipe({ env, input: top + LETTER })).message, top + LETTER, "Postfix's own is no loop");
});

async function codeAndArgs(run: Run): Promise<unknown[]> {
  const { code, args } = await pipe(run);
  return [code, args];
}

const ends: readonly [sendmail: string, qmail: number, sysexits: number][] = [
  ["75", 111, 75],
  ["67", 100, 67],
  ["65", 100, 65],
  ["77", 100, 77],
  ["69", 100, 69],
  ["64", 111, 75],
  ["100", 100, 69],
  ["111", 111, 75],
  ["1", 111, 75],
];

for (const [end, qmail, sysexits] of ends) {
  test(`a sendmail program that ends with ${end} is ${sysexits}, and ${qmail} to qmail; its words are told without addresses`, async () => {
    const env = { SENDMAIL_EXIT: end, SENDMAIL_SAYS: "has no room" };
    const ran = await pipe({ env });
    assert.equal(ran.code, sysexits);
    assert.match(ran.stderr, new RegExp(`ended with ${end}: sendmail: … has no room\n$`));
    assert.equal((await pipe({ env: { ...env, ...QMAIL }, input: LETTER })).code, qmail);
  });
}

for (const [what, answer] of [
  ["says TEMP", "TEMP ask again\n"],
  ["says nothing", ""],
  ["speaks another protocol", "220 mx.example ESMTP\r\n"],
  ["gives an option for an address", "OK -X/tmp/log\n"],
] as const) {
  test(`a daemon that ${what}: the message waits`, async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const ran = await pipe({ options: ["--socket", `127.0.0.1:${port}`] });
    server.close();
    assert.deepEqual([ran.code, ran.args], [75, undefined]);
  });
}

test("as sendmail -t it is mail of the site: the program reads the header, and the daemon is not asked", async () => {
  const input = "To: a@x.example\nBcc: b@y.example\n\nbody\n";
  const run = { options: ["-oi", "-t", "--socket", "/nowhere"], recipients: [], input };
  const { code, args, message } = await pipe({ ...run, env: { SENDER: "bob@source.example" } });
  assert.equal(code, 0);
  assert.deepEqual(args, ["-i", "-t"]);
  assert.equal(message, input);
});

test("recipients may be in a file, so that no bounce shows them", async (t) => {
  const file = join(tmpdir(), `homing-recipients-${process.pid}`);
  t.after(() => rm(file, { force: true }));
  await writeFile(file, `# mine\n${FAR}\n\n`);
  const { args } = await pipe({ recipients: [], options: ["--recipients", file] });
  assert.deepEqual(args?.slice(3), ["--", FAR]);
  assert.equal((await pipe({ recipients: [], options: ["--recipients", "/nowhere/file"] })).code, 75);
});

test("--json prints one document, whatever the end", async () => {
  const done = await pipe({ options: ["--json"] });
  const { sender, ...rest } = JSON.parse(String(done.stdout)) as { sender: string };
  assert.match(sender, REWRITTEN);
  assert.deepEqual(rest, { ok: true, recipients: [FAR] });
  const failed = await pipe({ options: ["--json"], input: LETTER });
  assert.deepEqual([failed.code, JSON.parse(String(failed.stdout)).reason], [75, "retry"]);
});

test("a pipe that is killed half way has handed nothing over", async () => {
  await using sendmail = await keepingSendmail();
  const argv = [MAIN, "pipe", "--socket", SOCKET, "--sendmail", sendmail.path, FAR];
  const child = spawn(process.execPath, argv, { env: plainEnvironment() });
  child.stdin.on("error", () => {});
  // More than a pipe holds: when it is written, most of it was read.
  await new Promise((resolve) => child.stdin.write(`${FROM_LINE}${LETTER}${"x".repeat(1_000_000)}`, resolve));
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(await sendmail.got(), undefined);
});

test("over SMTP: lines get CRLF, each recipient a transaction", async () => {
  await using hop = await startScriptedHop();
  const options = ["--server", `127.0.0.1:${hop.port}`];
  const ran = await pipe({
    options,
    recipients: [FAR, "second@far.example"],
    input: `${FROM_LINE}A: b\n\n.x\r\ny`,
  });
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.args, undefined);
  assert.deepEqual(
    hop.taken.map(({ recipient }) => recipient),
    [FAR, "second@far.example"],
  );
  assert.match(hop.taken[0]?.reversePath ?? "", REWRITTEN);
  assert.equal(hop.taken[0]?.message, "A: b\r\n\r\n..x\r\ny\r\n");
});

const replies: readonly [reply: string, code: number][] = [
  ["550 5.1.1 <private@far.example> unknown", 69],
  ["451 4.3.2 later", 75],
];
for (const [reply, code] of replies) {
  test(`over SMTP: ${reply.slice(0, 9)} is ${code}, and nobody reads the address`, async () => {
    await using hop = await startScriptedHop(() => reply);
    const ran = await pipe({ options: ["--server", `127.0.0.1:${hop.port}`] });
    assert.equal(ran.code, code);
    assert.match(ran.stderr, new RegExp(`^homing pipe: the mail server said ${reply.slice(0, 9)}\n$`));
  });
}

test("over SMTP: no server is 75, and a bare CR, which could smuggle, 65", async () => {
  assert.equal((await pipe({ options: ["--server", `127.0.0.1:${PORT_OF_NOBODY}`] })).code, 75);
  await using hop = await startScriptedHop();
  const ran = await pipe({
    options: ["--server", `127.0.0.1:${hop.port}`],
    input: `${FROM_LINE}A: b\n\nx\r.\ry\n`,
  });
  assert.deepEqual([ran.code, hop.taken.length], [65, 0]);
});
