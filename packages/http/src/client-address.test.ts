import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddress } from "./client-address.ts";

const asked: [peer: string | undefined, forwardedFor: string | undefined, client: string | undefined][] = [
  ["192.0.2.1", undefined, "192.0.2.1"],
  ["::ffff:192.0.2.1", undefined, "192.0.2.1"],
  ["2001:db8::1", undefined, "2001:db8::1"],
  ["fe80::1%eth0", undefined, "fe80::1"],
  // Only a web server on this machine is believed.
  ["192.0.2.1", "198.51.100.7", "192.0.2.1"],
  ["127.0.0.1", "198.51.100.7", "198.51.100.7"],
  ["127.8.9.1", "198.51.100.7", "198.51.100.7"],
  ["::1", "2001:db8::7", "2001:db8::7"],
  ["::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"],
  // What a client wrote himself stands before.
  ["127.0.0.1", "10.0.0.1, evil,  198.51.100.7 ", "198.51.100.7"],
  ["127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"],
  // None at the end: the peer, and no guess.
  ["127.0.0.1", undefined, "127.0.0.1"],
  ["127.0.0.1", "", "127.0.0.1"],
  ["127.0.0.1", "198.51.100.7,", "127.0.0.1"],
  ["127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"],
  ["127.0.0.1", "198.51.100.7:1234", "127.0.0.1"],
  ["127.0.0.1", "fe80::1%eth0", "127.0.0.1"],
  ["127.0.0.1", "x".repeat(8000), "127.0.0.1"],
  [undefined, "198.51.100.7", undefined],
];
for (const [peer, forwardedFor, client] of asked) {
  test(`${peer} that names ${forwardedFor?.slice(0, 40)} asks for ${client}`, () => {
    assert.equal(clientAddress(peer, forwardedFor), client);
  });
}
