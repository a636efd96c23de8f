import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsServersOption } from "./dns-option.ts";

test("servers come in their order, and system is none", () => {
  assert.deepEqual(dnsServersOption(["192.0.2.1:53", "[2001:db8::1]:5353", "192.0.2.53", "[::1]"]), [
    { host: "192.0.2.1", port: 53 },
    { host: "2001:db8::1", port: 5353 },
    { host: "192.0.2.53", port: 53 },
    { host: "::1", port: 53 },
  ]);
  assert.deepEqual(dnsServersOption(["system"]), []);
});

for (const text of ["", "dns.example:53", "192.0.2.1:0", "192.0.2.1:70000", "2001:db8::1:53", "::1"]) {
  test(`--dns "${text}" is refused in one line that says what to write`, () => {
    assert.throws(() => dnsServersOption(["127.0.0.1:53", text]), {
      reason: "usage",
      message: `--dns ${text}: write system, or the IP address of a DNS server, such as 127.0.0.1, 127.0.0.1:5353 or [::1]:53`,
    });
  });
}

test("system stands alone", () => {
  assert.throws(() => dnsServersOption(["system", "127.0.0.1:53"]), {
    message: /^--dns system stands alone: /,
  });
});
