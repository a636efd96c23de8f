// homing bounce parse: what real bounces say, for people and for scripts. homing bounce reissue: what the original sender is
// told of them, without the private address.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
import { readBounce } from "@homing/bounce-handler";
import { renderMailbox } from "@homing/srs-core";
import {
  leaksInDsn,
  mailbox,
  type Sample,
  samplePath,
  samples,
} from "../packages/bounce-handler/src/testing/samples.ts";
import { homing } from "./harness/homing.ts";

const SAMPLES = resolve(import.meta.dirname, "../packages/bounce-handler/testdata/dsn");

async function parsed(args: readonly string[], input?: Uint8Array) {
  const { code, stdout, stderr } = await homing(["bounce", "parse", ...args], input ? { input } : {});
  return { code, text: stdout.toString(), stderr };
}

for (const [sample, recipient, effective] of [
  ["postfix-rcpt550.eml", "nouser@dest.example", "5.1.1"],
  ["exim-multiline.eml", "multi@dest.example", "5.1.1"],
  ["opensmtpd-rcpt550.eml", "nouser@dest.example", "5.1.1"],
  ["sendmail-quota552.eml", "full@dest.example", "5.2.2"],
] as const) {
  test(`${sample}: ${recipient} ${effective}, from a file and from stdin`, async () => {
    const file = resolve(SAMPLES, sample);
    const fromFile = await parsed(["--json", file]);
    const document = JSON.parse(fromFile.text);
    assert.deepEqual([fromFile.code, document.ok, document.kind], [0, true, "dsn"]);
    const [one] = document.recipients;
    assert.deepEqual([one.finalRecipient, one.effectiveStatus, one.final], [recipient, effective, true]);
    const fromStdin = await parsed(["--json", "-"], await readFile(file));
    assert.equal(fromStdin.text, fromFile.text);
    const forPeople = await parsed([file]);
    assert.ok(forPeople.text.includes(recipient) && forPeople.text.includes(effective));
  });
}

test("ordinary mail is 1, a file that is not there 78, and nothing a stranger wrote controls the terminal", async () => {
  const plain = await parsed(["-"], Buffer.from("Subject: lunch\r\n\r\nAt one?\r\n"));
  assert.deepEqual([plain.code, plain.text], [1, "this is      no bounce\n"]);
  const missing = await parsed(["/nonexistent/bounce.eml"]);
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /no such file/);
  const hostile = [
    "From: MAILER-DAEMON@x.example",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; \u001b[2Jx.example",
    "",
    "Final-Recipient: rfc822; a\u202e@x.example",
    "Action: failed",
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 5.1.1 \u001b]0;owned\u0007",
    "--b--",
    "",
  ].join("\r\n");
  const { text } = await parsed(["-"], Buffer.from(hostile));
  for (const forbidden of ["\u001b", "\u0007", "\u202e"]) assert.ok(!text.includes(forbidden));
});

const HOSTNAME = "mx.forwarder.example";
const NOW = 1_800_000_000;
const ALIAS = "info@forwarder.example";

async function reissued(args: readonly string[], input?: Uint8Array) {
  const given = ["--hostname", HOSTNAME, "--at", `${NOW}`, ...args];
  const { code, stdout, stderr } = await homing(["bounce", "reissue", ...given], input ? { input } : {});
  return { code, text: stdout.toString(), stderr };
}

/** In a run of its own, with as much as any policy tells. */
async function assertSilent(sample: Sample, alias: string | undefined): Promise<void> {
  const named = alias === undefined ? [] : ["--alias", alias];
  const options = [samplePath(sample), "--to", sample.unwrapsTo, "--diagnostic", "redacted", "--json"];
  const { code, text, stderr } = await reissued([...options, ...named]);
  assert.deepEqual([code, stderr], [0, ""]);
  const { ok, kind, action, status, dsn } = JSON.parse(text);
  assert.deepEqual([ok, kind], [true, "dsn"]);
  const id = /^Message-ID: <([0-9a-f]{16})@mx\.forwarder\.example>\r$/m.exec(dsn)?.[1] ?? "";
  const final = alias === undefined ? undefined : mailbox(alias);
  const scene = { hostname: HOSTNAME, id, now: NOW, to: mailbox(sample.unwrapsTo), alias: final };
  assert.deepEqual(leaksInDsn(dsn, sample, scene), [], dsn);
  const [recipient] = readBounce(Buffer.from(dsn)).recipients;
  assert.deepEqual([recipient?.action, recipient?.status], [action, status]);
  if (final) assert.equal(recipient?.finalRecipient, renderMailbox(final));
  else assert.match(dsn, /\r\nFinal-Recipient: x-homing; withheld\r\n/);
}

test("there are 57 samples", () => assert.equal(samples.length, 57));

for (const sample of samples) {
  test(`${sample.file}: the DSN for the sender tells nothing of the private address`, async () => {
    await assertSilent(sample, sample.truth[0]?.senderKnows ?? ALIAS);
  });
}

test("without an alias the neutral form says as little, whichever server it was", async () => {
  for (const server of ["postfix", "exim", "opensmtpd", "sendmail"]) {
    const sample = samples.find(({ file }) => file.startsWith(server));
    assert.ok(sample, server);
    await assertSilent(sample, undefined);
  }
});

const FULL = resolve(SAMPLES, "exim-quota552.eml");
const TO_ALICE = ["--to", "alice@sender.example", "--alias", "full.alias@fwd.example.net"];

test("the octets are the same from a file, from stdin and in JSON, and in each run", async () => {
  const fromFile = await reissued([FULL, ...TO_ALICE]);
  assert.equal(fromFile.code, 0);
  assert.match(fromFile.text, /\r\n--=_[0-9a-f]{16}--\r\n$/);
  const fromStdin = await reissued(["-", ...TO_ALICE], await readFile(FULL));
  assert.equal(fromStdin.text, fromFile.text);
  const document = JSON.parse((await reissued([FULL, ...TO_ALICE, "--json"])).text);
  assert.equal(document.dsn, fromFile.text);
  const { action, status, class: bounceClass } = document;
  assert.deepEqual([action, status, bounceClass], ["failed", "5.2.2", "soft"]);
});

const policies: [policy: string, diagnostic: RegExp | undefined][] = [
  ["none", undefined],
  ["code", /^smtp; 550 5\.1\.1$/],
  ["redacted", /^smtp; 550 5\.1\.1 \[\.\.\.\] Recipient address rejected User unknown/],
];
for (const [policy, diagnostic] of policies) {
  test(`--diagnostic ${policy} decides what of the remote's reply is told`, async () => {
    const unknown = resolve(SAMPLES, "postfix-rcpt550.eml");
    const { text } = await reissued([unknown, ...TO_ALICE, "--diagnostic", policy]);
    const told = /^Diagnostic-Code: (.*)\r$/m.exec(text)?.[1];
    if (diagnostic) assert.match(told ?? "", diagnostic);
    else assert.equal(told, undefined);
  });
}

test("of what the bounce returns, the Message-ID alone comes out; a success is the word of its server", async () => {
  const bounce = await readFile(resolve(SAMPLES, "sendmail-success-relayed.eml"), "latin1");
  const forged = bounce.replace(/^Subject: lab case.*$/m, "Subject: Sign in at https://evil.example/");
  assert.notEqual(forged, bounce);
  const { text } = await reissued(["-", ...TO_ALICE], Buffer.from(forged, "latin1"));
  assert.doesNotMatch(text, /evil|lab case/);
  assert.match(
    text,
    /text\/rfc822-headers\r\n\r\nMessage-ID: <success-relayed\.lab@sender\.example>\r\n\r\n--/,
  );
  assert.match(text, /\r\nSubject: A server reports that your mail was passed on\r\n/);
  assert.match(text, /the server behind this address reports that\r\nyour mail to/);
});

const AUTO_REPLY =
  "From: bob@x.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nI am away.\r\n";
const ARF = [
  "From: abuse@x.example",
  'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
  "",
  "--b",
  "Content-Type: message/feedback-report",
  "",
  "Feedback-Type: abuse",
  "User-Agent: x/1",
  "Version: 1",
  "",
  "--b--",
  "",
].join("\r\n");
const nothing: [reason: string, message: string][] = [
  ["not-a-bounce", "Subject: lunch\r\n\r\nAt one?\r\n"],
  ["auto-reply", AUTO_REPLY],
  ["arf", ARF],
];
for (const [reason, message] of nothing) {
  test(`${reason}: there is no DSN, the reason says why, and the exit code is 1`, async () => {
    const { code, text, stderr } = await reissued(["-", ...TO_ALICE], Buffer.from(message));
    assert.deepEqual([code, text], [1, ""]);
    assert.match(stderr, new RegExp(`^homing: ${reason}: .*nothing is returned\n$`));
    const json = await reissued(["-", ...TO_ALICE, "--json"], Buffer.from(message));
    assert.deepEqual([json.code, JSON.parse(json.text).ok, JSON.parse(json.text).reason], [1, false, reason]);
  });
}

const mistakes: [args: readonly string[], code: number, message: RegExp][] = [
  [[FULL], 2, /required option '--to <address>'/],
  [[FULL, "--to", "<>"], 2, /--to <>: nobody is told: write the original sender/],
  [[FULL, "--to", "alice"], 2, /--to alice: address "alice": has no @/],
  [[FULL, ...TO_ALICE, "--alias", "full"], 2, /--alias full: address "full": has no @/],
  [[FULL, ...TO_ALICE, "--hostname", "a b"], 2, /--hostname "a b" is not a domain name/],
  [[FULL, ...TO_ALICE, "--diagnostic", "all"], 2, /Allowed choices are code, none, redacted/],
  [[FULL, ...TO_ALICE, "--at", "now"], 2, /--at now: not a time/],
  [["/nonexistent/bounce.eml", ...TO_ALICE], 78, /no such file/],
];
for (const [args, code, message] of mistakes) {
  test(`a mistake is told: ${args.slice(1).join(" ") || "no sender"}`, async () => {
    const { text, stderr, ...ended } = await reissued(args);
    assert.deepEqual([ended.code, text], [code, ""]);
    assert.match(stderr, message);
  });
}

test("an SRS address as the original sender is taken, with a hint", async () => {
  const { code, stderr } = await reissued([FULL, "--to", "SRS0=aaaa=JJ=x.example=bob@hop.example"]);
  assert.equal(code, 0);
  assert.match(stderr, /this is an SRS address: if it is yours, homing reverse gives the sender in it/);
});

test("the DSN that docs/cli.md shows is the one that comes out", async () => {
  const page = await readFile(resolve(import.meta.dirname, "../docs/cli.md"), "utf8");
  const [, bounce = ""] = /^```file bounce\.eml\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const [, options = ""] = /^\$ homing bounce reissue bounce\.eml (.*) --json$/m.exec(page) ?? [];
  const { stdout } = await homing(["bounce", "reissue", "-", ...options.split(" ")], { input: bounce });
  assert.ok(page.includes(`\n\`\`\`\n${stdout.toString().replaceAll("\r\n", "\n")}\`\`\`\n`));
});
