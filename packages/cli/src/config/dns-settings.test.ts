import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { dns } from "./dns-settings.ts";

test("servers are IP addresses, with ports or without, in their order; without any the system's are asked", () => {
  const servers = ["127.0.0.1:53", "[2001:db8::1]:5353", "192.0.2.53", "[::1]"];
  const map = z.strictObject({ dns });
  assert.deepEqual(map.parse({ dns: { servers } }).dns.servers, [
    { host: "127.0.0.1", port: 53 },
    { host: "2001:db8::1", port: 5353 },
    { host: "192.0.2.53", port: 53 },
    { host: "::1", port: 53 },
  ]);
  assert.deepEqual(map.parse({}).dns.servers, []);
});

for (const text of ["::1", "[dns.example]", "dns.example:53", "127.0.0.1:0", "::1:53"]) {
  test(`${text} is no DNS server`, () => {
    const { error } = dns.safeParse({ servers: [text] });
    assert.match(error?.issues.map(({ message }) => message).join() ?? "", /: write /);
  });
}
