import assert from "node:assert/strict";
import { test } from "node:test";
import { createMayConnect } from "./networks.ts";

const mayConnect = createMayConnect(["10.1.0.0/16", "fd00:1::/32"]);

for (const address of [
  "8.8.8.8",
  "172.32.0.1",
  "2606:4700::1",
  "2001:db9::1",
  "64:ff9c::1",
  "::ffff:8.8.8.8",
  "10.1.2.3",
  "fd00:1::25",
]) {
  test(`${address} may be connected to`, () => assert.equal(mayConnect(address), true));
}

const special =
  "127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 " +
  "224.0.0.1 255.255.255.255 ::1 :: fe80::1 fd00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:a00:1 " +
  "64:ff9b::10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1::1 ::127.0.0.1 ::8.8.8.8 fec0::1 2001:db8::1 192.0.2.1 " +
  "198.51.100.1 203.0.113.1 192.88.99.1 ::ffff:192.0.2.1";
for (const address of special.split(" ")) {
  test(`${address} is no other host of the Internet`, () => assert.equal(mayConnect(address), false));
}
