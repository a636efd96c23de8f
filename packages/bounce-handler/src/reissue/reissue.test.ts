import assert from "node:assert/strict";
import { test } from "node:test";
import type { BounceRecipient, BounceReport } from "../read/report.ts";
import { type ReissueOptions, reissue } from "./reissue.ts";
import { headerToRemember, returnedHeader } from "./returned-header.ts";

const GONE: BounceRecipient = {
  finalRecipient: "private@home.test",
  originalRecipient: undefined,
  action: "failed",
  status: "5.0.0",
  effectiveStatus: "5.1.1",
  final: true,
  class: "hard",
  diagnostic: "550 5.1.1 <private@home.test>: unknown",
  smtpReply: { code: 550, enhanced: "5.1.1", text: "<private@home.test>: User unknown, ask Carol Smith" },
  remoteMta: "mx.home.test",
  evidence: "",
};
const REPORT: BounceReport = {
  kind: "dsn",
  reportingMta: "mx.home.test",
  originalEnvelopeId: "theirs",
  arrivalDate: "Fri, 20 Nov 2026 20:31:40 +0000",
  recipients: [GONE],
  returned: [
    {
      name: "Received",
      value: "from a.test by b.test for <deeper@inside.test>; Fri, 20 Nov 2026 20:31:40 +0000",
    },
    { name: "subject", value: "Lunch" },
    { name: "Subject", value: "the second one" },
    { name: "FROM", value: "Bob <bob@origin.test>" },
    { name: "To", value: "alice@forwarder.test, carol@other.test" },
    { name: "Message-ID", value: "<1@origin.test>" },
    { name: "Cc", value: "dave@other.test" },
  ],
  named: [],
  autoSubmitted: undefined,
  truncated: false,
};
const OPTIONS: ReissueOptions = {
  report: REPORT,
  hostname: "mx.forwarder.test",
  id: "0123abcd",
  now: 1_800_000_000,
  to: { localPart: "bob", domain: "origin.test" },
  alias: { localPart: "alice", domain: "forwarder.test" },
  diagnostic: "code",
};

function dsn(changed: Partial<ReissueOptions>) {
  const reissued = reissue({ ...OPTIONS, ...changed });
  assert.equal(reissued.kind, "dsn");
  return { ...reissued, text: reissued.octets.toString() };
}

/** Of a report that differs from REPORT, its recipient from GONE. */
function about(recipient: Partial<BounceRecipient>, report: Partial<BounceReport> = {}): BounceReport {
  return { ...REPORT, recipients: [{ ...GONE, ...recipient }], ...report };
}

function returnedBy(changed: Partial<ReissueOptions>): string[] {
  const [, part = ""] = dsn(changed).text.split("text/rfc822-headers\r\n\r\n");
  return part
    .split("\r\n\r\n", 1)
    .flatMap((lines) => lines.split("\r\n"))
    .filter((line) => line !== "");
}

test("the status part names us, the alias, and codes alone", () => {
  const { text, action, enhanced, class: bounceClass } = dsn({});
  assert.deepEqual([action, enhanced, bounceClass], ["failed", "5.1.1", "hard"]);
  const [, status = ""] = text.split("message/delivery-status\r\n\r\n");
  assert.equal(
    status.split("\r\n--")[0],
    [
      "Reporting-MTA: dns; mx.forwarder.test",
      "",
      "Final-Recipient: rfc822; alice@forwarder.test",
      "Action: failed",
      "Status: 5.1.1",
      "Diagnostic-Code: smtp; 550 5.1.1",
      "",
    ].join("\r\n"),
  );
});

test("of a returned header nothing comes back but the Message-ID, whoever wrote the rest", () => {
  assert.deepEqual(returnedBy({}), ["Message-ID: <1@origin.test>"]);
  const forged = [
    { name: "Message-ID", value: "<2@origin.test>" },
    { name: "Subject", value: "Your password is over: https://evil.test/" },
    { name: "From", value: "Your Bank <security@bank.test>" },
    { name: "To", value: "you@bank.test" },
    { name: "Date", value: "now, at evil.test" },
  ];
  const { text, messageId } = dsn({ report: { ...REPORT, returned: forged } });
  assert.doesNotMatch(text, /evil|bank|password/i);
  assert.equal(messageId, "<2@origin.test>");
});

test("a header that is proven comes back whole, in our order, the first of each name, and nothing is looked for in it", () => {
  const proven = [...(REPORT.returned ?? []), { name: "Date", value: "by private@home.test" }];
  assert.deepEqual(returnedBy({ proven }), [
    "Message-ID: <1@origin.test>",
    "Date: by private@home.test",
    "Subject: Lunch",
    "From: Bob <bob@origin.test>",
    "To: alice@forwarder.test, carol@other.test",
  ]);
  assert.equal(dsn({ proven }).messageId, "<1@origin.test>");
});

const messageIds: [value: string, comesBack: boolean][] = [
  ["<CAHk-=wj8rS3qkVvBq1rZQ+x_y@mail.origin.test>", true],
  ["<20261120.203140!#$%&'*=?^`{|}~@x-1.origin.test>", true],
  ["<https://evil.test/login?x=1>", false],
  ["<https://evil.test/login@origin.test>", false],
  ["<evil.test/login@origin.test>", false],
  ["<http:evil.test@origin.test>", false],
  ["<1@origin.test/login>", false],
  ["<1@origin.test:8080>", false],
  ["<your password is over@origin.test>", false],
  ["<1@origin.test> Your password is over", false],
  ["<1@origin.test> (added by evil.test)", false],
  ["<1@a@origin.test>", false],
  ["<1@origin.test><2@origin.test>", false],
  ["<vo\u00e9la@origin.test>", false],
  ["<1@\u202etset.nigiro>", false],
  ["1@origin.test", false],
  ["<1>", false],
  ["<@origin.test>", false],
  ["<1@>", false],
  [`<${"1".repeat(151)}@origin.test>`, false],
];
for (const [value, comesBack] of messageIds) {
  const verb = comesBack ? "comes back" : "does not come back, and goes into no field or notice of ours";
  test(`a Message-ID ${value.slice(0, 60).replaceAll(/[^ -~]/g, "?")} ${verb}`, () => {
    const report = { ...REPORT, returned: [{ name: "message-id", value }] };
    const { text, messageId } = dsn({ report });
    assert.deepEqual(returnedBy({ report }), comesBack ? [`Message-ID: ${value}`] : []);
    assert.equal(text.includes(`\r\nReferences: ${value}\r\n`), comesBack);
    assert.equal(text.includes("References:"), comesBack);
    assert.equal(messageId, comesBack ? value : undefined);
  });
}

const withheld: [what: string, messageId: string, returned?: readonly { name: string; value: string }[]][] = [
  ["with the private local part", "<20261120.private.1@origin.test>"],
  ["with the private local part in capitals", "<PRIVATE-1@origin.test>"],
  ["with the private host", "<1@home.test>"],
  ["with a server's name", "<1@mx.home.test>"],
  ["with a host below the private one", "<1@mail7.home.test>"],
  [
    "with the address of a Delivered-To",
    "<1.deeper@origin.test>",
    [{ name: "Delivered-To", value: "deeper@inside.test" }],
  ],
  [
    "with the address of a Received field",
    "<1@inside.test>",
    [{ name: "Received", value: "by x.test for <deeper@inside.test>; now" }],
  ],
  [
    "of a server that the message passed behind us",
    "<1@box17.hosting.test>",
    [
      { name: "Received", value: "from mx.forwarder.test by box17.hosting.test; now" },
      { name: "Received", value: "from laptop.origin.test by mx.forwarder.test; now" },
    ],
  ],
  ["of which there are two", "<1@origin.test>", [{ name: "Message-ID", value: "<2@origin.test>" }]],
];
for (const [what, messageId, returned = []] of withheld) {
  test(`a Message-ID ${what} does not come back`, () => {
    const report = { ...REPORT, returned: [...returned, { name: "Message-ID", value: messageId }] };
    assert.doesNotMatch(dsn({ report }).text, /rfc822-headers|References/);
  });
}

test("servers that the message passed before us are the sender's", () => {
  const returned = [
    { name: "Received", value: "from laptop.origin2.test by mx.forwarder.test; now" },
    { name: "Received", value: "from x by laptop.origin2.test; now" },
    { name: "Message-ID", value: "<1@laptop.origin2.test>" },
  ];
  assert.deepEqual(returnedBy({ report: { ...REPORT, returned } }), ["Message-ID: <1@laptop.origin2.test>"]);
});

test("of a bounce that was not read to its end, nothing comes back, and no word of a diagnostic", () => {
  const { text } = dsn({ report: { ...REPORT, truncated: true }, diagnostic: "redacted" });
  assert.doesNotMatch(text, /rfc822-headers|References|User unknown/);
  assert.match(text, /\r\nDiagnostic-Code: smtp; 550 5\.1\.1\r\n/);
});

const providers: [privateAddress: string, remoteMta: string, domain: string, comesBack: boolean][] = [
  ["robertm@gmail.com", "gmail-smtp-in.l.google.com", "mail.gmail.com", true],
  ["robertm@gmail.com", "gmail-smtp-in.l.google.com", "x.mail.gmail.com", false],
  ["robertm@gmail.com", "gmail-smtp-in.l.google.com", "mx.google.com", false],
  ["robertm@hotmail.com", "x.mail.protection.outlook.com", "AM0PR04MB1.eurprd04.prod.outlook.com", true],
  ["robertm@hotmail.com", "x.mail.protection.outlook.com", "DB5FT012.prod.protection.outlook.com", false],
  ["robertm@mail.com", "mx00.mail.com", "hotmail.com", true],
];
for (const [finalRecipient, remoteMta, domain, comesBack] of providers) {
  test(`mail for ${finalRecipient}: a Message-ID of ${domain} ${comesBack ? "comes" : "does not come"} back`, () => {
    const returned = [{ name: "Message-ID", value: `<CAF+x1@${domain}>` }];
    const lines = returnedBy({ report: about({ finalRecipient, remoteMta }, { returned }) });
    assert.equal(lines.length, comesBack ? 1 : 0);
  });
}

test("a local part that is a common word does not hide words that begin with it", () => {
  const returned = [{ name: "Message-ID", value: "<information.infos@origin.test>" }];
  assert.equal(returnedBy({ report: about({ finalRecipient: "info@home.test" }, { returned }) }).length, 1);
});

test("a long Subject is cut between characters", () => {
  for (const start of ["", "a", "aa"]) {
    const header = returnedHeader([{ name: "Subject", value: start + "€".repeat(400) }]).toString();
    assert.match(header, /^Subject: a{0,2}€{290,} \[\.\.\.\]\r\n$/);
    assert.ok(Buffer.byteLength(header) < 998);
  }
});

test("all fields together have 4 KiB, and no line is longer than a line of mail", () => {
  const proven = ["Message-ID", "Date", "Subject", "From", "To"].map((name) => ({
    name,
    value: "a".repeat(890),
  }));
  assert.equal(returnedBy({ proven }).length, 4);
  assert.deepEqual(returnedBy({ proven: [{ name: "To", value: "x".repeat(1100) }] }), []);
});

test("words of the sender's own address are no secret: absence would tell that they are the private ones", () => {
  const report = about({ finalRecipient: "carol@origin.test" }, { reportingMta: "origin.test" });
  assert.ok(returnedBy({ report }).includes("Message-ID: <1@origin.test>"));
});

test("no alias known: neutral form, and the original recipient of the report is a secret", () => {
  const report = about({ originalRecipient: "alice@forwarder.test" });
  const { text } = dsn({ alias: undefined, report });
  assert.match(text, /\r\nFinal-Recipient: x-homing; withheld\r\n/);
  assert.ok(!text.includes("alice"));
});

const diagnostics: [
  policy: ReissueOptions["diagnostic"],
  changed: Partial<BounceRecipient>,
  line: string | undefined,
][] = [
  ["none", {}, undefined],
  ["code", {}, "smtp; 550 5.1.1"],
  ["code", { smtpReply: undefined }, undefined],
  ["code", { smtpReply: { code: 550, enhanced: undefined, text: "" } }, "smtp; 550"],
  ["code", { smtpReply: { code: 550, enhanced: "4.1.1", text: "" } }, "smtp; 550"],
  ["code", { smtpReply: { code: 550, enhanced: "5.1234.private", text: "" } }, "smtp; 550"],
  ["code", { smtpReply: { code: 55_012, enhanced: "5.1.1", text: "" } }, undefined],
  ["redacted", {}, "smtp; 550 5.1.1 [...] User unknown [...]"],
  ["redacted", { smtpReply: { code: 550, enhanced: "5.1.1", text: "<a@b> 4711 c/d" } }, "smtp; 550 5.1.1"],
  [
    "redacted",
    { finalRecipient: "user@home.test", smtpReply: { code: 550, enhanced: "5.1.1", text: "user unknown" } },
    "smtp; 550 5.1.1",
  ],
];
for (const [policy, changed, line] of diagnostics) {
  const { smtpReply = GONE.smtpReply } = changed;
  test(`${policy}: of ${JSON.stringify(smtpReply)} the sender gets ${line ?? "nothing"}`, () => {
    const { text } = dsn({ diagnostic: policy, report: about(changed) });
    assert.equal(/\r\nDiagnostic-Code: (.*)\r\n/.exec(text)?.[1], line);
  });
}

const outcomes: [what: string, changed: Partial<BounceRecipient>, action: string, status: string][] = [
  ["a failure without a code", { status: undefined, effectiveStatus: undefined }, "failed", "5.0.0"],
  ["a failure that was given up", { effectiveStatus: "4.4.7", action: "delayed" }, "failed", "4.4.7"],
  ["a failure with a code of success", { effectiveStatus: "2.0.0" }, "failed", "5.0.0"],
  ["a code that is text", { effectiveStatus: "5.private.1" }, "failed", "5.0.0"],
  ["a code with a number of somebody", { effectiveStatus: "5.1.123" }, "failed", "5.1.0"],
  ["a code with a strange subject", { effectiveStatus: "5.123.1" }, "failed", "5.0.0"],
  ["a delay", { class: "delay", final: false, effectiveStatus: "4.2.2" }, "delayed", "4.2.2"],
  [
    "a delay with a code of failure",
    { class: "soft", final: false, effectiveStatus: "5.2.2" },
    "delayed",
    "4.2.2",
  ],
  ["a delivery", { class: "success", action: "delivered", effectiveStatus: "2.1.5" }, "delivered", "2.1.5"],
  [
    "a success of no kind",
    { class: "success", action: undefined, effectiveStatus: "5.1.1" },
    "relayed",
    "2.0.0",
  ],
];
for (const [what, changed, action, status] of outcomes) {
  test(`${what} is told as ${action} ${status}`, () => {
    const { text } = dsn({ report: about(changed) });
    assert.match(text, new RegExp(`\r\nAction: ${action}\r\nStatus: ${status.replaceAll(".", "\\.")}\r\n`));
  });
}

test("a success is told as the word of another server, and no failure is", () => {
  for (const [action, words] of [
    ["delivered", "was delivered."],
    ["relayed", "was passed on to a server that does not tell of deliveries."],
    ["expanded", "was passed on to several addresses."],
  ] as const) {
    const { text } = dsn({ report: about({ class: "success", action, effectiveStatus: "2.0.0" }) });
    assert.match(text, /\r\nSubject: A server reports that your mail was (delivered|passed on)\r\n/);
    const told = "For your information: the server behind this address reports that\r\nyour mail to\r\n";
    assert.ok(text.includes(`\r\n\r\n${told}\r\n    alice@forwarder.test\r\n\r\n${words}\r\n`), text);
  }
  assert.doesNotMatch(dsn({}).text, /reports that/);
});

test("of several recipients the worst outcome is told, once, about the alias", () => {
  const recipients: BounceRecipient[] = [
    { ...GONE, class: "success", action: "delivered", effectiveStatus: "2.0.0" },
    { ...GONE, class: "delay", final: false, effectiveStatus: "4.2.2" },
    { ...GONE, effectiveStatus: "5.7.1", class: "policy" },
    { ...GONE, effectiveStatus: "5.1.1" },
  ];
  const { text, action, enhanced } = dsn({ report: { ...REPORT, recipients } });
  assert.deepEqual([action, enhanced], ["failed", "5.7.1"]);
  assert.equal(text.split("Final-Recipient:").length, 2);
});

const nothing: [what: string, report: Partial<BounceReport>, why: string][] = [
  ["no bounce", { kind: "not-a-bounce" }, "not-a-bounce"],
  ["an auto-reply", { kind: "auto-reply" }, "auto-reply"],
  ["a complaint", { kind: "arf" }, "arf"],
  ["a receipt", { kind: "mdn" }, "mdn"],
  ["a DSN about nobody", { recipients: [] }, "no-outcome"],
  ["a DSN that says nothing", { recipients: [{ ...GONE, class: "not-a-bounce" }] }, "no-outcome"],
];
for (const [what, report, why] of nothing) {
  test(`of ${what} nothing is made`, () => {
    assert.deepEqual(reissue({ ...OPTIONS, report: { ...REPORT, ...report } }), { kind: "nothing", why });
  });
}

test("a bounce in free text that names nobody is about the alias", () => {
  const { text, action, enhanced } = dsn({ report: { ...REPORT, kind: "bounce", recipients: [] } });
  assert.deepEqual([action, enhanced], ["failed", "5.0.0"]);
  assert.match(text, /\r\nFinal-Recipient: rfc822; alice@forwarder\.test\r\n/);
});

test("what was remembered comes back instead of what the remote server returned", () => {
  const remembered = {
    envid: "order+2B17",
    orcpt: "rfc822;Alice@forwarder.test",
    arrived: 1_799_999_000,
    header: [
      { name: "Received", value: "from laptop.origin.test" },
      { name: "Subject", value: "about private matters" },
      { name: "Message-ID", value: "<2@origin.test>" },
    ],
  };
  const { text } = dsn({ remembered });
  assert.match(text, /\r\nOriginal-Envelope-Id: order\+17\r\n/);
  assert.match(text, /\r\nOriginal-Recipient: rfc822; Alice@forwarder\.test\r\n/);
  assert.match(text, /\r\nArrival-Date: Fri, 15 Jan 2027 07:43:20 \+0000\r\n/);
  assert.match(text, /\r\nReferences: <2@origin\.test>\r\n/);
  assert.deepEqual(returnedBy({ remembered }), [
    "Message-ID: <2@origin.test>",
    "Subject: about private matters",
  ]);
});

test("a sender who asked not to be told is not told", () => {
  const remembered = { header: [] };
  const notAsked = { kind: "nothing", why: "not-asked" };
  assert.deepEqual(reissue({ ...OPTIONS, remembered: { ...remembered, notify: "never" } }), notAsked);
  assert.deepEqual(reissue({ ...OPTIONS, remembered: { ...remembered, notify: ["delay"] } }), notAsked);
  assert.equal(reissue({ ...OPTIONS, remembered: { ...remembered, notify: ["failure"] } }).kind, "dsn");
});

test("what is remembered of a message are the five fields, unfolded", () => {
  const original = Buffer.from(
    "Received: x\r\nSubject: Grüße\r\n and more\r\nFrom: a@b.test\r\nBcc: c@d.test\r\nfrom: e@f.test\r\n\r\nTo: body\r\n",
  );
  assert.deepEqual(headerToRemember(original), [
    { name: "Subject", value: "Grüße and more" },
    { name: "From", value: "a@b.test" },
  ]);
  assert.ok(
    JSON.stringify(headerToRemember(Buffer.from(`Subject: ${"x".repeat(90_000)}\r\n\r\n`))).length < 1000,
  );
});
