import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsAnswer } from "@homing/spf";
import { parseForwarderFile } from "./forwarder-file.ts";
import type { RemovalProposal } from "./removal-proposals.ts";
import {
  createTrustedForwarders,
  type TrustAnswer,
  type TrustAsked,
  type TrustedSeal,
} from "./trusted-forwarders.ts";

const RECIPIENT = { localPart: "Alice", domain: "Forwarder.example" };
const NOW = Date.UTC(2026, 10, 20) / 1000;

/** `ptr 192.0.2.1` is asked for as DNS has it; `!` is a failure. */
interface Zone {
  readonly [question: string]: readonly string[] | "!";
}

function trusting(text: string, zone: Zone = {}) {
  const file = parseForwarderFile(text);
  assert.deepEqual(file.problems, []);
  const asked: string[] = [];
  const proposals: RemovalProposal[] = [];
  const clock = { now: NOW };
  const answer =
    (type: string) =>
    (name: string): DnsAnswer<string> => {
      const question = `${type} ${name}`;
      asked.push(question);
      const records = zone[question];
      if (records === "!") return { kind: "failed", cause: `no answer to ${question}` };
      return records ? { kind: "records", records } : { kind: "no-such-name" };
    };
  const trust = createTrustedForwarders(file.entries, {
    now: () => clock.now,
    dns: { ptr: answer("ptr"), a: answer("a"), aaaa: answer("aaaa") },
    propose: (proposal) => proposals.push(proposal),
  });
  const find = (question: Partial<TrustAsked>) =>
    trust.lookUp({ client: "192.0.2.1", recipient: RECIPIENT, ...question });
  return { trust, find, asked, proposals, clock };
}

/** Who found something bad has a minus sign. */
function seals(...domains: readonly string[]): readonly TrustedSeal[] {
  return domains.map((domain) => ({ domain: domain.replace("-", ""), isGood: !domain.startsWith("-") }));
}

function shown(answer: TrustAnswer): string {
  if (answer.kind === "trusted") return answer.entry.reason;
  return answer.kind === "unknown" ? `? ${answer.cause}` : "-";
}

const PTR = "ptr 1.2.0.192.in-addr.arpa";
const PTR6 = `ptr ${"1.0.0.0.".repeat(1)}${"0.0.0.0.".repeat(5)}8.b.d.0.1.0.0.2.ip6.arpa`;

const found: [what: string, file: string, question: Partial<TrustAsked>, expected: string, zone?: Zone][] = [
  ["an address", "192.0.2.1 ok", {}, "ok"],
  ["another address", "192.0.2.2 ok", {}, "-"],
  ["a network", "192.0.2.0/24 ok", {}, "ok"],
  ["an IPv4 client in IPv6 clothes", "192.0.2.0/24 ok", { client: "::ffff:192.0.2.7" }, "ok"],
  ["an IPv6 network", "2001:db8::/32 ok", { client: "2001:db8:1::9" }, "ok"],
  ["the upper of two entries", "192.0.2.0/24 one\n192.0.2.1 two", {}, "one"],
  ["an entry for the domain", "192.0.2.1 for=forwarder.example ok", {}, "ok"],
  ["an entry for the alias", "192.0.2.1 for=x.example,alice@forwarder.example ok", {}, "ok"],
  ["an entry for another domain", "192.0.2.1 for=other.example ok", {}, "-"],
  ["an entry for another alias", "192.0.2.1 for=bob@forwarder.example ok", {}, "-"],
  ["an entry on its last day", "192.0.2.1 until=2026-11-20 ok", {}, "ok"],
  ["an entry that has expired", "192.0.2.1 until=2026-11-19 ok", {}, "-"],
  ["no entry", "", { seals: seals() }, "-"],
  ["a sealer", "arc:seal.example ok", { seals: seals("Seal.example") }, "ok"],
  ["a sealer below", "arc:*.seal.example ok", { seals: seals("a.seal.example") }, "ok"],
  ["a sealer that is not below", "arc:*.seal.example ok", { seals: seals("seal.example") }, "-"],
  ["a sealer with a longer name", "arc:seal.example ok", { seals: seals("aseal.example") }, "-"],
  ["a sealer as host", "arc:seal.example ok", { helo: "seal.example" }, "-"],
  [
    "a chain of trusted sealers",
    "arc:a.example a\narc:b.example b",
    { seals: seals("a.example", "b.example") },
    "b",
  ],
  ["a chain that a stranger began", "arc:b.example b", { seals: seals("x.example", "b.example") }, "b"],
  ["a chain whose first trusted sealer found it bad", "arc:a.example a", { seals: seals("-a.example") }, "-"],
  [
    "a chain that a stranger found good, and the first trusted sealer bad",
    "arc:*.b.example b",
    { seals: seals("x.example", "-1.b.example", "2.b.example") },
    "-",
  ],
  [
    "a chain that a stranger found bad, and the trusted sealer good",
    "arc:b.example b",
    { seals: seals("-x.example", "b.example") },
    "b",
  ],
  ["a chain that a stranger sealed last", "arc:a.example a", { seals: seals("a.example", "x.example") }, "-"],
  ["a sealer that has expired", "arc:a.example until=2026-11-19 a", { seals: seals("a.example") }, "-"],
  [
    "a host name",
    "mail.club.example ok",
    {},
    "ok",
    { [PTR]: ["Mail.Club.example."], "a mail.club.example": ["192.0.2.9", "192.0.2.1"] },
  ],
  [
    "a host below a domain",
    "*.club.example ok",
    {},
    "ok",
    { [PTR]: ["x.example", "a.b.club.example"], "a a.b.club.example": ["192.0.2.1"] },
  ],
  [
    "a host by IPv6",
    "mail.club.example ok",
    { client: "2001:db8::1" },
    "ok",
    { [PTR6]: ["mail.club.example"], "aaaa mail.club.example": ["2001:0db8:0::1"] },
  ],
  [
    "a HELO name whose address it is",
    "mail.club.example ok",
    { helo: "MAIL.club.example" },
    "ok",
    { "a mail.club.example": ["192.0.2.1"] },
  ],
  [
    "a PTR record that its name does not confirm",
    "mail.club.example ok",
    {},
    "-",
    { [PTR]: ["mail.club.example"], "a mail.club.example": ["192.0.2.9"] },
  ],
  [
    "a HELO name whose address it is not",
    "mail.club.example ok",
    { helo: "mail.club.example" },
    "-",
    { "a mail.club.example": ["192.0.2.9"] },
  ],
  ["DNS that fails for the PTR records", "mail.club.example ok", {}, `? no answer to ${PTR}`, { [PTR]: "!" }],
  [
    "DNS that fails for the address",
    "mail.club.example ok",
    {},
    "? no answer to a mail.club.example",
    { [PTR]: ["mail.club.example"], "a mail.club.example": "!" },
  ],
  [
    "DNS that fails where the HELO name is confirmed",
    "mail.club.example ok",
    { helo: "mail.club.example" },
    "ok",
    { [PTR]: "!", "a mail.club.example": ["192.0.2.1"] },
  ],
];
for (const [what, file, question, expected, zone] of found) {
  test(`a trusted forwarder is looked up by ${what}: ${expected}`, async () => {
    assert.equal(shown(await trusting(file, zone).find(question)), expected);
  });
}

test("DNS is not asked where no host name is trusted for this recipient, or an address already is", async () => {
  const { find, asked } = trusting(
    "192.0.2.1 ok\narc:x.example x\nmail.club.example for=other.example x\nmail2.club.example until=2020-01-01 x",
  );
  await find({ helo: "mail.club.example" });
  await find({ client: "192.0.2.2", helo: "mail.club.example" });
  assert.deepEqual(asked, []);
});

test("hostile reverse zones and HELO names cause six look-ups at most", async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `h${index}.club.example`);
  const { find, asked } = trusting("*.club.example ok", { [PTR]: names });
  assert.equal(shown(await find({ helo: "x.club.example" })), "-");
  assert.equal(asked.length, 6);
  const strange = trusting("*.club.example ok", { [PTR]: ["a b.club.example", "", ".club.example"] });
  assert.equal(shown(await strange.find({ helo: "a\r\n.club.example" })), "-");
  assert.deepEqual(strange.asked, [PTR]);
});

test("a host's name is known for an hour", async () => {
  const zone = { [PTR]: ["mail.club.example"], "a mail.club.example": ["192.0.2.1"] };
  const { trust, find, asked, clock } = trusting("mail.club.example ok", zone);
  const question = { client: "192.0.2.1", recipient: RECIPIENT };
  assert.equal(trust.known(question), undefined);
  await find({});
  assert.equal(trust.known(question)?.reason, "ok");
  await find({});
  assert.equal(asked.length, 2);
  clock.now += 3600;
  assert.equal(trust.known(question), undefined);
});

test("whether there are sealers changes when the last one expires", () => {
  const { trust, clock } = trusting("arc:a.example until=2026-11-20 x\n192.0.2.1 y");
  assert.equal(trust.hasSealers, true);
  clock.now += 86_400;
  assert.equal(trust.hasSealers, false);
});

const REWRITTEN = { isRewritten: true, isSealed: false };
const SEALED = { isRewritten: false, isSealed: true };
const PLAIN = { isRewritten: false, isSealed: false };

test("recipients are alike for whom the same entries are in force", () => {
  const text = [
    "192.0.2.1 for=alice@forwarder.example x",
    "192.0.2.2 for=other.example y",
    "192.0.2.3 for=carol@forwarder.example until=2026-11-19 z",
    "192.0.2.4 for all",
  ];
  const { trust } = trusting(text.join("\n"));
  const at = (localPart: string, domain = "forwarder.example") => ({ localPart, domain });
  assert.equal(trust.areAlike(at("alice"), at("ALICE", "Forwarder.Example")), true);
  assert.equal(trust.areAlike(at("alice"), at("bob")), false);
  assert.equal(trust.areAlike(at("bob"), at("carol")), true, "that entry is over");
  assert.equal(trust.areAlike(at("bob"), at("bob", "other.example")), false);
});

test("an entry whose host has rewritten five messages in a row is proposed for removal, once a day", () => {
  const { trust, proposals, clock } = trusting("192.0.2.1 x");
  const entry = { entry: "192.0.2.1" };
  for (let count = 0; count < 8; count++) trust.saw(entry, REWRITTEN);
  assert.deepEqual(proposals, [
    { entry: "192.0.2.1", why: "its host rewrites senders now (SRS): remove the entry", messages: 5 },
  ]);
  clock.now += 86_400;
  trust.saw(entry, REWRITTEN);
  assert.deepEqual(
    proposals.map(({ messages }) => messages),
    [5, 9],
  );
});

test("a host that seals, or does now this and now that, is proposed in other words", () => {
  const { trust, proposals } = trusting("192.0.2.1 x\nmail.club.example y");
  for (let count = 0; count < 5; count++) trust.saw({ entry: "192.0.2.1" }, SEALED);
  for (let count = 0; count < 5; count++)
    trust.saw({ entry: "mail.club.example" }, count === 0 ? REWRITTEN : SEALED);
  assert.match(proposals[0]?.why ?? "", /seals now \(ARC\): trust its sealer/);
  assert.match(proposals[1]?.why ?? "", /\(SRS\), or seals \(ARC\)/);
});

test("one message that still needs the entry begins the count anew", () => {
  const { trust, proposals } = trusting("192.0.2.1 x");
  for (let count = 0; count < 100; count++)
    trust.saw({ entry: "192.0.2.1" }, count % 5 === 4 ? PLAIN : REWRITTEN);
  assert.deepEqual(proposals, []);
});

test("a sealer's entry is never proposed, and an entry that does not exist is not counted", () => {
  const { trust, proposals } = trusting("arc:a.example x");
  for (let count = 0; count < 9; count++) {
    trust.saw({ entry: "arc:a.example" }, SEALED);
    trust.saw({ entry: "no such entry" }, REWRITTEN);
  }
  assert.deepEqual(proposals, []);
});
