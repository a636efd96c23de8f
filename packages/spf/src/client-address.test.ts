import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseClient, reverseName, sameOctets } from "./ip.ts";

const octetsOf = (text: string): Uint8Array => {
  const octets = parseClient(text);
  assert.ok(octets);
  return octets;
};

test("addresses as DNS has them, the last octet or nibble first", () => {
  assert.equal(reverseName(octetsOf("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  assert.equal(reverseName(octetsOf("::ffff:192.0.2.1")), "1.2.0.192.in-addr.arpa");
  assert.equal(
    reverseName(octetsOf("2001:db8::567:89ab")),
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
});

const same: [one: string, other: string][] = [
  ["192.0.2.1", "::FFFF:192.0.2.1"],
  ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"],
  ["2001:db8::", "2001:db8:0:0:0:0:0:0"],
  ["::1", "0:0:0:0:0:0:0:1"],
  ["::", "0::0"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["fe80::1%eth0", "fe80::1"],
];
for (const [one, other] of same) {
  test(`${one} and ${other} are one address`, () => assert.ok(sameOctets(octetsOf(one), octetsOf(other))));
}

test("what is no address is none", () => {
  for (const text of ["", "x", "192.0.2", "192.0.2.256", "[::1]", "1::2::3", "192.0.2.1:25", ":::"]) {
    assert.equal(parseClient(text), undefined, text);
  }
});

test("every address is read again from its own octets", () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const octets = octetsOf(groups.map((one) => one.toString(16)).join(":"));
      const expected = groups.flatMap((one) => [one >> 8, one & 0xff]);
      assert.deepEqual([...octets], octets.length === 4 ? expected.slice(12) : expected);
    }),
  );
});
