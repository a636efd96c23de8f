import assert from "node:assert/strict";
import { test } from "node:test";
import { readBounce } from "./reader.ts";
import type { BounceKind } from "./report.ts";

const octets = (lines: readonly string[]) => Buffer.from([...lines, ""].join("\r\n"), "utf8");
const read = (...lines: readonly string[]) => readBounce(octets(lines));
const DAEMON = ["From: <MAILER-DAEMON@mx.example.org>", "To: alice@sender.example"];
const report = (status: readonly string[], text: readonly string[] = ["Hello"]) => [
  ...DAEMON,
  "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
  "",
  "--b",
  "",
  ...text,
  "--b",
  "Content-Type: message/delivery-status",
  "",
  ...status,
  "--b--",
];
const BLOCK = ["Final-Recipient: rfc822; bob@example.org", "Action: failed", "Status: 5.1.1"];

// What the mail is.

const machinePart = (type: string, part: string) => [
  "From: Bob <bob@example.org>",
  `Content-Type: multipart/report; report-type=${type}; boundary=b`,
  "",
  "--b",
  "",
  "550 5.1.1 <bob@example.org> User unknown",
  "--b",
  `Content-Type: message/${part}`,
  "",
  "Final-Recipient: rfc822; bob@example.org",
  "Disposition: manual-action/MDN-sent-manually; displayed",
  "--b--",
];
const person = (...more: string[]) => [
  "From: Bob <bob@example.org>",
  ...more,
  "",
  "I am away until Monday.",
  "550 5.1.1 <x@y.example>",
];

const kinds: readonly [what: string, kind: BounceKind, lines: readonly string[]][] = [
  ["a disposition notification", "mdn", machinePart("disposition-notification", "disposition-notification")],
  ["an international disposition notification", "mdn", machinePart("x", "global-disposition-notification")],
  ["a feedback report", "arf", machinePart("feedback-report", "feedback-report")],
  ["a feedback report without its report-type", "arf", machinePart("", "feedback-report")],
  [
    "an answer with Auto-Submitted",
    "auto-reply",
    person("Auto-Submitted: auto-replied (vacation)", "Subject: Hi"),
  ],
  ["an answer with X-Autoreply", "auto-reply", person("X-Autoreply: yes", "Subject: Hi")],
  ["an answer with X-Autorespond", "auto-reply", person("X-Autorespond: Hi", "Subject: Hi")],
  ["an answer with Precedence: auto_reply", "auto-reply", person("Precedence: auto_reply", "Subject: Hi")],
  [
    "a vacation in German, by a machine",
    "auto-reply",
    person("Precedence: bulk", "Subject: Abwesenheitsnotiz: Hallo"),
  ],
  [
    "a vacation in French, encoded",
    "auto-reply",
    person("Precedence: junk", "Subject: =?utf-8?Q?R=C3=A9ponse_automatique?="),
  ],
  [
    "a vacation in two encoded words",
    "auto-reply",
    person("Precedence: bulk", "Subject: =?utf-8?Q?Abwes?=", " =?utf-8?Q?enheit?="),
  ],
  [
    "a vacation in Russian, in base64",
    "auto-reply",
    person("Auto-Submitted: auto-generated", "Subject: =?UTF-8?B?0JDQstGC0L7QvtGC0LLQtdGC?="),
  ],
  [
    "a vacation in Japanese, as UTF-8",
    "auto-reply",
    person("X-Auto-Response-Suppress: All", "Subject: 自動返信"),
  ],
  [
    "Outlook's automatic reply",
    "auto-reply",
    person("X-Auto-Response-Suppress: All", "Subject: Automatic reply: Hello"),
  ],
  [
    "a challenge",
    "auto-reply",
    person("Auto-Submitted: auto-replied", "Subject: Please confirm your message"),
  ],
  ["a vacation subject that a person writes", "not-a-bounce", person("Subject: Out of office next week?")],
  ["Auto-Submitted: no", "not-a-bounce", person("Auto-Submitted: no", "Subject: Out of office")],
  ["a newsletter", "not-a-bounce", person("Precedence: bulk", "Subject: Our offers")],
  ["an answer to a bounce", "not-a-bounce", person("Subject: Re: Undelivered Mail Returned to Sender")],
  [
    "a mail of a daemon without any recipient",
    "not-a-bounce",
    [...DAEMON, "Subject: Greetings", "", "All is well."],
  ],
  ["nothing", "not-a-bounce", []],
  ["a body alone", "not-a-bounce", ["", "550 5.1.1 <bob@example.org>"]],
  [
    "a bounce by its subject",
    "bounce",
    ["Subject: Undeliverable: Hello", "", "550 5.1.1 <bob@example.org> unknown"],
  ],
  ["a bounce by its sender", "bounce", [...DAEMON, "", "550 5.1.1 <bob@example.org> unknown"]],
  [
    "a mail that is a status part and nothing else",
    "dsn",
    [...DAEMON, "Content-Type: message/delivery-status", "", ...BLOCK],
  ],
];
for (const [what, kind, lines] of kinds) {
  test(`${what} is ${kind}`, () => {
    const { kind: actual, recipients } = readBounce(octets(lines));
    assert.equal(actual, kind);
    if (kind === "auto-reply") {
      assert.deepEqual(
        recipients.map((one) => [one.finalRecipient, one.class, one.final]),
        [["bob@example.org", "auto-reply", false]],
      );
    } else assert.equal(recipients.length, kind === "dsn" || kind === "bounce" ? 1 : 0);
  });
}

test("a bounce that names nobody is a bounce where a mail system says so", () => {
  const { kind, recipients } = read(
    ...DAEMON,
    "Subject: Undelivered Mail Returned to Sender",
    "",
    "Meddelandet kom inte fram.",
  );
  assert.deepEqual([kind, recipients], ["bounce", []]);
});

test("free text that only warns is a delay", () => {
  const { recipients } = read(
    ...DAEMON,
    "",
    "Your message has been delayed.",
    "451 4.3.0 <bob@example.org> not now",
  );
  assert.deepEqual(
    recipients.map((one) => [one.action, one.final, one.class, one.effectiveStatus]),
    [["delayed", false, "delay", "4.3.0"]],
  );
});

test("a feedback report is not taken for a bounce when it returns a bounce", () => {
  const lines = machinePart("feedback-report", "feedback-report").slice(0, -1);
  const whole = [...lines, "--b", "Content-Type: message/rfc822", "", ...report(BLOCK), "--b--"];
  assert.equal(readBounce(octets(whole)).kind, "arf");
});

// The fields of a report.

test("the fields of the message and of a recipient are read, comments taken away", () => {
  const { recipients, ...message } = read(
    ...report([
      "Original-Envelope-Id: QQ+2B1",
      "Reporting-MTA: dns; mx.example.org (ours)",
      "Arrival-Date: Fri, 20 Nov 2026 20:00:00 +0000",
      "",
      "Original-Recipient: rfc822; alias@example.net",
      "Final-Recipient: RFC822; <bob@example.org>",
      "Action: Failed (after 3 tries)",
      "Status: 5.0.0 (no reason)",
      "Remote-MTA: dns; mx.example.net",
      "Diagnostic-Code: smtp; 550-5.2.2 too",
      "  much (100 %)",
    ]),
  );
  assert.deepEqual(message, {
    kind: "dsn",
    reportingMta: "mx.example.org",
    originalEnvelopeId: "QQ+2B1",
    arrivalDate: "Fri, 20 Nov 2026 20:00:00 +0000",
    returned: undefined,
    named: [
      "<MAILER-DAEMON@mx.example.org>",
      "alice@sender.example",
      "mx.example.org",
      "alias@example.net",
      "<bob@example.org>",
      "5.0.0",
      "mx.example.net",
      "550-5.2.2",
    ],
    autoSubmitted: undefined,
    truncated: false,
  });
  assert.deepEqual(recipients, [
    {
      finalRecipient: "bob@example.org",
      originalRecipient: "alias@example.net",
      action: "failed",
      status: "5.0.0 (no reason)",
      effectiveStatus: "5.2.2",
      final: true,
      class: "soft",
      diagnostic: "550-5.2.2 too much (100 %)",
      smtpReply: { code: 550, enhanced: "5.2.2", text: "too much (100 %)" },
      remoteMta: "mx.example.net",
      evidence: "Action: failed; status from Diagnostic-Code; class by mailbox full status",
    },
  ]);
});

const addresses: readonly [field: string, address: string | undefined][] = [
  ["rfc822; bob@example.org", "bob@example.org"],
  ["rfc822;bob@example.org (Bob)", "bob@example.org"],
  ["RFC822; <bob@example.org>", "bob@example.org"],
  ["bob@example.org", "bob@example.org"],
  ["utf-8; jörg@bücher.example", "jörg@bücher.example"],
  ["utf-8; j\\x{F6}rg@b\\x{FC}cher.example", "jörg@bücher.example"],
  ["utf-8; \\x{1F4A9}@example.org", "\u{1f4a9}@example.org"],
  ["utf-8; \\x{}\\x{D800}\\x{110000}\\x{zz}@example.org", "\\x{}\\x{D800}\\x{110000}\\x{zz}@example.org"],
  ["rfc822; j\\x{F6}rg@example.org", "j\\x{F6}rg@example.org"],
  ["rfc822; jörg@example.org", "jörg@example.org"],
  ['rfc822; "bob (x)"@example.org', '"bob (x)"@example.org'],
  ["rfc822; prvs=3245abcdef=alice@sender.example", "prvs=3245abcdef=alice@sender.example"],
  ["x-homing; withheld", undefined],
  ["rfc822;", undefined],
  ["", undefined],
  [`rfc822; ${"x".repeat(5000)}@example.org`, "x".repeat(512)],
];
for (const [field, address] of addresses) {
  test(`Final-Recipient "${field.slice(0, 60)}" is ${address?.slice(0, 60) ?? "no address"}`, () => {
    const [recipient] = read(
      ...report([`Final-Recipient: ${field}`, "Action: failed", "Status: 5.1.1"]),
    ).recipients;
    assert.equal(recipient?.finalRecipient, address);
  });
}

const outcomes: readonly [
  what: string,
  fields: readonly string[],
  status: string | undefined,
  final: boolean,
  class_: string,
][] = [
  ["OpenSMTPD's last word", ["Action: delayed", "Status: 4.4.7"], "4.4.7", true, "soft"],
  [
    "Exchange's delay",
    ["Action: delayed", "Status: 4.4.7", "Will-Retry-Until: Sat, 21 Nov 2026 20:00:00 +0000"],
    "4.4.7",
    false,
    "delay",
  ],
  ["a delay", ["Action: delayed", "Status: 4.0.0"], "4.0.0", false, "delay"],
  [
    "a delay that the words end",
    ["Action: delayed", "Status: 4.0.0", "Diagnostic-Code: x-mta; Envelope expired"],
    "4.0.0",
    true,
    "soft",
  ],
  [
    "a delay because a certificate expired",
    ["Action: delayed", "Status: 4.0.0", "Diagnostic-Code: smtp; 451 4.7.5 TLS certificate has expired"],
    "4.7.5",
    false,
    "delay",
  ],
  [
    "a delay after a try that qmail gave up",
    ["Action: delayed", "Status: 4.0.0", "Diagnostic-Code: x-qmail; greylisted. Giving up on 192.0.2.25."],
    "4.0.0",
    false,
    "delay",
  ],
  [
    "a delay that was the last",
    ["Action: delayed", "Status: 4.0.0", "Diagnostic-Code: x-mta; could not be delivered for 5 days"],
    "4.0.0",
    true,
    "soft",
  ],
  ["an action with words behind it", ["Action: failed/none", "Status: 4.2.2"], "4.2.2", true, "soft"],
  ["an action in quotes", ['Action: "Failed"', "Status: 4.2.2"], "4.2.2", true, "soft"],
  [
    "Sendmail's relayed",
    ["Action: relayed (to non-DSN-aware mailer)", "Status: 2.1.5"],
    "2.1.5",
    true,
    "success",
  ],
  [
    "expanded",
    ["Action: expanded", "Status: 2.0.0", "Diagnostic-Code: x-mta; alias 5.1.1 was expanded"],
    "2.0.0",
    true,
    "success",
  ],
  ["no action", ["Status: 5.2.1"], "5.2.1", true, "hard"],
  ["no action and a transient status", ["Status: 4.2.1"], "4.2.1", false, "delay"],
  ["no action and success", ["Status: 2.0.0"], "2.0.0", true, "success"],
  ["an unknown action", ["Action: constructor", "Status: 5.1.1"], "5.1.1", true, "hard"],
  ["no status", ["Action: failed", "Diagnostic-Code: smtp; 550 5.1.2 no host"], "5.1.2", true, "hard"],
  ["neither status nor code", ["Action: failed"], "5.0.0", true, "hard"],
  ["a reply without a code", ["Action: failed", "Diagnostic-Code: smtp; 451 busy"], "4.0.0", true, "soft"],
  ["a short status", ["Action: failed", "Status: 5.1"], "5.1.0", true, "hard"],
  [
    "a code with a hash",
    ["Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 #5.1.1 unknown"],
    "5.1.1",
    true,
    "hard",
  ],
  [
    "a reply said by a host",
    ["Action: failed", "Status: 5.0.0", "Diagnostic-Code: X-Mta; host mx[192.0.2.25] said: 550 5.7.1 no"],
    "5.7.1",
    true,
    "policy",
  ],
  [
    "a reply with a general code",
    ["Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.0.0 no"],
    "5.1.1",
    true,
    "hard",
  ],
  [
    "an address for a code",
    ["Action: failed", "Status: 5.0.0", "Diagnostic-Code: x-mta; no route to 4.3.2.1 or 5.5.5.example"],
    "5.0.0",
    true,
    "hard",
  ],
  [
    "a failure after a transient reply",
    ["Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 452 4.2.2 full"],
    "4.2.2",
    true,
    "soft",
  ],
];
for (const [what, fields, status, final, class_] of outcomes) {
  test(`${what}: ${status}, ${final ? "final" : "not final"}, ${class_}`, () => {
    const [one] = read(...report(["Final-Recipient: rfc822; bob@example.org", ...fields])).recipients;
    assert.deepEqual([one?.effectiveStatus, one?.final, one?.class], [status, final, class_]);
  });
}

test("an expired envelope that only the text tells is final, for that recipient alone", () => {
  const blocks = ["bob", "carol"].flatMap((name) => [
    "",
    `Final-Recipient: rfc822; ${name}@example.org`,
    "Action: delayed",
    "Status: 4.0.0",
  ]);
  const { recipients } = read(
    ...report(blocks, ["bob@example.org: Envelope expired", "carol@example.org: 451 4.3.0 later"]),
  );
  assert.deepEqual(
    recipients.map((one) => [one.final, one.effectiveStatus]),
    [
      [true, "4.0.0"],
      [false, "4.3.0"],
    ],
  );
});

test("blocks without empty lines between them are told apart, wherever their fields stand", () => {
  const { recipients, reportingMta } = read(
    ...report([
      "Action: failed",
      "Final-Recipient: rfc822; a@example.org",
      "Status: 5.1.1",
      "Reporting-MTA: dns; mx.example.org",
      "Original-Recipient: rfc822; b-alias@example.org",
      "Final-Recipient: rfc822; b@example.org",
      "Action: failed",
      "Status: 5.2.2",
      "Final-Recipient: rfc822; c@example.org",
      "Action: failed",
      "Status: 5.3.4",
      "Original-Recipient: rfc822; c-alias@example.org",
    ]),
  );
  assert.deepEqual(
    recipients.map((one) => [one.finalRecipient, one.originalRecipient, one.effectiveStatus]),
    [
      ["a@example.org", undefined, "5.1.1"],
      ["b@example.org", "b-alias@example.org", "5.2.2"],
      ["c@example.org", "c-alias@example.org", "5.3.4"],
    ],
  );
  assert.equal(reportingMta, "mx.example.org");
});

test("an Original-Recipient that ends its block is of that block, and one that begins a block is of that", () => {
  const blocks = (...lines: string[]) => {
    const { recipients } = read(...report(["Reporting-MTA: dns; mx.example.org", "", ...lines]));
    return recipients.map((one) => [one.originalRecipient, one.finalRecipient, one.diagnostic]);
  };
  const alias = "Original-Recipient: rfc822; alias@example.net";
  const a = ["Final-Recipient: rfc822; a@example.org", "Action: failed", "Status: 5.1.1"];
  const b = ["Final-Recipient: rfc822; b@example.org", "Action: failed", "Status: 5.1.1"];
  const why = "Diagnostic-Code: smtp; 550 no";
  assert.deepEqual(blocks(...a, alias, why, "", ...b), [
    ["alias@example.net", "a@example.org", "550 no"],
    [undefined, "b@example.org", undefined],
  ]);
  assert.deepEqual(blocks(...a, alias, why), [["alias@example.net", "a@example.org", "550 no"]]);
  const ofB = [
    [undefined, "a@example.org", undefined],
    ["alias@example.net", "b@example.org", undefined],
  ];
  assert.deepEqual(blocks(...a, alias, ...b), ofB);
  assert.deepEqual(blocks(...a, "", alias, ...b), ofB);
  assert.deepEqual(blocks(...a, "", alias, "", ...b), ofB);
});

// Structure that is broken.

test("a report whose boundary parameter is missing is read by the first line of hyphens", () => {
  const lines = report(BLOCK).map((line) => line.replace("; boundary=b", ""));
  assert.equal(readBounce(octets(lines)).kind, "dsn");
});

test("a boundary in a quoted string that never ends is the rest of it", () => {
  const lines = report(BLOCK).map((line) => line.replace("boundary=b", 'boundary="b'));
  assert.equal(readBounce(octets(lines)).recipients.length, 1);
});

test("a report whose boundary never comes still has its fields, as text", () => {
  const lines = report(BLOCK).map((line) => line.replace("boundary=b", "boundary=other"));
  const { kind, recipients } = readBounce(
    octets(lines.map((line) => line.replace(/^Final/, "Reporting-MTA: dns; x\r\n\r\nFinal"))),
  );
  assert.equal(kind, "bounce");
  assert.deepEqual(
    recipients.map((one) => [one.finalRecipient, one.status]),
    [["bob@example.org", "5.1.1"]],
  );
});

test("a report that lost its boundaries keeps what it says, and not as a failure", () => {
  const delivered = ["Final-Recipient: rfc822; bob@example.org", "Action: delivered", "Status: 2.0.0"];
  const text = ["Your message reached:", "", "<bob@example.org>: delivered to mailbox"];
  const lines = report(["Reporting-MTA: dns; mx.example.org", "", ...delivered], text);
  const { kind, recipients } = readBounce(
    octets(lines.map((line) => line.replace("boundary=b", "boundary=other"))),
  );
  assert.equal(kind, "bounce");
  assert.deepEqual(
    recipients.map((one) => [one.finalRecipient, one.action]),
    [["bob@example.org", "delivered"]],
  );
});

test("style and script of an HTML part are no text, in any case of letters", () => {
  for (const name of ["style", "STYLE", "Script"]) {
    const body = `<html><${name}>a{}</${name}>Delivery has failed to these recipients or groups:<br>`;
    const { recipients } = read(
      ...DAEMON,
      "Subject: Undeliverable: Hello",
      "Content-Type: text/html",
      "",
      `${body}bob@example.org<br>550 5.1.1 no such user</html>`,
    );
    assert.deepEqual(
      recipients.map((one) => [one.finalRecipient, one.effectiveStatus]),
      [["bob@example.org", "5.1.1"]],
      name,
    );
  }
});

test("a part without an empty line behind its header, and one that never ends, are read", () => {
  const lines = report(BLOCK, ["Sorry, it did not go.", "bob@example.org: 550 5.1.1 unknown"]);
  lines.splice(lines.indexOf("--b") + 1, 1, "Content-Type: text/plain");
  const [recipient] = readBounce(octets(lines.slice(0, -1))).recipients;
  assert.deepEqual([recipient?.status, recipient?.smtpReply?.code], ["5.1.1", 550]);
});

// What was returned.

test("a status part inside a returned message is not ours", () => {
  const theirs = report(["Final-Recipient: rfc822; victim@example.net", "Action: failed", "Status: 5.7.1"]);
  const inner = theirs.map((line) => line.replace(/^--b/, "--inner").replace("boundary=b", "boundary=inner"));
  for (const type of ["message/rfc822", "message/global"]) {
    const returned = ["--b", `Content-Type: ${type}`, "", ...inner, "--b--"];
    const ours = readBounce(octets([...report(BLOCK).slice(0, -1), ...returned]));
    assert.deepEqual(
      ours.recipients.map((one) => one.finalRecipient),
      ["bob@example.org"],
    );
    const textOnly = [
      ...DAEMON,
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "",
      "Hello",
      ...returned,
    ];
    assert.deepEqual(readBounce(octets(textOnly)).recipients, []);
    const digest = [
      ...DAEMON,
      "Content-Type: multipart/digest; boundary=b",
      "",
      "--b",
      "",
      ...inner,
      "--b--",
    ];
    assert.deepEqual(readBounce(octets(digest)).recipients, []);
  }
});

test("of two status parts, the first that names somebody counts, even where a returned message forges our boundary", () => {
  const forged = [
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: x",
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
  ];
  const lines = [
    ...report(BLOCK).slice(0, -1),
    ...forged,
    "Final-Recipient: rfc822; victim@example.net",
    "Action: failed",
    "--b--",
  ];
  assert.deepEqual(
    readBounce(octets(lines)).recipients.map((one) => one.finalRecipient),
    ["bob@example.org"],
  );
});

test("the returned header is read in order, unfolded, from a part or from below a separator", () => {
  const header = ["Received: from a", "\tby b", "Subject: =?utf-8?Q?x?=", "received: two", "X-Empty:"];
  const expected = [
    { name: "Received", value: "from a by b" },
    { name: "Subject", value: "=?utf-8?Q?x?=" },
    { name: "received", value: "two" },
    { name: "X-Empty", value: "" },
  ];
  const part = ["--b", "Content-Type: text/rfc822-headers", "", ...header, "--b--"];
  assert.deepEqual(readBounce(octets([...report(BLOCK).slice(0, -1), ...part])).returned, expected);
  const text = [
    "550 5.1.1 <bob@example.org>",
    "",
    "------ Original message ------",
    "",
    ...header,
    "",
    "<x@y.example> 550 5.1.1",
  ];
  const below = readBounce(octets([...DAEMON, "", ...text]));
  assert.deepEqual(below.returned, expected);
  assert.equal(below.recipients.length, 1);
});

test("qmail gives up on a host after every try: that says nothing of the time", () => {
  const classes = [
    "Remote host said: 554 rejected as spam",
    "Remote host said: 550 this account has expired",
  ].map((words) => {
    const { recipients } = read(
      ...DAEMON,
      "Subject: failure notice",
      "",
      "Hi. This is the qmail-send program at mx.example.org.",
      "I wasn't able to deliver your message to the following addresses.",
      "",
      "<bob@example.org>:",
      "192.0.2.25 does not like recipient.",
      words,
      "Giving up on 192.0.2.25.",
    );
    return recipients.map((one) => [one.effectiveStatus, one.class]);
  });
  assert.deepEqual(classes, [[["5.7.1", "spam"]], [["5.0.0", "hard"]]]);
});

const separators: readonly (readonly string[])[] = [
  ["--- Below this line is a copy of the message."],
  ["----- Original mail follows -----"],
  ["--- Enclosed is a copy of the message."],
  ["--- Nachricht folgt"],
  ["----------------------------------------"],
  ["Die Nachricht:"],
  [],
];
for (const separator of separators) {
  for (const header of [["Received: from a", "Subject: Hello"], []]) {
    const where = `${separator[0] ?? "nothing"}" and ${header.length === 0 ? "no header" : "its header"}`;
    test(`a report in the text of a message that is returned below "${where} is not believed`, () => {
      const { recipients } = read(
        ...DAEMON,
        "Subject: failure notice",
        "",
        "Hi. This is the qmail-send program at mx.example.org.",
        "I wasn't able to deliver your message to the following addresses.",
        "",
        "<bob@example.org>:",
        "550 5.1.1 no such user",
        "",
        ...separator,
        "",
        ...header,
        "",
        "Reporting-MTA: dns; evil.example",
        "",
        "Final-Recipient: rfc822; carol@evil.example",
        "Action: delivered",
        "Status: 2.0.0",
      );
      assert.deepEqual(
        recipients.map((one) => [one.finalRecipient, one.action, one.class]),
        [["bob@example.org", "failed", "hard"]],
      );
    });
  }
}

test("where no rule finds anybody, a report in the text is believed above the message alone", () => {
  const status = [
    "Reporting-MTA: dns; mx.example.org",
    "",
    "Final-Recipient: rfc822; bob@example.org",
    "Action: failed",
    "Status: 5.1.1",
  ];
  const text = (...lines: string[]) =>
    read(...DAEMON, "Subject: Unzustellbar: Hallo", "", "Leider nicht.", "", ...lines).recipients.length;
  assert.equal(text(...status), 1);
  assert.equal(text("----- Transcript of session follows -----", "", ...status), 1);
  for (const line of ["--- Nachricht", "-----", "Received: from a", "MIME-Version: 1.0"]) {
    assert.equal(text(line, "", ...status), 0, line);
  }
});

test("a letter whose last octet is 0xA0 is whole at the end of a field", () => {
  const header = ["Subject: voilà", "X-Folded: voilà", "\tvoilà", "From: Bob <bob@example.org>"];
  const part = ["--b", "Content-Type: text/rfc822-headers", "", ...header, "--b--"];
  const status = [...BLOCK, "Diagnostic-Code: smtp; 550 5.1.1 voilà"];
  const { returned, recipients } = readBounce(octets([...report(status).slice(0, -1), ...part]));
  assert.deepEqual(
    returned?.map(({ value }) => value),
    ["voilà", "voilà voilà", "Bob <bob@example.org>"],
  );
  assert.deepEqual(recipients[0]?.diagnostic, "550 5.1.1 voilà");
  assert.deepEqual(recipients[0]?.smtpReply?.text, "voilà");
});

test("text in ISO-2022-JP names nobody by the octets of its characters", () => {
  const shifted = "\x1b$B%a%$%k@h$,8+$D$+$j$^$;$s%a@b.c\x1b(B";
  const { recipients } = read(
    ...DAEMON,
    "Content-Type: text/plain; charset=iso-2022-jp",
    "",
    `${shifted}: <bob@example.org>`,
    `550 5.1.1 ${shifted}`,
  );
  assert.deepEqual(
    recipients.map((one) => [one.finalRecipient, one.effectiveStatus]),
    [["bob@example.org", "5.1.1"]],
  );
});
