import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { createAnswerer } from "./answer.ts";
import { TOO_LONG } from "./line-splitter.ts";

const NOW = 1_700_000_000;
const BASE = { domain: "forwarder.example", secrets: ["a long random secret"] };
const STRONG = "SRS0=k5jjmthi=G3=origin.example=bob@forwarder.example";
const CLASSIC = "SRS0=dyav=G3=origin.example=bob@forwarder.example";

function answered(request: object | string): Record<string, unknown> {
  const line = typeof request === "string" ? request : JSON.stringify(request);
  const answer = createAnswerer(() => NOW).answer(line);
  assert.ok(answer !== undefined && !answer.includes("\n"));
  return JSON.parse(answer) as Record<string, unknown>;
}

const good: [what: string, request: object, answer: object][] = [
  ["forge", { op: "forge", address: "bob@origin.example" }, { address: STRONG, rewritten: true }],
  ["angle brackets", { op: "forge", address: "<bob@origin.example>" }, { address: STRONG, rewritten: true }],
  ["reverse", { op: "reverse", address: STRONG }, { address: "bob@origin.example" }],
  [
    "reverse without a domain",
    { op: "reverse", address: STRONG, domain: null },
    { address: "bob@origin.example" },
  ],
  [
    "classic",
    { op: "forge", address: "bob@origin.example", options: { scheme: "classic" } },
    { address: CLASSIC, rewritten: true },
  ],
  [
    "an older secret, shorter than any file may have",
    { op: "reverse", address: STRONG, secrets: ["x", ...BASE.secrets] },
    { address: "bob@origin.example" },
  ],
  [
    "a sender of the SRS domain",
    { op: "forge", address: "alice@Forwarder.example" },
    { address: "alice@Forwarder.example", rewritten: false },
  ],
  ["our own SRS address", { op: "forge", address: STRONG }, { address: STRONG, rewritten: false }],
  [
    "our own SRS address, whatever the options",
    { op: "forge", address: STRONG, options: { alwaysRewrite: true } },
    { address: STRONG, rewritten: false },
  ],
  [
    "an own domain",
    { op: "forge", address: "alice@own.example", options: { ownDomains: ["own.example"] } },
    { address: "alice@own.example", rewritten: false },
  ],
  [
    "a shorter tag, where that suffices",
    { op: "reverse", address: CLASSIC, options: { scheme: "classic", tagLength: 8, minTagLength: 4 } },
    { address: "bob@origin.example" },
  ],
  [
    "options that are null",
    { op: "forge", address: "bob@origin.example", options: { scheme: null, maxAgeDays: null }, now: null },
    { address: STRONG, rewritten: true },
  ],
  [
    "a longer life",
    { op: "reverse", address: STRONG, now: NOW + 30 * 86_400, options: { maxAgeDays: 30 } },
    { address: "bob@origin.example" },
  ],
];
for (const [what, request, answer] of good) {
  test(`batch: ${what}`, () => {
    assert.deepEqual(answered({ id: 7, ...BASE, ...request }), { id: 7, ok: true, ...answer });
  });
}

const negative: [reason: string, request: object][] = [
  ["not-srs", { op: "reverse", address: "bob@forwarder.example" }],
  ["malformed", { op: "reverse", address: "SRS0=x@forwarder.example" }],
  ["bad-tag", { op: "reverse", address: CLASSIC }],
  ["bad-tag", { op: "reverse", address: CLASSIC, options: { scheme: "classic", tagLength: 8 } }],
  ["expired", { op: "reverse", address: STRONG, now: NOW + 22 * 86_400 }],
  ["future", { op: "reverse", address: STRONG, now: NOW - 86_400 }],
  ["bad-address", { op: "forge", address: "no address" }],
  ["null-sender", { op: "forge", address: "" }],
  ["null-sender", { op: "forge", address: "<>" }],
  ["too-long", { op: "forge", address: `${"l".repeat(60)}@origin.example` }],
  ["not-srs", { op: "inspect", address: "bob@forwarder.example" }],
  ["malformed", { op: "inspect", address: "SRS0=x@forwarder.example" }],
];
for (const [reason, request] of negative) {
  test(`batch: ${reason} for ${JSON.stringify(request)}`, () => {
    const { message, ...rest } = answered({ id: "x", ...BASE, ...request });
    assert.deepEqual(rest, { id: "x", ok: false, reason });
    assert.match(String(message), /\w/);
  });
}

const FORGE = { op: "forge", address: "bob@origin.example", ...BASE };
const bad: [request: object | string, message: RegExp][] = [
  ["{", /is not JSON/],
  ["[]", /is not a JSON object/],
  ["null", /is not a JSON object/],
  [{ ...FORGE, op: "frobnicate" }, /^op: write forge, reverse or inspect$/],
  [{ ...FORGE, address: 1 }, /^address: write a string$/],
  [{ ...FORGE, domain: undefined }, /^domain is missing/],
  [{ ...FORGE, domain: 1 }, /^domain: /],
  [{ ...FORGE, domain: "no domain" }, /^domain: "no domain" is not a domain name$/],
  [{ ...FORGE, secrets: undefined }, /^secrets are missing/],
  [{ ...FORGE, secrets: [] }, /^secrets: write a list/],
  [{ ...FORGE, secrets: [""] }, /^secrets: write a list/],
  [{ ...FORGE, secrets: "x" }, /^secrets: write a list/],
  [{ ...FORGE, now: "2023-11-14" }, /^now: write Unix seconds/],
  [{ ...FORGE, now: -1 }, /^now: /],
  [{ ...FORGE, now: 1e300 }, /^now: /],
  [{ ...FORGE, options: [] }, /^options: write an object/],
  [{ ...FORGE, options: { maxAge: 3 } }, /^options: .*"maxAge"/],
  [{ ...FORGE, options: { scheme: "exim" } }, /^options\.scheme: expected one of "strong"\|"classic"$/],
  [{ ...FORGE, options: { separator: "/" } }, /^options\.separator: /],
  [{ ...FORGE, options: { tagLength: 99 } }, /^tagLength: 99 is not a whole number from 1 to 27$/],
  [{ ...FORGE, options: { minTagLength: 8 } }, /^minTagLength: 8 is not a whole number from 1 to 4$/],
  [{ ...FORGE, options: { ownDomains: ["a b"] } }, /^domain: "a b" is not a domain name$/],
  [{ ...FORGE, options: { scheme: { deep: 1 } } }, /^options: write an object of plain values$/],
];
for (const [request, message] of bad) {
  test(`batch: bad-request: ${message.source}`, () => {
    const answer = answered(request);
    assert.equal(answer.ok, false);
    assert.equal(answer.reason, "bad-request");
    assert.match(String(answer.message), message);
  });
}

test("the id comes back whatever is wrong, where it could be read", () => {
  for (const id of ["a", 1, null, false, ""]) {
    assert.equal(answered({ id, op: "?" }).id, id);
    assert.equal(answered({ ...FORGE, id }).id, id);
  }
  assert.ok(!("id" in answered(FORGE)));
  const { message, ...answer } = answered({ id: { deep: 1 }, ...FORGE });
  assert.deepEqual(answer, { ok: false, reason: "bad-request" });
  assert.match(String(message), /^id: /);
});

test("inspect answers as the command does, with and without secrets", () => {
  const answer = answered({ ...BASE, id: 1, op: "inspect", address: STRONG }) as { hops: { tag: object }[] };
  assert.deepEqual(answer.hops[0]?.tag, {
    text: "k5jjmthi",
    verdict: "ok",
    scheme: "strong",
    secretIndex: 0,
  });
  const blind = answered({ op: "inspect", address: STRONG }) as { hops: { tag: object }[] };
  assert.deepEqual(blind.hops[0]?.tag, { text: "k5jjmthi", verdict: "unverifiable", why: "no-secret" });
  const classic = answered({ ...BASE, op: "inspect", address: CLASSIC, options: { scheme: "strong" } });
  assert.deepEqual((classic as { hops: { tag: object }[] }).hops[0]?.tag, { text: "dyav", verdict: "wrong" });
});

const blind: [what: string, request: object, answer: object][] = [
  ["an option that does not exist", { options: { maxAge: 3 } }, { ok: false, reason: "bad-request" }],
  ["a bad option", { options: { tagLength: 99 } }, { ok: false, reason: "bad-request" }],
  ["a bad own domain", { options: { ownDomains: ["a b"] } }, { ok: false, reason: "bad-request" }],
  ["a bad domain", { domain: "no domain" }, { ok: false, reason: "bad-request" }],
  ["the label of kept senders", { domain: "1" }, { ok: false, reason: "bad-request" }],
  ["good ones", { domain: "forwarder.example", options: { scheme: "strong" } }, { ok: true }],
];
for (const [what, request, answer] of blind) {
  test(`inspect without secrets checks domain and options all the same: ${what}`, () => {
    const { ok, reason } = answered({ op: "inspect", address: STRONG, ...request });
    assert.deepEqual({ ok, ...(ok ? {} : { reason }) }, answer);
  });
}

test("inspect without secrets counts the days of maxAgeDays, and judges no tag", () => {
  const request = { op: "inspect", address: STRONG, now: NOW + 9 * 86_400, domain: "forwarder.example" };
  const { hops } = answered({ ...request, options: { maxAgeDays: 7 } }) as {
    hops: { tag: object; stamp: { daysLeft: number; state: string } }[];
  };
  assert.deepEqual([hops[0]?.stamp.daysLeft, hops[0]?.stamp.state], [-2, "expired"]);
  assert.deepEqual(hops[0]?.tag, { text: "k5jjmthi", verdict: "unverifiable", why: "no-secret" });
});

test("reverse of a kept sender says that the sender is elsewhere, not that the address is old", () => {
  const store = { keep: () => true, find: () => undefined };
  const outcome = createRewriter({ ...BASE, store }).forward(
    { localPart: "l".repeat(60), domain: "origin.example" },
    NOW,
  );
  assert.ok(outcome.ok && outcome.rewritten);
  const address = renderMailbox(outcome.sender);
  assert.deepEqual(answered({ ...BASE, op: "reverse", address }), {
    ok: false,
    reason: "expired",
    message:
      "the tag is good, but its sender is in the forwarder's database, which this command does not have",
  });
  const old = answered({ ...BASE, op: "reverse", address: STRONG, now: NOW + 22 * 86_400 });
  assert.equal(old.message, "the tag is good, but the address is too old");
});

test("a byte order mark before a request is skipped, one inside is not", () => {
  const line = JSON.stringify({ ...BASE, id: 1, op: "reverse", address: STRONG });
  assert.deepEqual(answered(`\ufeff${line}`), { id: 1, ok: true, address: "bob@origin.example" });
  assert.equal(createAnswerer(() => NOW).answer("\ufeff"), undefined);
  assert.equal(answered(`{\ufeff${line.slice(1)}`).reason, "bad-request");
  assert.equal(answered(`\ufeff\ufeff${line}`).reason, "bad-request");
});

test("an empty line has no answer, a line that is too long is a bad request", () => {
  const answerer = createAnswerer(() => NOW);
  for (const line of ["", " ", "\r", "\t"]) assert.equal(answerer.answer(line), undefined);
  assert.match(
    answerer.answer(TOO_LONG) ?? "",
    /^\{"ok":false,"reason":"bad-request","message":".*65536 octets/,
  );
});

test("a rewriter that was forgotten is made again: more sets than are kept, in turn", () => {
  const answerer = createAnswerer(() => NOW);
  for (let round = 0; round < 2; round++) {
    for (let site = 0; site < 300; site++) {
      const answer = answerer.answer(JSON.stringify({ ...FORGE, domain: `d${site}.example` })) ?? "";
      assert.ok(answer.includes(`bob@d${site}.example`), answer);
    }
  }
});

test("nothing that a line can hold ends the run: nested without end, or any JSON at all", () => {
  const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  for (const line of [
    deep(30_000),
    `{"id":${deep(30_000)}}`,
    JSON.stringify(FORGE).replace("{", `{"options":{"scheme":${deep(30_000)}},`),
  ]) {
    assert.equal(answered(line).reason, "bad-request");
  }
  const field = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom(STRONG, CLASSIC, "bob@origin.example"));
  const request = fc.record(
    {
      id: field,
      op: fc.constantFrom("forge", "reverse", "inspect"),
      address: field,
      domain: fc.oneof(field, fc.constant("forwarder.example")),
      secrets: fc.oneof(field, fc.array(field), fc.constant(["s"])),
      now: fc.oneof(field, fc.double(), fc.nat()),
      options: fc.oneof(field, fc.record({ scheme: field, maxAgeDays: field }, { requiredKeys: [] })),
    },
    { requiredKeys: ["op"] },
  );
  fc.assert(fc.property(request, (value) => typeof answered(value).ok === "boolean"));
});
