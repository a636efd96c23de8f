import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostPort } from "./host-port.ts";
import {
  type AddressAnswer,
  createNextHops,
  type MxAnswer,
  type MxResolver,
  type NextHopOptions,
  withBoundedTries,
} from "./next-hops.ts";
import { withStsPolicies } from "./outbound/sts-hops.ts";

const HOP: HostPort = { host: "hop.test", port: 2525 };
const SMART: HostPort = { host: "smart.test", port: 587 };

/** `10 mx1.test, 20 mx2.test` */
function records(text: string): MxAnswer {
  const list = text === "" ? [] : text.split(", ").map((record) => record.split(" "));
  return {
    kind: "records",
    records: list.map(([priority, exchange]) => ({ priority: Number(priority), exchange: exchange ?? "" })),
  };
}

/** A DNS of one domain; nobody may ask it for another's MX. A host has the address `of HOST`, unless told otherwise. */
function dns(mx: MxAnswer, addresses: Readonly<Record<string, AddressAnswer>> = {}): MxResolver {
  return {
    async mx(domain) {
      assert.equal(domain, "d.test");
      return mx;
    },
    async addresses(host) {
      return addresses[host] ?? { kind: "addresses", addresses: [`of ${host}`] };
    },
  };
}

const NO_ADDRESS: AddressAnswer = { kind: "addresses", addresses: [] };
const NO_ANSWER: AddressAnswer = { kind: "failed", cause: "TIMEOUT" };

const silent: MxResolver = {
  mx: () => assert.fail("DNS was asked"),
  addresses: () => assert.fail("DNS was asked"),
};

function nextHops(options: Partial<NextHopOptions>, domain = "d.test") {
  return withBoundedTries(
    createNextHops({
      routes: new Map(),
      resolver: silent,
      random: () => 0,
      mayConnect: () => true,
      ...options,
    }),
  )(domain);
}

async function hosts(mx: string, ...random: number[]): Promise<string[]> {
  const found = await nextHops({ resolver: dns(records(mx)), random: () => random.shift() ?? 0 });
  assert.ok(found.kind === "hosts");
  return found.hosts.map(({ host, port, name }) => {
    assert.deepEqual([host, port], [`of ${name}`, 25]);
    return name ?? "";
  });
}

test("MX records are tried in the order of their preference, not of the answer", async () => {
  assert.deepEqual(await hosts("30 c.test, 5 a.test, 100 d.test, 10 b.test"), [
    "a.test",
    "b.test",
    "c.test",
    "d.test",
  ]);
});

const shuffles: [random: number[], order: string][] = [
  [[0.1, 0.2, 0.3, 0.4], "a b c d"],
  [[0.4, 0.3, 0.2, 0.1], "c b a d"],
  [[0.2, 0.3, 0.1, 0], "c a b d"],
  [[0.999, 0, 0.5, 0.7], "b c a d"],
];
for (const [random, order] of shuffles) {
  test(`equal preferences are shuffled, others are not: ${order}`, async () => {
    assert.equal((await hosts("10 a, 10 b, 10 c, 20 d", ...random)).join(" "), order);
  });
}

test("no more than five hosts are tried, the best five", async () => {
  assert.deepEqual(await hosts("7 g, 6 f, 5 e, 4 d, 3 c, 2 b, 1 a"), ["a", "b", "c", "d", "e"]);
});

test("a domain without MX is its own mail server, if it has an address (RFC 5321 §5.1)", async () => {
  const found = await nextHops({ resolver: dns(records("")) });
  assert.deepEqual(found, { kind: "hosts", hosts: [{ host: "of d.test", port: 25, name: "d.test" }] });
});

test("all addresses of a host are tried, and a host without one is passed over", async () => {
  const both: AddressAnswer = { kind: "addresses", addresses: ["192.0.2.1", "2001:db8::1"] };
  const resolver = dns(records("1 a, 2 b, 3 c"), { a: NO_ADDRESS, b: NO_ANSWER, c: both });
  const found = await nextHops({ resolver });
  assert.ok(found.kind === "hosts");
  assert.deepEqual(
    found.hosts.map(({ host }) => host),
    ["192.0.2.1", "2001:db8::1"],
  );
});

test("IPv4 and IPv6 take turns, and no host takes all tries", async () => {
  const at = (...addresses: string[]): AddressAnswer => ({ kind: "addresses", addresses });
  const resolver = dns(records("1 a, 2 b"), {
    a: at("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"),
    b: at("2001:db8::9", "192.0.2.9", "2001:db8::8"),
  });
  const found = await nextHops({ resolver });
  assert.ok(found.kind === "hosts");
  assert.deepEqual(
    found.hosts.map(({ host }) => host),
    ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.9", "2001:db8::9"],
  );
});

const ourselves: [mx: string, expected: string][] = [
  ["10 a.test, 20 US.example, 30 b.test", "a.test"],
  ["10 a.test, 10 us.example, 5 b.test, 50 us.example", "b.test"],
  ["10 us.example.", "5.4.6"],
  ["10 us.example, 20 b.test", "5.4.6"],
];
for (const [mx, expected] of ourselves) {
  test(`who is an MX host itself tries only better ones (RFC 5321 §5.1): ${mx}: ${expected}`, async () => {
    const found = await nextHops({ resolver: dns(records(mx)), hostname: "us.example" });
    assert.ok(found.kind !== "unknown");
    assert.equal(
      found.kind === "none" ? found.enhanced : found.hosts.map(({ name }) => name).join(" "),
      expected,
    );
  });
}

const none: [what: string, resolver: MxResolver, kind: string, enhanced: string][] = [
  ["a null MX (RFC 7505): takes no mail", dns(records("0 .")), "none", "5.1.10"],
  [
    "a null MX as an empty name",
    dns({ kind: "records", records: [{ priority: 0, exchange: "" }] }),
    "none",
    "5.1.10",
  ],
  ["no such domain", dns({ kind: "no-such-domain" }), "none", "5.1.2"],
  ["neither MX nor address", dns(records(""), { "d.test": NO_ADDRESS }), "none", "5.1.2"],
  ["no answer for the MX", dns({ kind: "failed", cause: "SERVFAIL" }), "unknown", "4.4.3"],
  ["no answer for the address", dns(records(""), { "d.test": NO_ANSWER }), "unknown", "4.4.3"],
  ["an MX without address", dns(records("1 a"), { a: NO_ADDRESS }), "unknown", "4.4.4"],
  [
    "one MX without address, one without answer",
    dns(records("1 a, 2 b"), { a: NO_ADDRESS, b: NO_ANSWER }),
    "unknown",
    "4.4.3",
  ],
];
for (const [what, resolver, kind, enhanced] of none) {
  test(`${what}: ${kind} ${enhanced}`, async () => {
    const found = await nextHops({ resolver });
    assert.equal(found.kind, kind);
    assert.ok(found.kind !== "hosts" && found.cause !== "");
    assert.equal(found.enhanced, enhanced);
  });
}

test("a null MX beside a real one does not count", async () => {
  assert.deepEqual(await hosts("0 ., 10 a.test"), ["a.test"]);
});

const fixed: [what: string, options: Partial<NextHopOptions>, domain: string, hop: HostPort][] = [
  ["a route goes before DNS", { routes: new Map([["d.test", HOP]]) }, "d.test", HOP],
  ["a route is found in any case", { routes: new Map([["D.Test", HOP]]) }, "d.TEST", HOP],
  [
    "a route goes before the smart host",
    { routes: new Map([["d.test", HOP]]), smartHost: SMART },
    "d.test",
    HOP,
  ],
  ["the smart host goes before DNS", { smartHost: SMART }, "d.test", SMART],
  [
    "a route is for its own domain, not for those below",
    { routes: new Map([["d.test", HOP]]), smartHost: SMART },
    "sub.d.test",
    SMART,
  ],
  ["a star is no pattern", { routes: new Map([["*", HOP]]), smartHost: SMART }, "d.test", SMART],
  ["an address literal may have a route", { routes: new Map([["[192.0.2.1]", HOP]]) }, "[192.0.2.1]", HOP],
  ["an address literal goes to the smart host", { smartHost: SMART }, "[192.0.2.1]", SMART],
];
for (const [what, options, domain, hop] of fixed) {
  test(what, async () => assert.deepEqual(await nextHops(options, domain), { kind: "hosts", hosts: [hop] }));
}

for (const literal of ["[192.0.2.1]", "[127.0.0.1]", "[IPv6:2001:db8::1]"]) {
  test(`nothing connects to the address literal ${literal} because a stranger wrote it`, async () => {
    const found = await nextHops({}, literal);
    assert.ok(found.kind === "none");
    assert.equal(found.enhanced, "5.1.2");
  });
}

const at = (...addresses: string[]): AddressAnswer => ({ kind: "addresses", addresses });
const mayConnect = (address: string): boolean => !address.startsWith("10.");

test("addresses that must not be connected to are passed over", async () => {
  const resolver = dns(records("5 a.test, 10 b.test"), {
    "a.test": at("10.0.0.1", "192.0.2.1"),
    "b.test": at("10.0.0.2"),
  });
  const found = await nextHops({ resolver, mayConnect });
  assert.deepEqual(found, { kind: "hosts", hosts: [{ host: "192.0.2.1", port: 25, name: "a.test" }] });
});

test("a domain that leads to nothing else is refused, unless DNS did not answer for one of its hosts", async () => {
  const inside = { "a.test": at("10.0.0.1") };
  const refused = await nextHops({ resolver: dns(records("5 a.test"), inside), mayConnect });
  assert.deepEqual(refused, {
    kind: "none",
    enhanced: "5.4.4",
    cause: "a.test is at 10.0.0.1, an address that is no server of the Internet",
  });
  const resolver = dns(records("5 a.test, 10 b.test"), { ...inside, "b.test": NO_ANSWER });
  assert.equal((await nextHops({ resolver, mayConnect })).kind, "unknown");
});

/** `1 mx1.test, 2 mx2.test …` */
function manyRecords(count: number): MxAnswer {
  return records(Array.from({ length: count }, (_, at) => `${at + 1} mx${at + 1}.test`).join(", "));
}

const useless: [what: string, first: AddressAnswer][] = [
  ["have no address", NO_ADDRESS],
  ["are in a private network", at("10.0.0.1")],
  ["are not answered for", NO_ANSWER],
];
for (const [what, first] of useless) {
  test(`the best five MX ${what}: the sixth is tried`, async () => {
    const bad = Object.fromEntries([1, 2, 3, 4, 5].map((nth) => [`mx${nth}.test`, first]));
    const found = await nextHops({ resolver: dns(manyRecords(6), bad), mayConnect });
    assert.deepEqual(found, {
      kind: "hosts",
      hosts: [{ host: "of mx6.test", port: 25, name: "mx6.test" }],
    });
  });
}

test("the best five MX are none that the MTA-STS policy names: the sixth is tried", async () => {
  const find = createNextHops({
    routes: new Map(),
    resolver: dns(manyRecords(7)),
    random: () => 0,
    mayConnect,
  });
  const policy = { mode: "enforce", mx: ["mx6.test", "mx7.test"], maxAgeSeconds: 1 } as const;
  const found = await withBoundedTries(withStsPolicies(find, { policyFor: async () => policy }))("d.test");
  assert.ok(found.kind === "hosts");
  assert.deepEqual(
    found.hosts.map(({ name }) => name),
    ["mx6.test", "mx7.test"],
  );
});

test("however many MX a domain has, the addresses of twenty are asked for", async () => {
  const asked: string[] = [];
  const { mx } = dns(manyRecords(50));
  const resolver: MxResolver = {
    mx,
    async addresses(host) {
      asked.push(host);
      return NO_ADDRESS;
    },
  };
  const found = await nextHops({ resolver });
  assert.deepEqual([found.kind, asked.length, asked[0], asked[19]], ["unknown", 20, "mx1.test", "mx20.test"]);
});

test("routes and the smart host may be anywhere", async () => {
  const smartHost = { host: "10.0.0.1", port: 25 };
  assert.deepEqual(await nextHops({ smartHost, mayConnect }), { kind: "hosts", hosts: [smartHost] });
});
