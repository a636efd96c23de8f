import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { networkOf } from "./client-network.ts";

test("whatever way an IPv6 address is written, its first 64 bits are its network", () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(6), (groups, zero) => {
      // `::` may stand for one group or more; `::ffff:…` in dotted form is IPv4.
      const written = groups.map((one, index) => (index === zero || index === zero + 1 ? 0 : one));
      const long = written.map((one) => one.toString(16).padStart(4, "0").toUpperCase());
      const short = `${long.slice(0, zero).join(":")}::${long.slice(zero + 2).join(":")}`;
      const network = `${written
        .slice(0, 4)
        .map((one) => one.toString(16))
        .join(":")}::/64`;
      assert.equal(networkOf(long.join(":")), network);
      assert.equal(networkOf(short), network);
      assert.equal(networkOf(`${short}%eth0`), network);
    }),
  );
});

test("an IPv4 address is a network of its own, in IPv6 clothes too", () => {
  assert.equal(networkOf("192.0.2.1"), "192.0.2.1");
  assert.equal(networkOf("::FFFF:192.0.2.1"), "192.0.2.1");
  assert.equal(networkOf("unknown"), "unknown");
});

const written: readonly (readonly [address: string, network: string])[] = [
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
];
for (const [address, network] of written)
  test(`${address} is of the network ${network}`, () => assert.equal(networkOf(address), network));
