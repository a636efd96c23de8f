import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import type { DnsAnswer } from "@homing/spf";
import { type Rcode, startDnsServer, type Zone } from "../testing/dns-server.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { openDns } from "../testing/test-dns.ts";

const text = (...texts: string[]): Zone[string] => texts.map((one) => ({ type: "TXT", strings: [one] }));

const ZONE: Zone = {
  "a.test": [
    { type: "A", address: [192, 0, 2, 1], ttl: 30 },
    { type: "A", address: [192, 0, 2, 2], ttl: 20 },
    { type: "AAAA", address: [0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1], ttl: 30 },
    { type: "MX", priority: 5, exchange: "mx.test" },
    { type: "PTR", target: "name.test" },
    { type: "TXT", strings: ["one ", "two"] },
  ],
  "zero.test": [{ type: "A", address: [192, 0, 2, 1], ttl: 0 }],
  "long.test": [{ type: "A", address: [192, 0, 2, 1], ttl: 2_000_000 }],
  "empty.test": [],
  "octets.test": text("\0\x80\xff\t"),
  "nothing.test": text(""),
  "user+tag=x.test": text("odd"),
  "back\\slash.test": text("odd, too"),
  "to-odd.test": [
    { type: "MX", priority: 5, exchange: "mail@site.test" },
    { type: "PTR", target: "x y.test" },
  ],
  "alias.test": [{ type: "CNAME", target: "a+b.test" }],
  "a+b.test": [{ type: "A", address: [192, 0, 2, 9] }],
  "broken.test": "SERVFAIL",
};

const answers: [
  what: string,
  type: "txt" | "a" | "aaaa" | "mx" | "ptr",
  name: string,
  answer: DnsAnswer<unknown>,
][] = [
  ["addresses", "a", "a.test", { kind: "records", records: ["192.0.2.1", "192.0.2.2"] }],
  ["IPv6 addresses", "aaaa", "a.test", { kind: "records", records: ["2001:db8::1"] }],
  ["MX hosts", "mx", "a.test", { kind: "records", records: [{ exchange: "mx.test", priority: 5 }] }],
  ["names", "ptr", "a.test", { kind: "records", records: ["name.test"] }],
  ["strings of a text joined", "txt", "a.test", { kind: "records", records: ["one two"] }],
  ["a name in capitals, with its dot", "txt", "A.Test.", { kind: "records", records: ["one two"] }],
  ["octets as they are", "txt", "octets.test", { kind: "records", records: ["\0\x80\xff\t"] }],
  ["a text of nothing", "txt", "nothing.test", { kind: "records", records: [""] }],
  ["no such record", "txt", "empty.test", { kind: "records", records: [] }],
  ["no such name", "txt", "no.test", { kind: "no-such-name" }],
  [
    "names with other characters than a host name has",
    "ptr",
    "to-odd.test",
    { kind: "records", records: ["x y.test"] },
  ],
  ["what is behind an odd CNAME", "a", "alias.test", { kind: "records", records: ["192.0.2.9"] }],
  ["a name that c-ares refuses", "txt", "user+tag=x.test", { kind: "records", records: ["odd"] }],
  ["a backslash that is no escape", "txt", "back\\slash.test", { kind: "records", records: ["odd, too"] }],
  ["such a name that is not there", "txt", "no+tag.test", { kind: "no-such-name" }],
  [
    "a host name that is none, with its backslash",
    "mx",
    "to-odd.test",
    { kind: "records", records: [{ exchange: "mail\\@site.test", priority: 5 }] },
  ],
  ["a label of 64", "txt", `${"x".repeat(64)}.test`, { kind: "no-such-name" }],
  ["a name of 254", "txt", "x.".repeat(127).slice(0, -1).padStart(254, "x"), { kind: "no-such-name" }],
  ["NUL in a name", "txt", "a\0.test", { kind: "no-such-name" }],
];
for (const [what, type, name, answer] of answers) {
  test(`a look-up gives ${what}`, async (t) => {
    const { place } = await startDnsServer(t, ZONE);
    assert.deepEqual(await openDns(t, { servers: [place] })[type](name), answer);
  });
}

const failures: [rcode: Rcode, code: string][] = [
  ["FORMERR", "EFORMERR"],
  ["SERVFAIL", "ESERVFAIL"],
  ["NOTIMP", "ENOTIMP"],
  ["REFUSED", "EREFUSED"],
];
for (const [rcode, code] of failures) {
  test(`${rcode} is a failure that names code, type and name, whoever asked`, async (t) => {
    const { place } = await startDnsServer(t, { "a.test": rcode, "a+b.test": rcode });
    const dns = openDns(t, { servers: [place] });
    assert.deepEqual(await dns.mx("a.test"), { kind: "failed", cause: `DNS: ${code} for the MX of a.test` });
    assert.deepEqual(await dns.a("a+b.test"), {
      kind: "failed",
      cause: `DNS: ${code} for the A of a+b.test`,
    });
  });
}

const hasV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const skip = hasV6 ? false : "this machine has no ::1";
test("a server at an IPv6 address is asked, by both ways", { skip }, async (t) => {
  const { place } = await startDnsServer(t, ZONE, "::1");
  const dns = openDns(t, { servers: [place] });
  assert.deepEqual(await dns.txt("a.test"), { kind: "records", records: ["one two"] });
  assert.deepEqual(await dns.txt("user+tag=x.test"), { kind: "records", records: ["odd"] });
});

test("where one server fails, the next one's answer counts", async (t) => {
  const broken = await startDnsServer(t, { "a.test": "SERVFAIL" });
  const good = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [{ host: "127.0.0.1", port: 1 }, broken.place, good.place] });
  assert.deepEqual(await dns.txt("a.test"), { kind: "records", records: ["one two"] });
  assert.deepEqual([broken.asked, good.asked], [["TXT a.test"], ["TXT a.test"]]);
});

test("what is known comes as a value, in any spelling, and the server is asked once", async (t) => {
  const { place, asked } = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [place] });
  const first = dns.txt("a.test");
  assert.ok(first instanceof Promise);
  const found = await first;
  assert.equal(dns.txt("A.test."), found);
  assert.deepEqual(asked, ["TXT a.test"]);
});

test("look-ups of one name at the same time are one query", async (t) => {
  const { place, asked } = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [place] });
  const all = await Promise.all(Array.from({ length: 100 }, () => dns.txt("a.test")));
  assert.equal(new Set(all).size, 1);
  assert.deepEqual(asked, ["TXT a.test"]);
});

const times: [what: string, type: "a" | "txt", name: string, ms: number][] = [
  ["addresses for the lowest of their TTLs", "a", "a.test", 20_000],
  ["addresses for an hour at most", "a", "long.test", 3_600_000],
  ["texts, of which node:dns tells no TTL, for a minute", "txt", "a.test", 60_000],
  ["texts of which our own messages tell one, for that", "txt", "user+tag=x.test", 60_000],
  ["no such record for a minute", "txt", "empty.test", 60_000],
  ["no such name for a minute", "a", "no.test", 60_000],
  ["a failure for four seconds", "a", "broken.test", 4_000],
];
for (const [what, type, name, ms] of times) {
  test(`keeps ${what}`, async (t) => {
    const { place, asked } = await startDnsServer(t, ZONE);
    const clock = createFakeClock();
    const dns = openDns(t, { servers: [place], clock });
    await dns[type](name);
    clock.advance(ms - 1);
    await dns[type](name);
    assert.equal(asked.length, 1);
    clock.advance(1);
    await dns[type](name);
    assert.equal(asked.length, 2);
  });
}

test("a TTL of 0 is for those who wait, and for nobody later", async (t) => {
  const { place, asked } = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [place] });
  await Promise.all([dns.a("zero.test"), dns.a("zero.test")]);
  assert.equal(asked.length, 1);
  await dns.a("zero.test");
  assert.equal(asked.length, 2);
});

test("a name that cannot be is answered at once, and nobody is asked", async (t) => {
  const { place, asked } = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [place] });
  assert.deepEqual(dns.txt(`${"x".repeat(64)}.test`), { kind: "no-such-name" });
  assert.deepEqual(asked, []);
});

test("a cache of few entries forgets the oldest", async (t) => {
  const { place, asked } = await startDnsServer(t, ZONE);
  const dns = openDns(t, { servers: [place], limits: { entries: 2, octets: 10_000 } });
  for (const name of ["a.test", "empty.test", "no.test", "a.test"]) await dns.txt(name);
  assert.deepEqual(asked, ["TXT a.test", "TXT empty.test", "TXT no.test", "TXT a.test"]);
});

test("close ends the look-ups that wait, by both ways, and later ones at once", async (t) => {
  const { place, asked } = await startDnsServer(t, { "a.test": "silence", "a+b.test": "silence" });
  const dns = openDns(t, { servers: [place] });
  const waiting = [dns.txt("a.test"), dns.txt("a+b.test")];
  dns.close();
  const cancelled = (name: string) => ({ kind: "failed", cause: `DNS: ECANCELLED for the TXT of ${name}` });
  assert.deepEqual(await Promise.all(waiting), [cancelled("a.test"), cancelled("a+b.test")]);
  const before = asked.length;
  assert.deepEqual(await dns.txt("b.test"), cancelled("b.test"));
  assert.equal(asked.length, before);
});
