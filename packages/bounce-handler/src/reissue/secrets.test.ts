import assert from "node:assert/strict";
import { test } from "node:test";
import type { BounceRecipient, BounceReport } from "../read/report.ts";
import { namedIn, namesOfHost } from "./host-names.ts";
import { secretsOf } from "./secrets.ts";

const NOBODY: BounceRecipient = {
  finalRecipient: undefined,
  originalRecipient: undefined,
  action: "failed",
  status: undefined,
  effectiveStatus: undefined,
  final: true,
  class: "hard",
  diagnostic: undefined,
  smtpReply: undefined,
  remoteMta: undefined,
  evidence: "",
};
const REPORT: BounceReport = {
  kind: "dsn",
  reportingMta: undefined,
  originalEnvelopeId: undefined,
  arrivalDate: undefined,
  recipients: [NOBODY],
  returned: undefined,
  named: [],
  autoSubmitted: undefined,
  truncated: false,
};
const KNOWN = {
  mailboxes: [
    { localPart: "alice", domain: "fwd.forwarder.test" },
    { localPart: "bob", domain: "origin.test" },
  ],
  hostname: "mx.forwarder.test",
};

const cases: [
  what: string,
  recipient: Partial<BounceRecipient>,
  report: Partial<BounceReport>,
  secrets: string[],
][] = [
  [
    "an address: itself, its local part, its domain",
    { finalRecipient: "Private@Home.test" },
    {},
    ["private@home.test", "private", "home.test"],
  ],
  [
    "an address with an extension",
    { finalRecipient: "carol+x@home.test" },
    {},
    ["carol+x@home.test", "carol+x", "carol", "home.test"],
  ],
  [
    "an extension with marks",
    { finalRecipient: "rob.mil+fwd=shop@home.test" },
    {},
    ["rob.mil", "fwd", "shop"],
  ],
  ["an extension with a slash", { finalRecipient: "robm+a1/b2@home.test" }, {}, ["robm", "a1", "b2"]],
  ["an extension behind a hyphen", { finalRecipient: "robm-news@home.test" }, {}, ["robm", "news"]],
  [
    "an address inside an address",
    { finalRecipient: "list+rob.mil=in-side.test@lists.gw.test" },
    {},
    ["list", "rob.mil", "in-side.test", "lists.gw.test", "gw.test"],
  ],
  ["an address that goes on", { finalRecipient: "robm%inside.test@gw.test" }, {}, ["robm", "inside.test"]],
  ["a path of hosts", { finalRecipient: "inside.test!robm@gw.test" }, {}, ["robm", "inside.test"]],
  [
    "an address in an encoded word",
    { finalRecipient: "=?utf-8?Q?robm=40home.test?=" },
    {},
    ["robm@home.test", "robm", "home.test"],
  ],
  ["an address in xtext", { finalRecipient: "rob+2Em@home.test" }, {}, ["rob.m"]],
  ["an address in escapes", { finalRecipient: "j\\x{F6}rgen@home.test" }, {}, ["jörgen"]],
  ["what somebody named his domain", { finalRecipient: "me@millerfamily.test" }, {}, ["millerfamily"]],
  ["the host of the other alphabet", {}, { reportingMta: "mx.bücher.test" }, ["xn--bcher-kva.test"]],
  [
    "a word that stands anywhere in the bounce",
    {},
    {
      named: [
        "(box17.hosting.test)",
        "<robm@home.test>:",
        "=?utf-8?B?ZGF2ZUBpbnNpZGU=?=",
        "=?utf-8?B?LnRlc3Q=?=",
      ],
    },
    ["box17.hosting.test", "hosting.test", "robm@home.test", "robm", "home.test", "dave@inside.test", "dave"],
  ],
  [
    "the next host, but no part of an SRS address of ours",
    {},
    {
      named: [
        "SRS0=tag=TT=origin.test=bob@fwd.forwarder.test",
        "SRS1=tag=second.test==x=YY=a.test=b@third.test",
      ],
    },
    ["second.test", "third.test"],
  ],
  [
    "a local part of two characters",
    { finalRecipient: "me@home.test" },
    {},
    ["me@home.test", "me", "home.test"],
  ],
  ["the alias", { originalRecipient: "ALICE@fwd.forwarder.test" }, {}, []],
  [
    "the alias's words at another place",
    { finalRecipient: "alice@home.test" },
    {},
    ["alice@home.test", "home.test"],
  ],
  ["our own server", {}, { reportingMta: "mx.forwarder.test" }, []],
  ["a neighbour of ours", {}, { reportingMta: "mx7.forwarder.test" }, ["mx7.forwarder.test"]],
  [
    "a server, and its domains",
    { remoteMta: "a.mx.home.test" },
    {},
    ["a.mx.home.test", "mx.home.test", "home.test"],
  ],
  ["a server without a domain", { remoteMta: "mailhub" }, {}, ["mailhub"]],
  [
    "a server with its address",
    { remoteMta: "mx.home.co.uk [192.0.2.25]" },
    {},
    ["mx.home.co.uk", "home.co.uk", "192.0.2.25"],
  ],
  [
    "a host in both alphabets",
    { finalRecipient: "me@xn--bcher-kva.test" },
    {},
    ["me@xn--bcher-kva.test", "xn--bcher-kva.test", "bücher.test"],
  ],
  [
    "what the diagnostic names",
    { diagnostic: "550 5.1.1 to=<dave@inside.test> at mx.inside.test:25, try 2001:db8::7" },
    {},
    ["dave@inside.test", "dave", "inside.test", "mx.inside.test", "2001:db8::7"],
  ],
  [
    "what the diagnostic names in octal",
    { smtpReply: { code: 550, enhanced: undefined, text: "d\\141ve\\100inside.test" } },
    {},
    ["dave@inside.test", "dave", "inside.test"],
  ],
];
for (const [what, recipient, report, secrets] of cases) {
  test(`secret is ${what}`, () => {
    const found = secretsOf(
      { ...REPORT, recipients: [{ ...NOBODY, ...recipient }], ...report },
      KNOWN,
    ).secrets;
    for (const secret of secrets) assert.ok(found.includes(secret), `${secret} is not in ${found}`);
    for (const word of ["alice", "bob", "forwarder.test", "origin.test", "co.uk", "test"]) {
      assert.ok(!found.includes(word), word);
    }
    if (secrets.length === 0) assert.deepEqual(found, []);
  });
}

test("whose a message was, servers note in the returned header, too", () => {
  const returned = [
    { name: "Received", value: "from mail.origin.test by x.test for <one@home.test>; Fri" },
    { name: "X-Original-To", value: "two@home.test" },
    { name: "To", value: "three@home.test" },
  ];
  const { secrets } = secretsOf({ ...REPORT, returned }, KNOWN);
  assert.deepEqual(
    ["one", "two", "three", "mail.origin.test", "x.test"].filter((word) => secrets.includes(word)),
    ["one", "two"],
  );
});

test("in which fields servers note whom a message was for", () => {
  const names = [
    "Delivered-To",
    "Resent-To",
    "X-Actual-Recipient",
    "X-Apparently-To",
    "X-Forwarded-To",
    "X-RCPT-To",
  ];
  for (const name of names) {
    const { secrets } = secretsOf(
      { ...REPORT, returned: [{ name, value: "robm@home.test via 192.0.2.1" }] },
      KNOWN,
    );
    assert.ok(secrets.includes("robm@home.test"), name);
  }
});

test("names of the mail system are no secrets, and parts of an SRS address are none", () => {
  const named = [
    "MAILER-DAEMON@mx.home.test",
    "postmaster@home.test",
    "SRS0=abcd=JK=origin.test=bob@fwd.forwarder.test",
  ];
  const { secrets } = secretsOf({ ...REPORT, named }, KNOWN);
  for (const word of ["mailer", "daemon", "mailer-daemon", "postmaster", "abcd", "jk", "srs0"])
    assert.ok(!secrets.includes(word), word);
});

test("a domain that the sender's own address is in is no secret", () => {
  const known = { ...KNOWN, mailboxes: [{ localPart: "bob", domain: "mail.origin.test" }] };
  const report = { ...REPORT, recipients: [{ ...NOBODY, finalRecipient: "private@origin.test" }] };
  assert.deepEqual(secretsOf(report, known).secrets.toSorted(), ["private", "private@origin.test"]);
});

test("one letter is no secret: it stands in every text", () => {
  const { secrets } = secretsOf(
    { ...REPORT, recipients: [{ ...NOBODY, finalRecipient: "a@home.test" }] },
    KNOWN,
  );
  assert.deepEqual([...secrets].sort(), ["a@home.test", "home.test"]);
});

test("marks around a name are no part of it", () => {
  assert.deepEqual(namedIn("while talking to mx.home.test.: ... a..b").hosts, ["mx.home.test"]);
  assert.deepEqual(namedIn("rcpt=bob@home.test.").addresses, ["rcpt=bob@home.test"]);
});

test("figures and sentences are no hosts", () => {
  assert.deepEqual(namedIn("550 5.1.1 (14.2 points). See RFC.").hosts, []);
  assert.deepEqual(namedIn("see http://mx.home.test/x?y, or [IPv6:2001:db8::1].").hosts, [
    "mx.home.test",
    "2001:db8::1",
  ]);
});

test("a name of endless labels has few domains", () => {
  assert.ok(namesOfHost("a.".repeat(1000)).length <= 36);
});
