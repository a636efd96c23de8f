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
  return part.split("\r\n\r\n")[0]?.split("\r\n") ?? [];
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

test("five fields come back, in our order, the first of each name", () => {
  assert.deepEqual(returnedBy({}), [
    "Message-ID: <1@origin.test>",
    "Subject: Lunch",
    "From: Bob <bob@origin.test>",
    "To: alice@forwarder.test, carol@other.test",
  ]);
});

const withheld: [what: string, returned: BounceReport["returned"]][] = [
  ["with the private local part", [{ name: "Subject", value: "your PRIVATE matters" }]],
  ["with the private host", [{ name: "Subject", value: "home.test" }]],
  ["with a server's name", [{ name: "Message-ID", value: "<1@mx.home.test>" }]],
  [
    "with the address of a Delivered-To",
    [
      { name: "Delivered-To", value: "deeper@inside.test" },
      { name: "Subject", value: "for deeper thought" },
    ],
  ],
  [
    "with the address of a Received field",
    [
      { name: "Received", value: "by x.test for <deeper@inside.test>; now" },
      { name: "To", value: "deeper@inside.test" },
    ],
  ],
  ["of endless length", [{ name: "To", value: "x".repeat(1100) }]],
];
for (const [what, returned] of withheld) {
  test(`a field ${what} does not come back`, () => {
    assert.ok(!dsn({ report: { ...REPORT, returned } }).text.includes("rfc822-headers"));
  });
}

test("a long Subject is cut between characters", () => {
  for (const start of ["", "a", "aa"]) {
    const header = returnedHeader([{ name: "Subject", value: start + "€".repeat(400) }]).toString();
    assert.match(header, /^Subject: a{0,2}€{290,} \[\.\.\.\]\r\n$/);
    assert.ok(Buffer.byteLength(header) < 998);
  }
});

test("all fields together have 4 KiB", () => {
  const returned = ["Message-ID", "Date", "Subject", "From", "To"].map((name) => ({
    name,
    value: "a".repeat(890),
  }));
  assert.equal(returnedBy({ report: { ...REPORT, returned } }).length, 4);
});

test("words of the sender's own address are no secret: absence would tell that they are the private ones", () => {
  const report = about({ finalRecipient: "carol@origin.test" }, { reportingMta: "origin.test" });
  assert.ok(returnedBy({ report }).includes("Message-ID: <1@origin.test>"));
});

test("where the report names no recipient, To does not come back: it may be one", () => {
  const report = about({ finalRecipient: undefined });
  assert.deepEqual(
    returnedBy({ report }).map((line) => line.split(":")[0]),
    ["Message-ID", "Subject", "From"],
  );
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
  ["a bounce about nobody", { kind: "bounce", recipients: [] }, "no-outcome"],
  ["a DSN that says nothing", { recipients: [{ ...GONE, class: "not-a-bounce" }] }, "no-outcome"],
];
for (const [what, report, why] of nothing) {
  test(`of ${what} nothing is made`, () => {
    assert.deepEqual(reissue({ ...OPTIONS, report: { ...REPORT, ...report } }), { kind: "nothing", why });
  });
}

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
