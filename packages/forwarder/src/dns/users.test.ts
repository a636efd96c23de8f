import assert from "node:assert/strict";
import { test } from "node:test";
import { createNextHops } from "../next-hops.ts";
import type { Zone } from "../testing/dns-server.ts";
import { dnsOf, openDns } from "../testing/test-dns.ts";
import { mxResolver, txtLookup } from "./users.ts";

const V6 = [0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1];
const ZONE: Zone = {
  "two.test": [
    { type: "MX", priority: 20, exchange: "b.test" },
    { type: "MX", priority: 10, exchange: "a.test" },
  ],
  "null.test": [{ type: "MX", priority: 0, exchange: "." }],
  "plain.test": [{ type: "A", address: [192, 0, 2, 9] }],
  "empty.test": [],
  "broken.test": "SERVFAIL",
  "to-broken.test": [{ type: "MX", priority: 1, exchange: "broken.test" }],
  "to-nobody.test": [{ type: "MX", priority: 1, exchange: "nobody.test" }],
  "a.test": [{ type: "A", address: [192, 0, 2, 1] }],
  "b.test": [
    { type: "A", address: [192, 0, 2, 2] },
    { type: "AAAA", address: V6 },
  ],
  "alias.test": [{ type: "CNAME", target: "two.test" }],
  "to-alias.test": [{ type: "MX", priority: 1, exchange: "alias-of-b.test" }],
  "alias-of-b.test": [{ type: "CNAME", target: "b.test" }],
  "alias-of-plain.test": [{ type: "CNAME", target: "plain.test" }],
  "_mta-sts.two.test": [
    { type: "TXT", strings: ["v=STSv1; ", "id=a;"] },
    { type: "TXT", strings: ["other"] },
  ],
};

const answers: [domain: string, hosts: string][] = [
  ["two.test", "192.0.2.1 192.0.2.2 2001:db8::1"],
  ["plain.test", "192.0.2.9"],
  // RFC 5321 §5.1: a domain may be a CNAME; an MX host must not, and many are.
  ["alias.test", "192.0.2.1 192.0.2.2 2001:db8::1"],
  ["alias-of-plain.test", "192.0.2.9"],
  ["to-alias.test", "192.0.2.2 2001:db8::1"],
  ["null.test", "none 5.1.10"],
  ["empty.test", "none 5.1.2"],
  ["nobody.test", "none 5.1.2"],
  ["broken.test", "unknown 4.4.3"],
  ["to-broken.test", "unknown 4.4.3"],
  ["to-nobody.test", "unknown 4.4.4"],
];
for (const [domain, expected] of answers) {
  test(`the next hops of ${domain}, asked of a DNS server: ${expected}`, async (t) => {
    const resolver = mxResolver(await dnsOf(t, ZONE));
    const found = await createNextHops({
      routes: new Map(),
      resolver,
      random: () => 0,
      mayConnect: () => true,
    })(domain);
    const told = found.kind === "hosts" ? found.hosts.map(({ host }) => host) : [found.kind, found.enhanced];
    assert.equal(told.join(" "), expected);
  });
}

test("a DNS server that does not listen is a failure, not an answer about the name", async (t) => {
  const resolver = mxResolver(openDns(t, { servers: [{ host: "127.0.0.1", port: 1 }] }));
  const [mx, addresses] = await Promise.all([resolver.mx("two.test"), resolver.addresses("a.test")]);
  assert.deepEqual([mx.kind, addresses.kind], ["failed", "failed"]);
});

test("TXT records come whole, and their absence is an answer", async (t) => {
  const txt = txtLookup(await dnsOf(t, ZONE));
  assert.deepEqual(await txt("_mta-sts.two.test"), { kind: "texts", texts: ["v=STSv1; id=a;", "other"] });
  assert.deepEqual(await txt("_mta-sts.nobody.test"), { kind: "texts", texts: [] });
  assert.deepEqual(await txt("plain.test"), { kind: "texts", texts: [] });
  assert.equal((await txt("broken.test")).kind, "failed");
});

const half: [what: string, zone: Zone, addresses: readonly string[] | "failed"][] = [
  ["IPv4, and IPv6 fails", { "a.test AAAA": "SERVFAIL" }, ["192.0.2.1"]],
  ["no IPv4, and IPv6 fails", { "a.test A": [], "a.test AAAA": "SERVFAIL" }, "failed"],
  ["neither", { "a.test A": [], "a.test AAAA": [] }, []],
];
for (const [what, zone, addresses] of half) {
  test(`addresses of a host that has ${what}: ${addresses}`, async (t) => {
    const found = await mxResolver(await dnsOf(t, { ...ZONE, ...zone })).addresses("a.test");
    assert.deepEqual(found.kind === "failed" ? found.kind : found.addresses, addresses);
  });
}
