import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLocalSubmission, lastUntrustedHop, type RelayedClient } from "./relayed-from.ts";

const RELAY: RelayedClient = { address: "10.0.0.1", helo: "mx2.example" };
const isRelay = (address: string) => address.startsWith("10.0.0.") || address.startsWith("fd00::");
const last = (...fields: string[]) => {
  const header = fields.map((field) => `Received: ${field}\r\n`).join("");
  return lastUntrustedHop(Buffer.from(`${header}Subject: x\r\n\r\nbody\r\n`, "latin1"), isRelay, RELAY);
};

const BY_POSTFIX =
  "\r\n\tby mx2.example (Postfix) with ESMTPS id 4Zx3\r\n\tfor <a@x.example>; Fri, 20 Nov 2026 20:31:40 +0000 (UTC)";
const BY_EXIM =
  "\r\n\tby mx2.example with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n\t(Exim 4.96)\r\n\t" +
  "(envelope-from <b@x.example>)\r\n\tid 1xUVIi-00002i-1c\r\n\tfor a@x.example;\r\n\tFri, 20 Nov 2026 20:33:40 +0000";
const BY_SENDMAIL =
  "\r\n\tby mx2.example (8.17.1.9/8.17.1.9/Debian-2) with ESMTP id 6AKKlGWN000127\r\n\tfor <a@x.example>; Fri, 20 Nov 2026";
const BY_QMAIL = "\r\n  by mx2.example with SMTP; 20 Nov 2026 20:31:40 -0000";
const BY_EXCHANGE =
  " by\r\n EX2.mx2.example (10.0.0.9) with Microsoft SMTP Server\r\n (version=TLS1_2, cipher=TLS_ECDHE_RSA) id 15.2.1258.12; Fri, 20 Nov";
const BY_OPENSMTPD =
  "\r\n\tby mx2.example (OpenSMTPD) with ESMTPS id 462f5ca1 (TLSv1.3:TLS_AES_256:256:NO)\r\n\tfor <a@x.example>;\r\n\tFri, 20 Nov";

const forms: [server: string, field: string, address: string, helo: string][] = [
  ["Postfix", `from mail.c.example (c.example [192.0.2.1])${BY_POSTFIX}`, "192.0.2.1", "mail.c.example"],
  ["Postfix, no name", `from x (unknown [192.0.2.1])${BY_POSTFIX}`, "192.0.2.1", "x"],
  ["Postfix, IPv6", `from x (c.example [IPv6:2001:DB8::1])${BY_POSTFIX}`, "2001:db8::1", "x"],
  [
    "Postfix, an address literal as HELO",
    `from [198.51.100.1] (c.example [192.0.2.1])${BY_POSTFIX}`,
    "192.0.2.1",
    "[198.51.100.1]",
  ],
  [
    "Postfix, with TLS and a user",
    "from x (c.example [192.0.2.1])\r\n\t(using TLSv1.3 with cipher AES (256/256 bits)\r\n\t key-exchange X25519 server-signature" +
      ` RSA-PSS (2048 bits))\r\n\t(No client certificate requested)\r\n\t(Authenticated sender: bob)${BY_POSTFIX}`,
    "192.0.2.1",
    "x",
  ],
  ["Exim", `from [192.0.2.1] (helo=out.c.example)${BY_EXIM}`, "192.0.2.1", "out.c.example"],
  ["Exim, a name", `from c.example ([192.0.2.1] helo=out.c.example)${BY_EXIM}`, "192.0.2.1", "out.c.example"],
  ["Exim, the name as HELO", `from c.example ([192.0.2.1])${BY_EXIM}`, "192.0.2.1", "c.example"],
  ["Exim, IPv6", `from c.example ([2001:db8::1] helo=x)${BY_EXIM}`, "2001:db8::1", "x"],
  ["Exim, a port", `from c.example ([192.0.2.1]:3025 helo=x ident=bob)${BY_EXIM}`, "192.0.2.1", "x"],
  ["Exim, a port and no name", `from [192.0.2.1]:3025 (helo=x)${BY_EXIM}`, "192.0.2.1", "x"],
  ["Exim, the address as HELO", `from [192.0.2.1]${BY_EXIM}`, "192.0.2.1", "[192.0.2.1]"],
  [
    "Exim, another address as HELO",
    `from [192.0.2.1] (helo=[198.51.100.1])${BY_EXIM}`,
    "192.0.2.1",
    "[198.51.100.1]",
  ],
  ["Sendmail", `from x (c.example [192.0.2.1])${BY_SENDMAIL}`, "192.0.2.1", "x"],
  [
    "Sendmail, a doubtful name",
    `from x (c.example [192.0.2.1] (may be forged))${BY_SENDMAIL}`,
    "192.0.2.1",
    "x",
  ],
  ["Sendmail, ident", `from x (IDENT:bob@c.example [192.0.2.1])${BY_SENDMAIL}`, "192.0.2.1", "x"],
  ["Sendmail, no name", `from x ([192.0.2.1])${BY_SENDMAIL}`, "192.0.2.1", "x"],
  [
    "Sendmail, IPv6",
    `from x ([IPv6:2001:db8::1])\r\n\t(authenticated bits=0)${BY_SENDMAIL}`,
    "2001:db8::1",
    "x",
  ],
  ["qmail", `from unknown (HELO out.c.example) (192.0.2.1)${BY_QMAIL}`, "192.0.2.1", "out.c.example"],
  ["qmail, ident", `from c.example (HELO x) (bob@192.0.2.1)${BY_QMAIL}`, "192.0.2.1", "x"],
  ["qmail, the name as HELO", `from c.example (192.0.2.1)${BY_QMAIL}`, "192.0.2.1", "c.example"],
  ["qmail, an empty HELO", `from c.example (HELO ) (192.0.2.1)${BY_QMAIL}`, "192.0.2.1", ""],
  ["Exchange", `from out.c.example (192.0.2.1)${BY_EXCHANGE}`, "192.0.2.1", "out.c.example"],
  ["Exchange, IPv6", `from out.c.example (2001:db8::1)${BY_EXCHANGE}`, "2001:db8::1", "out.c.example"],
  ["OpenSMTPD", `from x (c.example [192.0.2.1])${BY_OPENSMTPD}`, "192.0.2.1", "x"],
  [
    "Courier",
    "from x (c.example [::ffff:192.0.2.1])\r\n  (AUTH: LOGIN bob)\r\n  by mx2.example with ESMTP; x",
    "192.0.2.1",
    "x",
  ],
  [
    "Homing",
    "from x ([192.0.2.1])\r\n\tby mx2.example (Homing) with ESMTP id k\r\n\t(loop 0)\r\n\tfor <a@x>; x",
    "192.0.2.1",
    "x",
  ],
  ["in capitals", "FROM X (C.EXAMPLE [IPV6:2001:DB8::1]) BY MX2.EXAMPLE; X", "2001:db8::1", "X"],
  [
    "Exim, with a parenthesis in the sender",
    `from [192.0.2.1] (helo=x)${BY_EXIM.replace("b@x", '"a)b"@x')}`,
    "192.0.2.1",
    "x",
  ],
];
for (const [server, field, address, helo] of forms) {
  test(`the client is read from the field of a relay: ${server}`, () => {
    assert.deepEqual(last(field), { address, helo });
  });
}

test("Exim's form counts where Exim wrote it: a name in DNS may have any octets", () => {
  const field = `from [198.51.100.1] (helo=c.example [192.0.2.1] (may be forged))${BY_SENDMAIL}`;
  assert.deepEqual(last(field), { address: "192.0.2.1", helo: "[198.51.100.1]" });
});

const unread: [what: string, field: string][] = [
  ["mail of the relay's own", "by mx2.example (Postfix, from userid 110)\r\n\tid 255E; Fri, 20 Nov 2026"],
  ["a user of the relay, Sendmail", "(from bob@localhost) by mx2.example (8.17) id x; Fri"],
  ["a user of the relay, qmail", "(qmail 123 invoked by uid 1000); 20 Nov 2026"],
  ["a user of the relay, Exim", "from bob by mx2.example with local (Exim 4.96) id x; Fri"],
  ["a user of the relay, OpenSMTPD", `from mx2.example (mx2.example [local])${BY_OPENSMTPD}`],
  ["no address", `from x (c.example)${BY_POSTFIX}`],
  ["no comment", `from x${BY_POSTFIX}`],
  ["an address literal that may be a HELO", `from [192.0.2.1]${BY_POSTFIX}`],
  ["an address that is none", `from x (c.example [192.0.2.256])${BY_POSTFIX}`],
  ["no server", "from x (c.example [192.0.2.1])"],
  [
    "two addresses: one of them in the HELO",
    `from x (y [198.51.100.1]) (c.example [192.0.2.1])${BY_POSTFIX}`,
  ],
  ["a server in the HELO", `from x (y [198.51.100.1]) by z (c.example [192.0.2.1])${BY_POSTFIX}`],
  ["two addresses behind Exim's", `from [198.51.100.1] (helo=x) (c.example [192.0.2.1])${BY_EXIM}`],
  [
    "two addresses: one of them from an ident server",
    `from x (IDENT:a@[198.51.100.1] b@c.example [192.0.2.1])${BY_SENDMAIL}`,
  ],
  [
    "Exim's words in a name in DNS",
    `from [198.51.100.1] (helo=c.example [192.0.2.1] (may be forged))${BY_EXIM}`,
  ],
  ["a comment that does not end", `from x (c.example [192.0.2.1]${BY_POSTFIX.replaceAll(")", "")}`],
  ["a parenthesis too many", `from x) (c.example [192.0.2.1])${BY_POSTFIX}`],
  ["nothing", ""],
];
for (const [what, field] of unread) {
  test(`no client is read from a field with ${what}`, () => {
    assert.equal(last(field, `from x (c.example [192.0.2.1])${BY_POSTFIX}`), undefined);
  });
}

test("a client that is no relay is itself the last hop, whatever the header says", () => {
  const client = { address: "192.0.2.9", helo: "c.example" };
  const header = Buffer.from(`Received: from x (y [192.0.2.1])${BY_POSTFIX}\r\n\r\n`);
  assert.equal(lastUntrustedHop(header, isRelay, client), client);
});

test("relays behind relays, and their own filters, are passed by; what stands below the last one is not believed", () => {
  assert.deepEqual(
    last(
      `from mx2.example (localhost [127.0.0.1])${BY_POSTFIX}`,
      `from mx3.example (mx3.example [10.0.0.3])${BY_POSTFIX}`,
      "(qmail 27437 invoked from network); 20 Nov 2026 20:31:40 -0000",
      `from unknown (HELO mx4.example) (10.0.0.4)${BY_QMAIL}`,
      `from forger.example (forger.example [198.51.100.66])${BY_POSTFIX}`,
      `from innocent.example (innocent.example [192.0.2.1])${BY_POSTFIX}`,
    ),
    { address: "198.51.100.66", helo: "forger.example" },
  );
});

test("where all were relays, nobody knows who sent it", () => {
  assert.equal(last(`from mx3.example (mx3.example [10.0.0.3])${BY_POSTFIX}`), undefined);
  assert.equal(last(), undefined);
});

test("fields in the body, and other fields, say nothing", () => {
  const field = `from x (c.example [192.0.2.1])${BY_POSTFIX}`;
  const header = Buffer.from(`X-Received: ${field}\r\nSubject: x\r\n\r\nReceived: ${field}\r\n`);
  assert.equal(lastUntrustedHop(header, isRelay, RELAY), undefined);
});

test("a HELO is kept up to 255 characters, and a huge field is not read to its end", () => {
  assert.equal(last(`from ${"x".repeat(1000)} (c.example [192.0.2.1])${BY_POSTFIX}`)?.helo.length, 255);
  assert.equal(last(`from ${"x".repeat(1_000_000)} (c.example [192.0.2.1])${BY_POSTFIX}`), undefined);
  assert.equal(last(`from x ${"(".repeat(1_000_000)}`), undefined);
});

test("a hundred thousand fields of relays are read in no more than a second", () => {
  const header = Buffer.from(`Received: from x (x [10.0.0.2]) by y; z\r\n`.repeat(100_000));
  const begin = performance.now();
  assert.equal(lastUntrustedHop(header, isRelay, RELAY), undefined);
  assert.ok(performance.now() - begin < 1000);
});

test("no octets make the reader throw, and it gives an address or nothing", () => {
  const piece = fc.constantFrom(
    ..."Received:|from |by |x|(|)|[|]|192.0.2.1|IPv6:|helo=|HELO |@|\r\n |\r\n|;| |\0|\xff|(Exim 4)|[192.0.2.1]".split(
      "|",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const found = last(pieces.join(""));
      if (found) assert.match(found.address, /^192\.0\.2\.1$/);
    }),
  );
});

test("what a relay wrote itself has no client in its topmost field", () => {
  const local = (field: string) =>
    isLocalSubmission(Buffer.from(`Received: ${field}\r\nSubject: x\r\n\r\nx`));
  assert.ok(local("by mx2.example (Postfix, from userid 0)\r\n\tid 4Zx3; Fri, 20 Nov 2026 20:31:40 +0000"));
  assert.ok(local("(qmail 12 invoked by uid 0); 20 Nov 2026 20:31:40 -0000"));
  assert.ok(local("(from root@localhost)\r\n\tby mx2.example (8.17/8.17/Submit) id 4Zx3"));
  assert.ok(!local("(qmail 12 invoked from network); 20 Nov 2026 20:31:40 -0000"));
  assert.ok(!local(`from x (unknown [192.0.2.1])${BY_POSTFIX}`));
  assert.ok(!isLocalSubmission(Buffer.from("Subject: x\r\n\r\nx")));
});
