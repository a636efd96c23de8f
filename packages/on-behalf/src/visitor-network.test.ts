import assert from "node:assert/strict";
import { test } from "node:test";
import { visitorNetwork } from "./visitor-network.ts";

const NETWORKS: readonly [address: string, network: string | undefined][] = [
  ["192.0.2.7", "192.0.2.7"],
  ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:0000:0000:0000:0009", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["2001:db8:1:2:3:4:5::", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:3:4:192.0.2.7", "2001:db8:1:2::/64"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::ffff:c000:207", "192.0.2.7"],
  ["0:0:0:0:0:ffff:c000:0207", "192.0.2.7"],
  ["fe80::1%eth0", undefined],
  ["192.0.2.7:80", undefined],
  ["192.0.2.7\r\nX: y", undefined],
  ["", undefined],
];
for (const [address, network] of NETWORKS) {
  test(`${JSON.stringify(address)} is of ${network ?? "no network"}`, () => {
    assert.equal(visitorNetwork(address), network);
  });
}
