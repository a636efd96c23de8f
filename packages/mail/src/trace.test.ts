import assert from "node:assert/strict";
import { test } from "node:test";
import { type Hop, mailDate, receivedField } from "./trace.ts";

const hop: Hop = {
  from: { helo: "client.example", address: "192.0.2.1" },
  by: "mx.forwarder.example",
  protocol: "ESMTP",
  id: "k3j2",
  loopToken: "0123456789abcdef0123",
  headerMark: "",
  recipient: { localPart: "alice", domain: "forwarder.example" },
  now: 1_700_000_000,
};

test("the Received field names client, server, protocol, id, recipient and date", () => {
  assert.equal(
    receivedField(hop),
    "Received: from client.example ([192.0.2.1])\r\n" +
      "\tby mx.forwarder.example (Homing) with ESMTP id k3j2\r\n" +
      "\t(loop 0123456789abcdef0123)\r\n" +
      "\tfor <alice@forwarder.example>; Tue, 14 Nov 2023 22:13:20 +0000\r\n",
  );
});

test("a header mark stands behind the loop token, before anything that a client chose", () => {
  assert.ok(
    receivedField({ ...hop, headerMark: "abcdef" }).includes(
      "\t(loop 0123456789abcdef0123)\r\n\t(header abcdef)\r\n\tfor <alice@forwarder.example>;",
    ),
  );
});

test("a client cannot write fields or comments of its own through its HELO name", () => {
  const field = receivedField({
    ...hop,
    from: { helo: "x (by evil)\r\nX-Spam: no", address: "2001:db8::1" },
  });
  assert.match(field, /^Received: from x\?\?by\?evil\?\?\?X-Spam:\?no \(\[IPv6:2001:db8::1\]\)\r\n/);
  assert.match(
    receivedField({ ...hop, from: { helo: "", address: "192.0.2.1" } }),
    /^Received: from unknown /,
  );
  assert.ok(receivedField({ ...hop, from: { helo: "h".repeat(10_000), address: "192.0.2.1" } }).length < 600);
});

test("a client that nobody is to know stands nowhere in the field", () => {
  assert.match(
    receivedField({ ...hop, from: undefined }),
    /^Received: by mx\.forwarder\.example \(Homing\) with ESMTP id k3j2\r\n/,
  );
});

test("dates are UTC and name the day", () => {
  assert.equal(mailDate(0), "Thu, 1 Jan 1970 00:00:00 +0000");
});
