import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf, siteOf } from "./client-networks.ts";

test("networks: an IPv4 address, or the first 64 bits of an IPv6 address", () => {
  const cases: [address: string, network: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:DB8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:2:3::4", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
  ];
  for (const [address, network] of cases) assert.equal(networkOf(address), network, address);
});

const sites: [address: string, site: string][] = [
  ["192.0.2.7", "192.0.2"],
  ["::ffff:192.0.2.7", "192.0.2"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
];
for (const [address, site] of sites) {
  test(`${address} is of the site ${site}`, () => assert.equal(siteOf(address), site));
}
