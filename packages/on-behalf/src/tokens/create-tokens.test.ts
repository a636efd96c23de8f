import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import nacl from "tweetnacl";
import { createTokens, MAX_TOKEN, publicTokens } from "./create-tokens.ts";
import type { Purpose, TokenFacts } from "./tokens.ts";

const NOW = 1_800_000_000;
const FACTS: TokenFacts = {
  purpose: "confirm",
  address: "alice@example.org",
  site: "cards",
  nonce: "AAAAAAAAAAAAAAAAAAAAAA",
  expires: NOW + 86_400,
};
const SECRET = "a secret of more than 128 bits, newest";
const tokens = createTokens([SECRET]);
const token = tokens.sign(FACTS);

/** What a site does that has tweetnacl alone: no code of ours. */
function naclKeys(secret: string): nacl.SignKeyPair {
  return nacl.sign.keyPair.fromSeed(
    createHmac("sha256", secret).update("homing-on-behalf-ed25519-v1").digest(),
  );
}

function naclToken(text: string, secret = SECRET): string {
  return Buffer.from(nacl.sign(Buffer.from(text), naclKeys(secret).secretKey)).toString("base64url");
}

const KEY_ID = Buffer.from(naclKeys(SECRET).publicKey).toString("base64url").slice(0, 8);
const JSON_TEXT = `{"p":"confirm","a":"alice@example.org","s":"cards","n":"AAAAAAAAAAAAAAAAAAAAAA","x":1800086400,"k":"${KEY_ID}"}`;

function reasonOf(text: string, purpose: Purpose = "confirm", now = NOW): string {
  const opened = tokens.open(text, purpose, now);
  return opened.ok ? "none" : opened.reason;
}

test("a token opens for its purpose, until it expires, and says what was signed", () => {
  assert.deepEqual(tokens.open(token, "confirm", NOW), { ok: true, facts: FACTS, keyIndex: 0 });
  assert.equal(reasonOf(token, "confirm", FACTS.expires - 1), "none");
  assert.equal(reasonOf(token, "confirm", FACTS.expires), "expired");
  assert.equal(reasonOf(token, "manage"), "wrong-purpose");
  assert.equal(reasonOf(token, "manage", FACTS.expires), "wrong-purpose");
  assert.match(token, /^[A-Za-z0-9_-]{200,300}$/);
});

test("plain tweetnacl opens what is signed here, with the public key that is given out", () => {
  const [publicKey = ""] = tokens.publicKeys;
  const opened = nacl.sign.open(Buffer.from(token, "base64url"), Buffer.from(publicKey, "base64url"));
  assert.equal(Buffer.from(opened ?? []).toString("utf8"), `homing-on-behalf-v1\0${JSON_TEXT}`);
  assert.deepEqual(Buffer.from(publicKey, "base64url"), Buffer.from(naclKeys(SECRET).publicKey));
});

test("what plain tweetnacl signs with the same seed is the same token, and opens here", () => {
  const theirs = naclToken(`homing-on-behalf-v1\0${JSON_TEXT}`);
  assert.equal(theirs, token);
  assert.equal(reasonOf(theirs), "none");
});

test("whatever is signed, both sides agree", () => {
  const publicKey = Buffer.from(tokens.publicKeys[0] ?? "", "base64url");
  const facts = fc.record({
    purpose: fc.constantFrom<Purpose>("confirm", "manage", "identity"),
    address: fc.string({ unit: "binary", maxLength: 60 }).filter((text) => text.isWellFormed()),
    site: fc.stringMatching(/^[a-z0-9-]{0,40}$/),
    nonce: fc.stringMatching(/^[A-Za-z0-9_-]{22,43}$/),
    expires: fc.integer({ min: NOW + 1, max: Number.MAX_SAFE_INTEGER }),
  });
  fc.assert(
    fc.property(facts, ({ ...one }) => {
      const signed = tokens.sign(one);
      assert.deepEqual(tokens.open(signed, one.purpose, NOW), { ok: true, facts: one, keyIndex: 0 });
      const octets = Buffer.from(signed, "base64url");
      assert.ok(nacl.sign.open(octets, publicKey));
      assert.deepEqual(Buffer.from(nacl.sign(octets.subarray(64), naclKeys(SECRET).secretKey)), octets);
    }),
    { numRuns: 40 },
  );
});

test("a token with any one bit flipped is refused", () => {
  const octets = Buffer.from(token, "base64url");
  for (let bit = 0; bit < octets.length * 8; bit++) {
    const flipped = Buffer.from(octets);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(reasonOf(flipped.toString("base64url")), "bad-signature", `bit ${bit}`);
  }
});

test("a token with any one bit of its characters flipped is refused", () => {
  for (let bit = 0; bit < token.length * 8; bit++) {
    const flipped = Buffer.from(token);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.notEqual(reasonOf(flipped.toString("latin1")), "none", `bit ${bit}`);
  }
});

test("a token that is cut anywhere, or goes on, is refused", () => {
  for (let end = 0; end < token.length; end++) assert.notEqual(reasonOf(token.slice(0, end)), "none");
  for (const more of ["A", "=", "==", " ", "\n", "AAAA"]) assert.notEqual(reasonOf(token + more), "none");
});

test("the same octets in another spelling are refused", () => {
  const octets = Buffer.from(token, "base64url");
  const spellings = [
    octets.toString("base64"),
    ` ${token}`,
    `${token.slice(0, 10)}\r\n${token.slice(10)}`,
    `${token}=`,
    `${token}==`,
  ].filter((text) => text !== token);
  for (const spelling of spellings) assert.equal(reasonOf(spelling), "malformed", spelling);
});

test("bits behind the last octet, which decoders pass over, are refused", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let others = 0;
  for (const site of ["a", "ab", "abc"]) {
    const signed = tokens.sign({ ...FACTS, site });
    const octets = Buffer.from(signed, "base64url");
    for (const last of alphabet) {
      const spelled = signed.slice(0, -1) + last;
      if (spelled === signed || !Buffer.from(spelled, "base64url").equals(octets)) continue;
      assert.equal(reasonOf(spelled), "malformed");
      others++;
    }
  }
  assert.equal(others, 15 + 3);
});

test("a signature whose S is larger by the order of the curve is refused, which tweetnacl takes", () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const octets = Buffer.from(token, "base64url");
  const s = BigInt(`0x${Buffer.from(octets.subarray(32, 64)).reverse().toString("hex")}`);
  Buffer.from((s + order).toString(16).padStart(64, "0"), "hex")
    .reverse()
    .copy(octets, 32);
  assert.ok(nacl.sign.open(octets, naclKeys(SECRET).publicKey));
  assert.equal(reasonOf(octets.toString("base64url")), "bad-signature");
});

const payloads: [what: string, payload: string][] = [
  ["no label", JSON_TEXT],
  ["the label of another version", `homing-on-behalf-v2\0${JSON_TEXT}`],
  ["the label twice", `homing-on-behalf-v1\0homing-on-behalf-v1\0${JSON_TEXT}`],
  ["a blank in the JSON", `homing-on-behalf-v1\0${JSON_TEXT.replace(",", ", ")}`],
  ["a line end behind the JSON", `homing-on-behalf-v1\0${JSON_TEXT}\n`],
  [
    "members in another order",
    `homing-on-behalf-v1\0${JSON_TEXT.replace(/("p":"confirm"),("a":[^,]*)/, "$2,$1")}`,
  ],
  ["a member twice", `homing-on-behalf-v1\0${JSON_TEXT.replace("{", '{"p":"manage",')}`],
  ["a member more", `homing-on-behalf-v1\0${JSON_TEXT.replace("}", ',"z":1}')}`],
  ["a member less", `homing-on-behalf-v1\0${JSON_TEXT.replace('"s":"cards",', "")}`],
  ["__proto__", `homing-on-behalf-v1\0${JSON_TEXT.replace("{", '{"__proto__":{"p":"confirm"},')}`],
  ["an escape that is not needed", `homing-on-behalf-v1\0${JSON_TEXT.replace("alice", "\\u0061lice")}`],
  ["another key id", `homing-on-behalf-v1\0${JSON_TEXT.replace(KEY_ID, "AAAAAAAA")}`],
  ["an unknown purpose", `homing-on-behalf-v1\0${JSON_TEXT.replace("confirm", "toString")}`],
  ["a number as address", `homing-on-behalf-v1\0${JSON_TEXT.replace('"alice@example.org"', "1")}`],
  ["a time as text", `homing-on-behalf-v1\0${JSON_TEXT.replace("1800086400", '"1800086400"')}`],
  ["a time with an exponent", `homing-on-behalf-v1\0${JSON_TEXT.replace("1800086400", "18000864e2")}`],
  ["an endless time", `homing-on-behalf-v1\0${JSON_TEXT.replace("1800086400", "1e999")}`],
  ["a short nonce", `homing-on-behalf-v1\0${JSON_TEXT.replace("AAAAAAAAAAAAAAAAAAAAAA", "A")}`],
  ["a list", "homing-on-behalf-v1\0[]"],
  ["null", "homing-on-behalf-v1\0null"],
  ["no JSON", "homing-on-behalf-v1\0{"],
  ["JSON of great depth", `homing-on-behalf-v1\0${"[".repeat(600)}`],
];
for (const [what, payload] of payloads) {
  test(`a payload with ${what} is refused though its signature is right`, () => {
    assert.equal(reasonOf(naclToken(payload)), "malformed");
  });
}

test("octets that are no UTF-8 are refused though their signature is right", () => {
  const payload = Buffer.from(`homing-on-behalf-v1\0${JSON_TEXT}`);
  payload[payload.indexOf("alice")] = 0xff;
  const signed = Buffer.from(nacl.sign(payload, naclKeys(SECRET).secretKey)).toString("base64url");
  assert.equal(reasonOf(signed), "malformed");
});

test("after a rotation the key before the newest still verifies; the third is dead", () => {
  const [old, middle, young] = ["the oldest", "the one between", "the newest"] as const;
  const [byOld, byMiddle, byYoung] = [old, middle, young].map((secret) => createTokens([secret]).sign(FACTS));
  const rotated = createTokens([young, middle, old]);
  assert.equal(rotated.publicKeys.length, 2);
  assert.deepEqual(rotated.open(byYoung ?? "", "confirm", NOW), { ok: true, facts: FACTS, keyIndex: 0 });
  assert.deepEqual(rotated.open(byMiddle ?? "", "confirm", NOW), { ok: true, facts: FACTS, keyIndex: 1 });
  assert.deepEqual(rotated.open(byOld ?? "", "confirm", NOW), { ok: false, reason: "bad-signature" });
  assert.equal(rotated.sign(FACTS), byYoung);
});

test("whoever has the public keys alone opens tokens, and nobody else's", () => {
  const open = publicTokens(createTokens(["new", SECRET]).publicKeys);
  assert.deepEqual(open.open(token, "confirm", NOW), { ok: true, facts: FACTS, keyIndex: 1 });
  assert.equal(publicTokens(createTokens(["other"]).publicKeys).open(token, "confirm", NOW).ok, false);
});

test("keys that are none are refused when they are set, not when a token comes", () => {
  for (const secrets of [[], [""], ["good", ""]]) assert.throws(() => createTokens(secrets), RangeError);
  for (const key of ["", "x", "A".repeat(42), "A".repeat(44), `${"A".repeat(42)}B`, `${"A".repeat(42)}=`]) {
    assert.throws(() => publicTokens([key]), RangeError);
  }
  assert.throws(() => publicTokens([]), RangeError);
});

test("the longest address, each character escaped, has a token; what would not open is not signed", () => {
  const longest = { ...FACTS, address: '"\\'.repeat(127), site: "c".repeat(40) };
  const signed = tokens.sign(longest);
  assert.ok(signed.length <= MAX_TOKEN);
  assert.equal(reasonOf(signed), "none");
  assert.throws(() => tokens.sign({ ...FACTS, address: "a".repeat(1000) }), RangeError);
  assert.throws(() => tokens.sign({ ...FACTS, nonce: "short" }), RangeError);
  assert.throws(() => tokens.sign({ ...FACTS, expires: Number.NaN }), RangeError);
  assert.throws(() => tokens.sign({ ...FACTS, address: "\ud800" }), RangeError);
});

test("nothing that is given to it makes it throw", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }),
    fc.stringMatching(/^[A-Za-z0-9_-]{0,1100}$/),
    fc.uint8Array({ maxLength: 800 }).map((octets) => Buffer.from(octets).toString("base64url")),
    fc.anything(),
  );
  fc.assert(
    fc.property(anything, (value) => {
      assert.equal(tokens.open(value as string, "confirm", NOW).ok, false);
    }),
    { numRuns: 400 },
  );
});

test("no payload that is signed with our key makes it throw, and none opens that we would not have written", () => {
  const value = fc.oneof(
    fc.json({ maxDepth: 3 }).map((json) => `homing-on-behalf-v1\0${json}`),
    fc.tuple(fc.nat(JSON_TEXT.length), fc.string({ maxLength: 4 })).map(([at, text]) => {
      return `homing-on-behalf-v1\0${JSON_TEXT.slice(0, at)}${text}${JSON_TEXT.slice(at)}`;
    }),
  );
  fc.assert(
    fc.property(value, (payload) => {
      const signed = naclToken(payload);
      const opened = tokens.open(signed, "confirm", NOW);
      if (opened.ok) assert.equal(tokens.sign(opened.facts), signed);
    }),
    { numRuns: 40 },
  );
});
