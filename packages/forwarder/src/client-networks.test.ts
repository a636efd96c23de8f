import assert from "node:assert/strict";
import { test } from "node:test";
import { customerOf, siteOf } from "./client-networks.ts";

const sites: [address: string, site: string][] = [
  ["192.0.2.7", "192.0.2"],
  ["::ffff:192.0.2.7", "192.0.2"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
];
for (const [address, site] of sites) {
  test(`${address} is of the site ${site}`, () => assert.equal(siteOf(address), site));
}

const customers: [address: string, customer: string][] = [
  ["192.0.2.7", "192.0.2"],
  ["192.0.2", "192.0.2"],
  ["2001:db8:1:2::1", "2001:db8:1"],
  ["2001:db8:1:2::/64", "2001:db8:1"],
  ["2001:db8::1", "2001:db8:0"],
];
for (const [address, customer] of customers) {
  test(`${address} is of the customer ${customer}`, () => assert.equal(customerOf(address), customer));
}
