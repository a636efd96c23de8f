import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsAnswer } from "@homing/spf";
import { createDnsLists, type Listing, senderLists } from "./dns-lists.ts";

const ZONE = "list.example";

/** `!` is a failure. */
function lists(zone: { readonly [question: string]: readonly string[] | "!" }) {
  const asked: string[] = [];
  const answer =
    (type: string) =>
    (name: string): DnsAnswer<string> => {
      asked.push(`${type} ${name}`);
      const records = zone[`${type} ${name}`];
      if (records === "!") return { kind: "failed", cause: "SERVFAIL" };
      return records ? { kind: "records", records } : { kind: "no-such-name" };
    };
  return { ...createDnsLists({ dns: { a: answer("a"), txt: answer("txt") } }), asked };
}

const LISTED: Listing = { kind: "listed", codes: ["127.0.0.2"], reason: "" };
const NOT: Listing = { kind: "not-listed" };
const V6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";

const clients: [
  what: string,
  address: string,
  zone: Record<string, readonly string[] | "!">,
  expected: Listing,
][] = [
  ["an IPv4 address", "192.0.2.99", { "a 99.2.0.192.list.example": ["127.0.0.2"] }, LISTED],
  ["an IPv6 address", "2001:db8::1", { [`a ${V6}.list.example`]: ["127.0.0.2"] }, LISTED],
  ["an IPv4 address in IPv6", "::ffff:192.0.2.99", { "a 99.2.0.192.list.example": ["127.0.0.2"] }, LISTED],
  ["the test entry", "127.0.0.2", { "a 2.0.0.127.list.example": ["127.0.0.2"] }, LISTED],
  ["the test entry that is on no list", "127.0.0.1", { "a 2.0.0.127.list.example": ["127.0.0.2"] }, NOT],
  ["an address that nobody lists", "192.0.2.1", {}, NOT],
  ["a name without addresses", "192.0.2.1", { "a 1.2.0.192.list.example": [] }, NOT],
  ["what is no address", "x.example", { "a x.example.list.example": ["127.0.0.2"] }, NOT],
  ["a list that is a web server now", "192.0.2.1", { "a 1.2.0.192.list.example": ["198.51.100.1"] }, NOT],
  [
    "several codes, and an address that is none",
    "192.0.2.1",
    { "a 1.2.0.192.list.example": ["127.0.0.4", "198.51.100.1", "127.0.0.9"] },
    { kind: "listed", codes: ["127.0.0.4", "127.0.0.9"], reason: "" },
  ],
  [
    "a reason",
    "192.0.2.1",
    { "a 1.2.0.192.list.example": ["127.0.0.2"], "txt 1.2.0.192.list.example": ["see why", "or not"] },
    { ...LISTED, reason: "see why" },
  ],
  [
    "a hostile reason",
    "192.0.2.1",
    {
      "a 1.2.0.192.list.example": ["127.0.0.2"],
      "txt 1.2.0.192.list.example": [`\r\n\xff${"x".repeat(999)}`],
    },
    { ...LISTED, reason: `???${"x".repeat(197)}` },
  ],
  [
    "a reason that cannot be had",
    "192.0.2.1",
    { "a 1.2.0.192.list.example": ["127.0.0.2"], "txt 1.2.0.192.list.example": "!" },
    LISTED,
  ],
  [
    "DNS that fails",
    "192.0.2.1",
    { "a 1.2.0.192.list.example": "!" },
    { kind: "unknown", cause: "SERVFAIL" },
  ],
  [
    "a list that does not answer us",
    "192.0.2.1",
    { "a 1.2.0.192.list.example": ["127.0.0.2", "127.255.255.254"] },
    { kind: "unknown", cause: "list.example answers 127.255.255.254: it does not serve this resolver" },
  ],
];
for (const [what, address, zone, expected] of clients) {
  test(`a list of clients is asked about ${what}: ${expected.kind}`, async () => {
    assert.deepEqual(await lists(zone).listedClient(ZONE, address), expected);
  });
}

const domains: [what: string, domain: string, expected: Listing][] = [
  ["a domain", "Spam.example", LISTED],
  ["a U-label", "späm.example", LISTED],
  ["the test entry", "TEST", LISTED],
  ["the test entry that is on no list", "INVALID", NOT],
  ["an address literal", "[192.0.2.1]", NOT],
  ["what is no domain", "a b.example", NOT],
  ["the null sender's", "", NOT],
  ["a name that is too long with the zone's", `${"a".repeat(61)}.${"b.".repeat(90)}example`, NOT],
];
for (const [what, domain, expected] of domains) {
  test(`a list of domains is asked about ${what}: ${expected.kind}`, async () => {
    const zone = {
      "a spam.example.list.example": ["127.0.0.2"],
      "a xn--spm-rla.example.list.example": ["127.0.0.2"],
      "a test.list.example": ["127.0.0.2"],
    };
    assert.deepEqual(await lists(zone).listedDomain(ZONE, domain), expected);
  });
}

test("a reason is asked for where somebody is listed, and nothing of what is no name", async () => {
  const some = lists({ "a 1.2.0.192.list.example": ["127.0.0.2"] });
  await some.listedClient(ZONE, "192.0.2.9");
  await some.listedDomain(ZONE, "[192.0.2.1]");
  assert.deepEqual(some.asked, ["a 9.2.0.192.list.example"]);
});

test("to who refuses mail, nobody is listed where nobody can say; and that is told", async () => {
  const causes: string[] = [];
  const zone = { "a 1.2.0.192.list.example": ["127.0.0.2"], "a x.example.list.example": "!" } as const;
  const asked = senderLists(lists(zone), (cause) => causes.push(cause));
  assert.deepEqual(await asked.client(ZONE, "192.0.2.1"), { reason: "" });
  assert.equal(await asked.client(ZONE, "192.0.2.2"), undefined);
  assert.equal(await asked.domain(ZONE, "x.example"), undefined);
  assert.deepEqual(causes, ["SERVFAIL"]);
});
