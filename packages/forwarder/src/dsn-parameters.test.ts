import assert from "node:assert/strict";
import { test } from "node:test";
import { type MailDsn, mailDsn, type Parameters, type RcptDsn, rcptDsn } from "./dsn-parameters.ts";

const xs = (count: number): string => "x".repeat(count);

const mails: [parameters: Parameters, dsn: MailDsn | undefined | "wrong"][] = [
  [{}, undefined],
  [{ NOTIFY: "NEVER" }, undefined],
  [{ RET: "FULL" }, { ret: "full" }],
  [{ RET: "hdrs" }, { ret: "hdrs" }],
  [{ RET: "HEADERS" }, "wrong"],
  [{ RET: "" }, "wrong"],
  [{ RET: true }, "wrong"],
  [{ ENVID: "QQ314159" }, { envid: "QQ314159" }],
  [{ ENVID: "a+2Bb+3Dc+20D" }, { envid: "a+2Bb+3Dc+20D" }],
  [
    { RET: "Full", ENVID: xs(100) },
    { ret: "full", envid: xs(100) },
  ],
  [{ ENVID: xs(101) }, "wrong"],
  [{ ENVID: "" }, "wrong"],
  [{ ENVID: true }, "wrong"],
  [{ ENVID: "a=b" }, "wrong"],
  [{ ENVID: "a+2b" }, "wrong"],
  [{ ENVID: "a+" }, "wrong"],
  [{ ENVID: "a+4" }, "wrong"],
  [{ ENVID: "a+0D+0AX-Evil:+20y" }, "wrong"],
  [{ ENVID: "a+7F" }, "wrong"],
  [{ ENVID: "+C3+B6" }, "wrong"],
  [{ ENVID: "ö" }, "wrong"],
  [{ ENVID: "a\tb" }, "wrong"],
  [{ ENVID: "x", RET: "x" }, "wrong"],
];
for (const [parameters, expected] of mails) {
  test(`MAIL ${JSON.stringify(parameters).slice(0, 60)} asks for ${JSON.stringify(expected)?.slice(0, 40)}`, () => {
    const asked = mailDsn(parameters);
    if (expected === "wrong") assert.ok(!asked.ok);
    else assert.deepEqual(asked, { ok: true, dsn: expected });
  });
}

const rcpts: [parameters: Parameters, dsn: RcptDsn | undefined | "wrong"][] = [
  [{}, undefined],
  [{ RET: "FULL" }, undefined],
  [{ NOTIFY: "NEVER" }, { notify: "never" }],
  [{ NOTIFY: "success" }, { notify: ["success"] }],
  [{ NOTIFY: "DELAY,Failure,SUCCESS" }, { notify: ["success", "failure", "delay"] }],
  [{ NOTIFY: "FAILURE,FAILURE" }, { notify: ["failure"] }],
  [{ NOTIFY: "NEVER,FAILURE" }, "wrong"],
  [{ NOTIFY: "NEVER,NEVER" }, "wrong"],
  [{ NOTIFY: "FAILURE," }, "wrong"],
  [{ NOTIFY: "ALWAYS" }, "wrong"],
  [{ NOTIFY: "" }, "wrong"],
  [{ NOTIFY: true }, "wrong"],
  [{ ORCPT: "rfc822;Bob+2Bx@origin.example" }, { orcpt: "rfc822;Bob+2Bx@origin.example" }],
  [{ ORCPT: "utf-8;b\\x{F6}b@origin.example" }, { orcpt: "utf-8;b\\x{F6}b@origin.example" }],
  [{ ORCPT: "rfc822;SRS0+3Dx+3Dy" }, { orcpt: "rfc822;SRS0+3Dx+3Dy" }],
  [{ ORCPT: "rfc822;a;b" }, { orcpt: "rfc822;a;b" }],
  [{ ORCPT: `rfc822;${xs(493)}` }, { orcpt: `rfc822;${xs(493)}` }],
  [{ ORCPT: `rfc822;${xs(494)}` }, "wrong"],
  [{ ORCPT: "bob@origin.example" }, "wrong"],
  [{ ORCPT: ";bob@origin.example" }, "wrong"],
  [{ ORCPT: "rfc822;" }, "wrong"],
  [{ ORCPT: "rfc(822);bob" }, "wrong"],
  [{ ORCPT: "rfc822;b=b" }, "wrong"],
  [{ ORCPT: "rfc822;b+0Ab" }, "wrong"],
  [{ ORCPT: "utf-8;jörg@origin.example" }, "wrong"],
  [{ ORCPT: true }, "wrong"],
  [
    { NOTIFY: "FAILURE", ORCPT: "rfc822;b@x.example" },
    { notify: ["failure"], orcpt: "rfc822;b@x.example" },
  ],
];
for (const [parameters, expected] of rcpts) {
  test(`RCPT ${JSON.stringify(parameters).slice(0, 60)} asks for ${JSON.stringify(expected)?.slice(0, 60)}`, () => {
    const asked = rcptDsn(parameters, false);
    if (expected === "wrong") assert.ok(!asked.ok);
    else assert.deepEqual(asked, { ok: true, dsn: expected });
  });
}

const overSmtpUtf8: [orcpt: string, ok: boolean][] = [
  ["utf-8;jörg@origin.example", true],
  ["utf-8;用户@例子.example", true],
  ["utf-8;😀@origin.example", true],
  ["utf-8;j\u0085rg@origin.example", false],
  ["utf-8;j\ufffdrg@origin.example", false],
  ["utf-8;j=rg@origin.example", false],
  ["ütf-8;jorg@origin.example", false],
];
for (const [orcpt, ok] of overSmtpUtf8) {
  test(`over SMTPUTF8, ORCPT=${orcpt} is ${ok ? "" : "not "}taken`, () => {
    assert.equal(rcptDsn({ ORCPT: orcpt }, true).ok, ok);
  });
}
