// homing bounce parse: what real bounces say, for people and for scripts.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
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
