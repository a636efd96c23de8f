// Every reply that there is without TLS: its code and its enhanced code are the pair that RFC 3463 and the registry of
// RFC 5248 have for it. Driven through the server, so that an upgrade of the library that says something new is seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startRecorder } from "./testing/recorder.ts";
import { greeted } from "./testing/smtp-peers.ts";

const MAIL = "MAIL FROM:<a@b.test>";
const RCPT = "RCPT TO:<c@d.test>";

/** Commands before, the command, and what its reply begins with. RFC 2034 §4: greeting and EHLO have no enhanced code. */
const replies: [before: readonly string[], command: string, reply: string][] = [
  [[], "EHLO c.test", "250-mx.test"],
  [[], "HELO c.test", "250 mx.test"],
  [[], "EHLO", "501 syntax"],
  [[], "HELO a b", "501 Syntax"],
  [[], "EHLO a\x07b", "500 5.5.2"],
  [[], `EHLO ${"a".repeat(301)}`, "501 Bad"],
  [[], "NOOP\r", "500 5.5.2"],
  [[], "RSET \x7f", "500 5.5.2"],
  [[], MAIL, "503 5.5.1"],
  [[], RCPT, "503 5.5.1"],
  [[], "DATA", "503 5.5.1"],
  [[], "NOOP", "250 2.0.0"],
  [[], "RSET", "250 2.0.0"],
  [[], "QUIT", "221 2.0.0"],
  [[], "VRFY a@b.test", "252 2.0.0"],
  [[], "VRFY", "501 5.5.4"],
  [[], "XYZZY", "500 5.5.2"],
  [[], "", "500 5.5.2"],
  [[], " NOOP", "500 5.5.2"],
  [[], "constructor", "500 5.5.2"],
  [[], "init", "500 5.5.2"],
  [[], "WIZ x", "500 5.5.2"],
  [[], "SHELL", "500 5.5.2"],
  [[], "KILL", "500 5.5.2"],
  [[], "DEBUG", "500 5.5.2"],
  [[], "GET", "421 4.7.0"],
  [[], "\x16\x03\x01", "421 4.7.0"],
  [[], "AUTH PLAIN AGEAYg==", "502 5.5.1"],
  [[], "STARTTLS", "502 5.5.1"],
  [[], "HELP", "502 5.5.1"],
  [[], "BDAT 5 LAST", "502 5.5.1"],
  [[], "EXPN list", "502 5.5.1"],
  [[], "TURN", "502 5.5.1"],
  [[], "ETRN x", "502 5.5.1"],
  [[], "LHLO c.test", "502 5.5.1"],
  [[], "XCLIENT ADDR=192.0.2.1", "550 5.7.0"],
  [[], "XFORWARD NAME=x", "550 5.7.0"],
  [[], "PROXY TCP4 192.0.2.1 192.0.2.2 1 25", "550 5.7.0"],
  [[], "x".repeat(2049), "421 4.5.2"],
  [["EHLO c.test"], MAIL, "250 2.1.0"],
  [["EHLO c.test"], "MAIL FROM:a@b.test", "501 5.1.7"],
  [["EHLO c.test"], "MAIL", "501 5.1.7"],
  [["EHLO c.test"], "MAIL FROM:<a>", "553 5.1.7"],
  [["EHLO c.test"], `${MAIL} SIZE=x`, "501 5.5.4"],
  [["EHLO c.test"], `${MAIL} SIZE=100001`, "552 5.3.4"],
  [["EHLO c.test"], `${MAIL} BODY=x`, "501 5.5.4"],
  [["EHLO c.test"], `${MAIL} SMTPUTF8=1`, "501 5.5.4"],
  [["EHLO c.test"], `${MAIL} SIZE=1 SIZE=1`, "501 5.5.4"],
  [["EHLO c.test"], `${MAIL} REQUIRETLS`, "555 5.5.4"],
  [["EHLO c.test"], "MAIL FROM:<\xc3\xb6@b.test>", "553 5.6.7"],
  [["EHLO c.test"], RCPT, "503 5.5.1"],
  [["EHLO c.test"], "DATA", "503 5.5.1"],
  [["EHLO c.test", MAIL], MAIL, "503 5.5.1"],
  [["EHLO c.test", MAIL], "DATA", "503 5.5.1"],
  [["EHLO c.test", MAIL], "XCLIENT ADDR=192.0.2.1", "550 5.7.0"],
  [["EHLO c.test", MAIL], RCPT, "250 2.1.5"],
  [["EHLO c.test", MAIL], "RCPT TO:<>", "501 5.1.3"],
  [["EHLO c.test", MAIL], "RCPT TO:<c>", "553 5.1.3"],
  [["EHLO c.test", MAIL], `${RCPT} NOTIFY=ALWAYS`, "501 5.5.4"],
  [["EHLO c.test"], `${MAIL} ENVID=a+`, "501 5.5.4"],
  [["EHLO c.test", MAIL], `${RCPT} RET=FULL`, "555 5.5.4"],
  [["EHLO c.test", MAIL, RCPT], "RCPT TO:<e@d.test>", "452 4.5.3"],
  [["EHLO c.test", MAIL, RCPT], "DATA", "354 End data"],
  [["EHLO c.test", MAIL, RCPT, "DATA"], "x\r\n.", "250 2.0.0"],
  [["EHLO c.test", MAIL, RCPT, "DATA"], "x\n\r\n.", "550 5.6.0"],
  [["EHLO c.test", MAIL, RCPT, "DATA"], `${"x".repeat(100_001)}\r\n.`, "552 5.3.4"],
  [["EHLO c.test", MAIL, RCPT], "DATA\r\nx", "554 5.5.0"],
];
for (const [before, command, reply] of replies) {
  const name = JSON.stringify(command).slice(0, 50);
  test(`${[...before.slice(-2), name].join(", ")} is answered ${reply}`, async (t) => {
    using client = await greeted(await startRecorder(t, {}, { limits: { recipients: 1 } }));
    for (const step of before) assert.match(await client.ask(step), /^[23]/, step);
    const answer = await client.ask(command);
    assert.ok(answer.startsWith(reply), answer);
    assert.doesNotMatch(
      answer,
      /^\d{3} (?:\d\.\d\.\d \d\.\d|(?:\d\.\d\.\d )?Error)/,
      "one style, one enhanced code",
    );
    const [, code, enhanced = code] = /^(\d)\d\d (?:(\d)\.)?/.exec(answer) ?? [];
    assert.equal(enhanced, code, "RFC 2034 §4: the classes are the same");
  });
}
