import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { createConnectionShares } from "./connection-shares.ts";

/** A connection that was taken. */
function from(remoteAddress: string): Socket {
  return Object.defineProperty(new Socket(), "remoteAddress", { value: remoteAddress });
}

/** Of these, how many are served. */
function served(sockets: readonly Socket[]): number {
  return sockets.filter(({ destroyed }) => !destroyed).length;
}

for (const [what, addresses] of [
  ["an IPv4 address", ["192.0.2.1", "::ffff:192.0.2.1"]],
  ["an IPv6 /64", ["2001:db8::1", "2001:db8::2:3"]],
] as const) {
  test(`${what} has its share, and no more; others have theirs`, () => {
    const share = createConnectionShares(4);
    const sockets = addresses.flatMap((address) => [from(address), from(address), from(address)]);
    for (const socket of sockets) share(socket);
    assert.equal(served(sockets), 4);
    const other = from("198.51.100.7");
    share(other);
    assert.equal(served([other]), 1);
  });
}

test("who goes leaves his place to the next", () => {
  const share = createConnectionShares(1);
  const [first, early, next] = [from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.1")];
  share(first);
  share(early);
  first.emit("close", false);
  share(next);
  assert.deepEqual([served([early]), served([next])], [0, 1]);
});

test("this machine has no share: a web server on it asks for everybody", () => {
  const share = createConnectionShares(1);
  const sockets = ["127.0.0.1", "127.0.0.1", "::1", "::1", "::ffff:127.0.0.1"].map(from);
  for (const socket of sockets) share(socket);
  assert.equal(served(sockets), sockets.length);
});
