// Addresses as octets: RFC 7208 §5, §5.5, §7.3.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dotted, parseAddress, parseClient, readable, reverseName, samePrefix } from "./ip.ts";

test("addresses in all spellings become octets, and anything else does not", () => {
  const shown = (text: string) => parseAddress(text)?.join(" ");
  assert.equal(shown("192.0.2.255"), "192 0 2 255");
  assert.equal(shown("2001:db8::1"), "32 1 13 184 0 0 0 0 0 0 0 0 0 0 0 1");
  assert.equal(shown("::"), Array(16).fill(0).join(" "));
  assert.equal(shown("1:2:3:4:5:6:7::"), "0 1 0 2 0 3 0 4 0 5 0 6 0 7 0 0");
  assert.equal(shown("::ffff:192.0.2.1"), "0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 1");
  assert.equal(shown("64:ff9b::192.0.2.1"), "0 100 255 155 0 0 0 0 0 0 0 0 192 0 2 1");
  for (const text of ["", "192.0.2", "192.0.02.1", "192.0.2.256", "::1%lo", "1::2::3", "d.example", " ::1"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test("clients in IPv6 clothes are IPv4, others are not", () => {
  assert.equal(parseClient("::ffff:192.0.2.1")?.join("."), "192.0.2.1");
  assert.equal(parseClient("::ffff:c000:201%eth0")?.join("."), "192.0.2.1");
  assert.equal(parseClient("::fffe:192.0.2.1")?.length, 16);
  assert.equal(parseClient("::ff:192.0.2.1")?.length, 16);
  assert.equal(parseClient("1::ffff:192.0.2.1")?.length, 16);
});

test("addresses are written for DNS and for people", () => {
  const four = parseAddress("192.0.2.1") ?? assert.fail();
  const six = parseAddress("2001:db8:0:0:1::1:cafe") ?? assert.fail();
  assert.deepEqual(
    [dotted(four), reverseName(four), readable(four)],
    ["192.0.2.1", "1.2.0.192.in-addr.arpa", "192.0.2.1"],
  );
  assert.equal(dotted(six), "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.1.C.A.F.E");
  assert.equal(reverseName(six), "e.f.a.c.1.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  assert.equal(readable(six), "2001:db8::1:0:1:cafe");
});

test("networks of every length hold what shares their first bits", () => {
  const ones = new Uint8Array(4).fill(255);
  for (let bit = 0; bit < 32; bit += 1) {
    const other = Uint8Array.from(ones);
    other[bit >> 3] = 255 ^ (128 >> (bit & 7));
    for (let length = 0; length <= 32; length += 1) {
      assert.equal(samePrefix(ones, other, length), length <= bit, `${bit} ${length}`);
    }
  }
});
