import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, MAIL, NOW, OPTIONS, refusal, reversed } from "../testing/compile-mail.ts";
import { onBehalf } from "./on-behalf-plugin.ts";

test("a message gets a return path that leads to the user, the site's From, and a Message-ID of the site", async () => {
  const data = await compile({ ...MAIL, onBehalfOf: { address: "alice@example.org", name: "Alice" } });
  const { envelope, ...rest } = data as { envelope: { from: string; to: string[] } };
  assert.deepEqual(rest, {
    headers: {},
    to: [{ name: "", address: "bob@peer.example" }],
    subject: "A card",
    text: "Hello",
    from: { name: "Alice via Example Cards", address: "cards@site.example" },
    replyTo: { name: "Alice", address: "alice@example.org" },
    messageId: "<id-1@site.example>",
  });
  assert.deepEqual(envelope.to, ["bob@peer.example"]);
  const { back, rewriter } = reversed(envelope.from);
  assert.deepEqual(back.address, { localPart: "alice", domain: "example.org" });
  const bob = { localPart: "bob", domain: "peer.example" };
  assert.equal(back.selector, rewriter.selectorsOf(bob)[0]);
});

test("where DMARC permits it, the user's own address is in From, and Sender is the site", async () => {
  const world = { now: () => NOW, lookUpTxt: async () => [], newId: () => "id-1" };
  const data = await compile({ ...MAIL, replyTo: "alice@example.org" }, { world });
  assert.deepEqual(data.from, { name: "", address: "alice@example.org" });
  assert.deepEqual(data.sender, { name: "Example Cards", address: "cards@site.example" });
  assert.equal("replyTo" in data, false);
});

test("several recipients share one return path, which names none of them", async () => {
  const to = [
    '"Bob, the 2nd" <bob@peer.example>, carol@peer.example',
    { name: "Dan", address: "dan@peer.example" },
  ];
  const data = await compile({ ...MAIL, to, cc: "BOB@peer.example", bcc: "eve@Peer.Example" });
  const envelope = data.envelope as { from: string; to: string[] };
  assert.deepEqual(envelope.to, [
    "BOB@peer.example",
    "carol@peer.example",
    "dan@peer.example",
    "eve@peer.example",
  ]);
  assert.equal(reversed(envelope.from).back.selector, undefined);
  assert.deepEqual(data.to, [
    { name: "Bob, the 2nd", address: "bob@peer.example" },
    { name: "", address: "carol@peer.example" },
    { name: "Dan", address: "dan@peer.example" },
  ]);
  assert.deepEqual(data.bcc, [{ name: "", address: "eve@peer.example" }]);
});

test("mail without onBehalfOf passes untouched, at once", () => {
  const data = { from: "x@y.example", raw: "anything\r\n", to: "a, b" };
  const before = structuredClone(data);
  let called = 0;
  onBehalf(OPTIONS)({ data }, (error) => {
    assert.equal(error, undefined);
    called++;
  });
  assert.equal(called, 1);
  assert.deepEqual(data, before);
});

test("a transporter's defaults that say the same are taken", async () => {
  const data = await compile({
    ...MAIL,
    from: '"Cards" <CARDS@site.example>',
    sender: "cards@site.example",
    replyTo: { address: "alice@example.org" },
    messageId: "<order-5@site.example>",
  });
  assert.deepEqual(data.from, { name: "alice via Example Cards", address: "cards@site.example" });
  assert.equal(data.messageId, "<order-5@site.example>");
});

test("an error while nodemailer composes goes to the callback", async () => {
  const plugin = onBehalf({ ...OPTIONS, fromMode: "site" });
  const given: unknown[] = [];
  await new Promise<void>((resolve) => {
    plugin({ data: { ...MAIL } }, (error) => {
      given.push(error);
      if (error) resolve();
      else throw new TypeError("composing failed");
    });
  });
  assert.deepEqual(given, [undefined, new TypeError("composing failed")]);
});

test("the site's log says why which address is in From", async () => {
  const lines: unknown[][] = [];
  const mail = {
    data: { ...MAIL },
    mailer: { logger: { info: (...values: unknown[]) => lines.push(values) } },
  };
  const plugin = onBehalf({ ...OPTIONS, fromMode: "site" });
  await new Promise((resolve) => plugin(mail, resolve));
  assert.deepEqual(lines, [[{ tnx: "on-behalf" }, "%s", "The site writes its own address into From"]]);
});

test("a user who is too long for a return path is refused", async () => {
  const onBehalfOf = `${"a".repeat(60)}@example.org`;
  const { code, field } = await refusal({ ...MAIL, onBehalfOf }, { isConfirmed: () => true });
  assert.deepEqual([code, field], ["sender-too-long", "onBehalfOf"]);
});

test("what is wrong and what to do are one line, with one colon between them", async () => {
  const { message, hint } = await refusal(MAIL, { fromMode: "user" });
  assert.ok(message.endsWith(`asks receivers for "reject": ${hint}`), message);
});

const INJECTION = "x\r\nBcc: all@peer.example";
const five = ["a", "b", "c", "d", "e"].map((name) => `${name}@peer.example`);
const refused: readonly [what: string, more: object, code: string, field: string | undefined][] = [
  [
    "a user who is not confirmed",
    { onBehalfOf: "mallory@example.org" },
    "identity-not-confirmed",
    "onBehalfOf",
  ],
  ["nobody, undefined", { onBehalfOf: undefined }, "invalid-field", "onBehalfOf"],
  ["nobody, null", { onBehalfOf: null }, "invalid-field", "onBehalfOf"],
  ["nobody, an empty text", { onBehalfOf: "" }, "invalid-field", "onBehalfOf"],
  ["a number for a user", { onBehalfOf: 7 }, "invalid-field", "onBehalfOf"],
  [
    "a user with a misspelled member",
    { onBehalfOf: { address: "alice@example.org", confirmed: true } },
    "invalid-field",
    "onBehalfOf",
  ],
  [
    "a user's address with a name",
    { onBehalfOf: "Alice <alice@example.org>" },
    "invalid-field",
    "onBehalfOf",
  ],
  [
    "a user's address with a line break",
    { onBehalfOf: `alice@example.org\r\nBcc: x@y.example` },
    "invalid-field",
    "onBehalfOf",
  ],
  [
    "a user with a quoted local part",
    { onBehalfOf: '"alice smith"@example.org' },
    "invalid-field",
    "onBehalfOf",
  ],
  ["a user at an IP address", { onBehalfOf: "alice@[192.0.2.1]" }, "invalid-field", "onBehalfOf"],
  [
    "a user who is a return path",
    { onBehalfOf: "SRS0=x=G3=a.example=b@c.example" },
    "invalid-field",
    "onBehalfOf",
  ],
  [
    "a user's name with a line break",
    { onBehalfOf: { address: "alice@example.org", name: INJECTION } },
    "invalid-field",
    "onBehalfOf.name",
  ],
  [
    "a user's name with an address",
    { onBehalfOf: { address: "alice@example.org", name: "ceo@bank.example" } },
    "invalid-field",
    "onBehalfOf.name",
  ],
  [
    "a user's name that is no text",
    { onBehalfOf: { address: "alice@example.org", name: 5 } },
    "invalid-field",
    "onBehalfOf",
  ],
  ["a subject with a line break", { subject: INJECTION }, "invalid-field", "subject"],
  ["a subject that is no text", { subject: { path: "/etc/passwd" } }, "invalid-field", "subject"],
  ["no recipient", { to: [] }, "no-recipients", "to"],
  ["six recipients", { to: [...five, "f@peer.example"] }, "too-many-recipients", "to"],
  [
    "six recipients in three fields",
    { to: five.slice(0, 2), cc: five.slice(2, 4), bcc: [five[4], "f@peer.example"] },
    "too-many-recipients",
    "to",
  ],
  [
    "a recipient's name with a line break",
    { to: { name: INJECTION, address: "bob@peer.example" } },
    "invalid-field",
    "to",
  ],
  [
    "a recipient's name with another address",
    { to: '"ceo@bank.example" <bob@peer.example>' },
    "invalid-field",
    "to",
  ],
  ["a recipient with a line break", { to: `bob@peer.example\r\nBcc: x@y.example` }, "invalid-field", "to"],
  ["a recipient with a quoted local part", { to: '"bob@evil.example"@peer.example' }, "invalid-field", "to"],
  ["a quoted local part in brackets", { to: 'Bob <"bob@evil.example"@peer.example>' }, "invalid-field", "to"],
  ["a recipient with a comment", { to: "bob@peer.example (Bob)" }, "invalid-field", "to"],
  ["a comment in the middle", { to: "bob(x)@peer.example" }, "invalid-field", "to"],
  ["a group", { to: "friends: bob@peer.example, carol@peer.example;" }, "invalid-field", "to"],
  [
    "a group as an object",
    { to: { name: "friends", address: "bob@peer.example", group: [{ address: "x@y.example" }] } },
    "invalid-field",
    "to",
  ],
  ["a list in a list", { to: [["bob@peer.example"]] }, "invalid-field", "to[0]"],
  ["a source route", { to: "<@evil.example:bob@peer.example>" }, "invalid-field", "to"],
  ["a recipient at an IP address", { to: "bob@[IPv6:2001:db8::1]" }, "invalid-field", "to"],
  ["a recipient without a domain", { to: "bob" }, "invalid-field", "to"],
  ["two @", { to: "bob@evil.example@peer.example" }, "invalid-field", "to"],
  ["a name without brackets", { to: "Bob bob@peer.example" }, "invalid-field", "to"],
  ["two addresses in brackets", { to: "<a@peer.example> <b@peer.example>" }, "invalid-field", "to"],
  ["a quote that is not closed", { to: '"Bob <bob@peer.example>' }, "invalid-field", "to"],
  ["a wide blank in a local part", { to: "bob\u3000x@peer.example" }, "invalid-field", "to"],
  ["dots that need quotes", { to: "bob..x@peer.example" }, "invalid-field", "to"],
  ["a recipient's object without an address", { to: { name: "Bob" } }, "invalid-field", "to.address"],
  ["raw beside it", { raw: "From: x\r\n\r\n" }, "field-contradicts", "raw"],
  ["an envelope beside it", { envelope: { from: "x@y.example" } }, "field-contradicts", "envelope"],
  ["a From of somebody else", { from: "mallory@example.org" }, "field-contradicts", "from"],
  ["two in From", { from: "cards@site.example, mallory@example.org" }, "field-contradicts", "from"],
  ["a Sender of somebody else", { sender: "alice@example.org" }, "field-contradicts", "sender"],
  ["a Reply-To of somebody else", { replyTo: "support@site.example" }, "field-contradicts", "replyTo"],
  [
    "a Message-ID at another domain",
    { messageId: "<x@bounce.site.example>" },
    "field-contradicts",
    "messageId",
  ],
  [
    "a Message-ID with a line break",
    { messageId: `<x\r\nBcc: a@site.example>` },
    "invalid-field",
    "messageId",
  ],
  ["a header field From", { headers: { from: "x@y.example" } }, "field-contradicts", "headers.from"],
  [
    "a header field Cc in a list",
    { headers: [{ key: "CC", value: "x@y.example" }] },
    "field-contradicts",
    "headers.CC",
  ],
  [
    "a header field Resent-To",
    { headers: { "Resent-To": "x@y.example" } },
    "field-contradicts",
    "headers.Resent-To",
  ],
  [
    "a header field Return-Path",
    { headers: { key: "Return-Path", value: "x@y.example" } },
    "field-contradicts",
    "headers.Return-Path",
  ],
  [
    "a header value with a line break",
    { headers: { "X-Card": INJECTION } },
    "invalid-field",
    "headers.X-Card",
  ],
  [
    "a prepared value with a line break",
    { headers: { "X-Card": { prepared: true, value: INJECTION } } },
    "invalid-field",
    "headers.X-Card",
  ],
  [
    "a header name with a line break",
    { headers: { "X-Card: 1\r\nBcc": "x@y.example" } },
    "invalid-field",
    "headers",
  ],
  [
    "a reference with a line break",
    { references: ["<a@b.example>", INJECTION] },
    "invalid-field",
    "references",
  ],
  [
    "a List field with a line break",
    { list: { unsubscribe: { url: "https://x.example", comment: INJECTION } } },
    "invalid-field",
    "list",
  ],
];
for (const [what, more, code, field] of refused) {
  test(`${what}: refused with ${code}, and the message stays as it was`, async () => {
    const data = { headers: {}, ...MAIL, ...more };
    const before = structuredClone(data);
    const error = await refusal(data);
    assert.deepEqual({ code: error.code, field: error.field }, { code, field });
    assert.ok(error.hint, "it does not say what to do");
    assert.deepEqual(data, before);
  });
}

test("a million recipients are refused before they are read", async () => {
  const { code } = await refusal({
    ...MAIL,
    to: Array.from({ length: 1_000_000 }, () => "bob@peer.example"),
  });
  assert.equal(code, "too-many-recipients");
  const long = await refusal({ ...MAIL, to: "bob@peer.example, ".repeat(100_000) });
  assert.equal(long.code, "invalid-field");
});

test("the mode user is refused where DMARC does not permit it", async () => {
  const { code, message } = await refusal(MAIL, { fromMode: "user" });
  assert.equal(code, "from-not-permitted");
  assert.match(message, /_dmarc\.example\.org asks receivers for "reject".*use the mode site/);
});
