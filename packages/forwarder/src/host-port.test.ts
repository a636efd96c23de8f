import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHostPort, renderHostPort } from "./host-port.ts";

const hostPorts: [text: string, host: string, port: number][] = [
  ["127.0.0.1:25", "127.0.0.1", 25],
  ["[::1]:2525", "::1", 2525],
  ["[2001:DB8::192.0.2.1]:25", "2001:DB8::192.0.2.1", 25],
  ["mx.x.test:0", "mx.x.test", 0],
  ["localhost:65535", "localhost", 65_535],
];
for (const [text, host, port] of hostPorts) {
  test(`${text} is a host and a port`, () => assert.deepEqual(parseHostPort(text), { host, port }));
}

for (const text of [
  "",
  ":",
  "x.test",
  "x.test:",
  ":25",
  "x.test:65536",
  "x.test:123456",
  "::1:25",
  "[::1]",
  "[x.test]:25",
  "[]:25",
  "a b:25",
  "x.test:25 ",
  "x.test:-1",
  "x.test:2e1",
  "x/y:25",
  "fe80::1%eth0:25",
]) {
  test(`${JSON.stringify(text)} is no host and port`, () => assert.equal(parseHostPort(text), undefined));
}

test("rendering undoes reading", () => {
  for (const text of ["127.0.0.1:25", "[2001:db8::1]:2525", "mx.x.test:25"]) {
    const parsed = parseHostPort(text);
    assert.equal(parsed && renderHostPort(parsed), text);
  }
});
