import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  createWhyLinks,
  MAX_PUBLIC_URL,
  MAX_WHY_LINK,
  type Refused,
  WHY_LINK_DAYS,
  type WhyFacts,
  whyFacts,
} from "./why-link.ts";

const NOW = 1_700_000_000;
const DAY = 86_400;
const SECRET = "a secret of this test";
const publicUrl = "https://mx.forwarder.example";
const site = createWhyLinks({ publicUrl, secrets: [SECRET], now: () => NOW });

const FACTS: WhyFacts = {
  fault: "spf-fail",
  action: "refuse",
  at: NOW,
  client: "192.0.2.1",
  helo: "mail.host.example",
  sender: "bob@origin.example",
  domain: "origin.example",
  mechanism: "-all",
};
const LINK = site.mint(FACTS);
const { fault, action, at, client } = FACTS;

function queryOf(link: string): string {
  return link.slice(`${publicUrl}/why?`.length);
}

test("a link shows its facts, and ends with an HMAC over label and query, each behind its length", () => {
  const query =
    "s=bob@origin.example&f=spf-fail&a=refuse&t=1700000000&i=192.0.2.1&h=mail.host.example&d=origin.example&m=-all";
  assert.equal(LINK, `${publicUrl}/why?${signed(query)}`);
});

function signed(query: string): string {
  const message = ["homing-why-v1", query].flatMap((field) => {
    const octets = Buffer.from(field);
    return [Buffer.from([octets.length >> 8, octets.length & 0xff]), octets];
  });
  const mac = createHmac("sha256", SECRET).update(Buffer.concat(message)).digest().subarray(0, 9);
  return `${query}&k=${mac.toString("base64url")}`;
}

const texts = fc.string({ unit: "binary", maxLength: 400 });
const facts = fc.record(
  {
    fault: fc.constantFrom("spf-fail", "spf-none", "dmarc-reject", "no-answer" as const),
    action: fc.constantFrom("refuse", "defer" as const),
    at: fc.integer({ min: NOW - DAY, max: NOW }),
    client: fc.oneof(fc.ipV4(), fc.ipV6()),
    helo: texts,
    sender: fc.oneof(texts, fc.emailAddress()),
    domain: fc.oneof(texts, fc.domain()),
    mechanism: texts,
  },
  { requiredKeys: ["fault", "action", "at", "client"] },
) as fc.Arbitrary<WhyFacts>;

test("whatever the client said, a link is one word that fits into a reply, and what it holds comes back", () => {
  const long = createWhyLinks({
    publicUrl: `https://${"x".repeat(MAX_PUBLIC_URL - 8)}`,
    secrets: [SECRET],
    now: () => NOW,
  });
  fc.assert(
    fc.property(facts, (given) => {
      for (const links of [site, long]) {
        const link = links.mint(given);
        assert.ok(link.length <= MAX_WHY_LINK, link);
        assert.match(link, /^https:[A-Za-z0-9@:/?&=._~%-]+$/);
        const read = links.read(link.slice(link.indexOf("?") + 1));
        assert.ok(read.kind === "facts");
        for (const key of ["fault", "action", "at", "client"] as const)
          assert.equal(read.facts[key], given[key]);
      }
    }),
  );
});

test("any character that is another one, is missing or is too many makes a link nobody's", () => {
  const query = queryOf(LINK);
  fc.assert(
    fc.property(fc.nat(query.length - 1), fc.string({ unit: "binary", maxLength: 2 }), (place, other) => {
      const altered = query.slice(0, place) + other + query.slice(place + 1);
      fc.pre(altered !== query);
      assert.deepEqual(site.read(altered), { kind: "not-ours" });
    }),
    { numRuns: 2000 },
  );
});

test("no bit of a tag is without meaning: each of the 64 letters at its end but one is wrong", () => {
  const query = queryOf(LINK);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const good = Array.from(letters, (letter) => site.read(query.slice(0, -1) + letter).kind);
  assert.equal(good.filter((kind) => kind === "facts").length, 1);
});

const hostile: [what: string, query: string][] = [
  ["nothing", ""],
  ["a tag alone", "k=AAAAAAAAAAAA"],
  ["a link without a tag", queryOf(LINK).slice(0, -"&k=AAAAAAAAAAAA".length)],
  ["an empty tag", queryOf(LINK).replace(/k=.*/, "k=")],
  ["a tag of other letters", queryOf(LINK).replace(/k=.*/, "k=++++////====")],
  ["a tag in other octets", queryOf(LINK).replace(/k=.*/, `k=${"ä".repeat(12)}`)],
  ["a parameter twice", queryOf(LINK).replace("&k=", "&s=eve@evil.example&k=")],
  ["a tag twice", `${queryOf(LINK)}&k=AAAAAAAAAAAA`],
  ["a parameter behind the tag", `${queryOf(LINK)}&m=all`],
  ["a link by another site", queryOf(another("another secret").mint(FACTS))],
  ["more than a link has, with a good tag", signed(`${"x=y&".repeat(100)}f=spf-fail&a=refuse&t=1`)],
  ["no time, with a good tag", signed("f=spf-fail&a=refuse&i=192.0.2.1&t=x")],
  ["a megabyte", `${"s=x&".repeat(250_000)}${queryOf(LINK)}`],
];
for (const [what, query] of hostile) {
  test(`${what} is nobody's link`, () => {
    assert.deepEqual(site.read(query), { kind: "not-ours" });
  });
}

function another(...secrets: string[]): ReturnType<typeof createWhyLinks> {
  return createWhyLinks({ publicUrl, secrets, now: () => NOW });
}

const long = "x".repeat(300);
const shortened: [what: string, given: WhyFacts, left: WhyFacts][] = [
  ["a long HELO name", { ...FACTS, helo: long }, without("helo")],
  ["a long mechanism", { ...FACTS, mechanism: long }, without("helo", "mechanism")],
  [
    "a long local part",
    { ...FACTS, sender: `"a@b${long}"@origin.example` },
    { ...without("helo", "mechanism"), sender: "@origin.example" },
  ],
  [
    "a long domain of the sender",
    { ...FACTS, sender: `bob@${long}` },
    without("helo", "mechanism", "sender"),
  ],
  ["a long domain", { ...FACTS, domain: long }, { fault, action, at, client }],
];
function without(...keys: (keyof WhyFacts)[]): WhyFacts {
  return Object.fromEntries(
    Object.entries(FACTS).filter(([key]) => !keys.includes(key as keyof WhyFacts)),
  ) as unknown as WhyFacts;
}
for (const [what, given, left] of shortened) {
  test(`${what} is left out, and what says less`, () => {
    assert.deepEqual(site.read(queryOf(site.mint(given))), { kind: "facts", facts: left });
  });
}

test("the null sender is none that was left out; control characters and half characters come back as marks", () => {
  const given = { ...FACTS, sender: "", helo: "a\r\nb\0\u2028\ud800", mechanism: "+a:%{i} <&\"'>" };
  assert.deepEqual(site.read(queryOf(site.mint(given))), {
    kind: "facts",
    facts: { ...given, helo: "a??b??\ufffd" },
  });
});

test("after thirty days a link says only that it was ours", () => {
  const later = (seconds: number) =>
    createWhyLinks({ publicUrl, secrets: [SECRET], now: () => NOW + seconds }).read(queryOf(LINK));
  assert.equal(later(WHY_LINK_DAYS * DAY).kind, "facts");
  assert.deepEqual(later(WHY_LINK_DAYS * DAY + 1), { kind: "expired" });
});

test("after a rotation new links come from the new secret, and those of the old one are still known", () => {
  const after = another("a newer secret", SECRET);
  assert.notEqual(after.mint(FACTS), LINK);
  assert.equal(after.read(queryOf(LINK)).kind, "facts");
  assert.equal(after.read(queryOf(after.mint(FACTS))).kind, "facts");
  assert.equal(site.read(queryOf(after.mint(FACTS))).kind, "not-ours");
});

test("a link of a newer version, with a fault that is not known here, is nobody's", () => {
  const link = site.mint({ ...FACTS, fault: "of tomorrow" as "spf-fail" });
  assert.deepEqual(site.read(queryOf(link)), { kind: "not-ours" });
});

const ofRefusals: [given: Partial<Refused>, domain: string | undefined, mechanism: string | undefined][] = [
  [{ fault: "spf-fail" }, "origin.example", "-all"],
  [{ fault: "spf-none", spf: { domain: "origin.example" } }, "origin.example", undefined],
  [{ fault: "dmarc-reject", headerFrom: "author.example" }, "author.example", undefined],
  [{ fault: "no-answer" }, undefined, undefined],
];
for (const [given, domain, mechanism] of ofRefusals) {
  test(`of ${given.fault} the link tells ${domain ?? "no domain"} and ${mechanism ?? "no term"}`, () => {
    const sender = "bob@list.example";
    const spf = { domain: "origin.example", mechanism: "-all" };
    const told = whyFacts({ fault, action, at, client, helo: "h.example", sender, spf, ...given });
    const expected = { fault: given.fault, action, at, client, helo: "h.example", sender };
    const found = { ...(domain ? { domain } : {}), ...(mechanism ? { mechanism } : {}) };
    assert.deepEqual(told, { ...expected, ...found });
  });
}

test("no secret, an empty one and a public URL that leaves no room are bugs", () => {
  const now = () => NOW;
  for (const secrets of [[], [""], [SECRET, ""]])
    assert.throws(() => createWhyLinks({ publicUrl, secrets, now }), RangeError);
  assert.throws(() => createWhyLinks({ publicUrl: "x".repeat(101), secrets: [SECRET], now }), RangeError);
});
