import assert from "node:assert/strict";
import { after, test } from "node:test";
import { memoryContent } from "@homing/mail";
import { createMessageSigner } from "../../authenticate.ts";
import type { ContentResults, SpfForDmarc } from "../results.ts";
import { createContentChecks } from "./content-checks.ts";
import {
  type Records,
  type SignedHow,
  signed,
  type TestKey,
  tableDns,
  testKey,
} from "./testing/signed-mail.ts";

const NOW = 1_800_000_000;
const MAIL = "Subject: x\r\nFrom: Ann <ann@a.example>\r\nTo: <bob@b.example>\r\n\r\nhello\r\nworld\r\n";
const NO_SPF: SpfForDmarc = { result: "none", domain: "" };
const RSA = testKey("rsa", "a.example");
const ED25519 = testKey("ed25519", "a.example");

let records: Records = {};
let asked: string[] = [];
const checks = createContentChecks({
  dns: {
    txt: (name) => {
      const { txt } = tableDns(records);
      asked.push(name);
      return txt(name);
    },
  },
  now: () => NOW,
  authservId: "mx.ours.example",
  threads: 1,
});
after(() => checks.close());

async function checked(message: string, dns: Records = {}, spf = NO_SPF): Promise<ContentResults> {
  records = dns;
  asked = [];
  return await checks.check(memoryContent(Buffer.from(message, "latin1")), spf);
}

function published(...keys: readonly TestKey[]): Records {
  return Object.fromEntries(keys.map(({ dns }) => dns));
}

test("a message that nobody signed has no DKIM, no ARC, and its header From", async () => {
  assert.deepEqual(await checked(MAIL), {
    dkim: [],
    headerFrom: { kind: "domain", domain: "a.example" },
    dmarc: { result: "none", policy: "none", domain: "" },
    arc: { result: "none", seals: [], instance: 0 },
  });
});

test("our own signatures, RSA and Ed25519, pass and are aligned", async () => {
  const message = await createMessageSigner([RSA, ED25519], () => NOW)(Buffer.from(MAIL));
  const { dkim } = await checked(message.toString("latin1"), published(RSA, ED25519));
  assert.deepEqual(
    dkim.map(({ signature, ...one }) => [one, signature.length]),
    [
      [
        {
          ...{ result: "pass", domain: "a.example", selector: "rsa" },
          ...{ algorithm: "rsa-sha256", isAligned: true },
        },
        8,
      ],
      [
        {
          ...{ result: "pass", domain: "a.example", selector: "ed25519" },
          ...{ algorithm: "ed25519-sha256", isAligned: true },
        },
        8,
      ],
    ],
  );
});

const WEAK = testKey("rsa", "a.example", "weak", { bits: 512 });
const TESTING = testKey("rsa", "a.example", "testing", { more: "t=y; " });
const UNDERSCORE = testKey("rsa", "a.example", "k_1");
const OTHER = testKey("rsa", "other.example");
const SUB = testKey("rsa", "mail.a.example");
const tamper = (message: string): string => message.replace("hello", "hullo");
const tamperHeader = (message: string): string => message.replace("Ann", "Ned");

interface Case {
  readonly key?: TestKey;
  readonly how?: SignedHow;
  readonly dns?: Records;
  readonly change?: (message: string) => string;
  readonly result: string;
  readonly isAligned?: boolean;
}

const cases: Readonly<Record<string, Case>> = {
  "a good one": { result: "pass" },
  "one with another body": { change: tamper, result: "fail body hash did not verify" },
  "one with another From": { change: tamperHeader, result: "fail bad signature" },
  "one with a From on top": {
    how: { fields: ["From", "From"] },
    change: (message) => `From: <x@b.example>\r\n${message}`,
    result: "fail bad signature",
    isAligned: false,
  },
  "one of a domain that is not aligned": { key: OTHER, result: "pass", isAligned: false },
  "one of a domain below": { key: SUB, result: "pass" },
  "one without a key": { dns: {}, result: "permerror no key" },
  "one whose key is revoked": {
    dns: { [RSA.dns[0]]: "v=DKIM1; p=" },
    result: "permerror invalid public key",
  },
  "one whose key DNS does not give": {
    dns: { [RSA.dns[0]]: "SERVFAIL" },
    result: "temperror DNS failure: DNS: TXT of rsa._domainkey.a.example: SERVFAIL",
  },
  "one whose key is too short (RFC 8301 §3.2)": { key: WEAK, result: "policy weak-key" },
  "one of a domain that tests": { key: TESTING, result: "pass" },
  "a bad one of a domain that tests": {
    key: TESTING,
    change: tamperHeader,
    result: "neutral bad signature; its domain is testing DKIM",
  },
  "one with rsa-sha1 (RFC 8301 §3.1)": { how: { algorithm: "rsa-sha1" }, result: "policy weak-algorithm" },
  "one that is over": { how: { tags: `t=${NOW - 9}; x=${NOW - 1}; ` }, result: "policy expired" },
  "one that is not over yet": { how: { tags: `t=${NOW - 9}; x=${NOW + 1}; ` }, result: "pass" },
  "one with l= of the whole body": { how: { tags: "l=14; ", octets: 14 }, result: "pass" },
  "one with l=, and more behind it": {
    how: { tags: "l=14; ", octets: 14 },
    change: (message) => `${message}spam\r\n`,
    result: "policy l= leaves out 6 octets of the body",
  },
  "one with l=0": { how: { tags: "l=0; ", octets: 0 }, result: "policy l= leaves out 14 octets of the body" },
  "one with an underscore in s=": { key: UNDERSCORE, result: "pass" },
  "one that does not sign From": { how: { fields: ["To"] }, result: "permerror From field not signed" },
  "one with d= twice": {
    how: { tags: "d=b.example; " },
    result: "neutral signature syntax error",
    isAligned: false,
  },
};
for (const [
  what,
  { key = RSA, how, dns = published(key), change, result, isAligned = true },
] of Object.entries(cases)) {
  test(`${what}: ${result}`, async () => {
    const message = signed(MAIL, key, how);
    const { dkim } = await checked(change ? change(message) : message, dns);
    assert.deepEqual(
      dkim.map((one) => [[one.result, one.reason ?? []].flat().join(" "), one.isAligned]),
      [[result.replace("weak-algorithm", "weak algorithm"), isAligned]],
    );
  });
}

test("ten signatures are looked at, of a thousand, and one key is asked for once", async () => {
  const message = Array.from({ length: 20 }).reduce<string>((before) => signed(before, RSA), MAIL);
  const { dkim } = await checked(message, published(RSA));
  assert.equal(dkim.length, 10);
  assert.ok(dkim.every(({ result }) => result === "pass"));
  assert.deepEqual(
    asked.filter((name) => name.includes("_domainkey")),
    [RSA.dns[0]],
  );
});

test("signatures that each want another part of the body hashed are not all given theirs", async () => {
  let message = MAIL;
  for (let octets = 0; octets < 8; octets++)
    message = signed(message, RSA, { tags: `l=${octets}; `, octets });
  const { dkim } = await checked(message, published(RSA));
  const refused = dkim.filter(({ reason }) => reason?.includes("too many hashes"));
  assert.deepEqual([dkim.length, refused.length], [8, 4]);
  assert.ok(dkim.every(({ result }) => result !== "pass"));
});

test("hostile text in a signature comes out short and printable", async () => {
  const field = `DKIM-Signature: v=1; a=\x01rsa; d=${"x".repeat(300)}.example; s=\xff\x1b; b=\x07\x07; h=from; bh=x\r\n`;
  const { dkim } = await checked(field + MAIL);
  const [found] = dkim;
  assert.ok(found);
  assert.equal(found.result, "neutral");
  assert.deepEqual([found.domain, found.selector], ["", ""]);
  for (const text of Object.values(found)) if (typeof text === "string") assert.match(text, /^[ -~]{0,253}$/);
});

const DMARC: Record<string, string> = { "_dmarc.a.example": "v=DMARC1; p=reject; sp=quarantine" };
const PASSED: SpfForDmarc = { result: "pass", domain: "bounces.a.example" };
const subMail = MAIL.replace("@a.example", "@news.a.example");
const RECORD = "_dmarc.a.example";
const dmarcCases: [what: string, message: string, dns: Records, spf: SpfForDmarc, expected: string][] = [
  ["without a record", MAIL, {}, NO_SPF, "none none "],
  ["nothing passes", MAIL, DMARC, NO_SPF, "fail reject a.example"],
  [
    "SPF passes for another domain",
    MAIL,
    DMARC,
    { result: "pass", domain: "b.example" },
    "fail reject a.example",
  ],
  ["SPF fails", MAIL, DMARC, { result: "fail", domain: "a.example" }, "fail reject a.example"],
  ["aligned SPF", MAIL, DMARC, PASSED, "pass reject a.example"],
  ["aligned SPF, strict", MAIL, { [RECORD]: "v=DMARC1; p=reject; aspf=s" }, PASSED, "fail reject a.example"],
  ["sp= of a domain below", subMail, DMARC, NO_SPF, "fail quarantine a.example"],
  [
    "np= of one that is not there",
    subMail,
    { [RECORD]: "v=DMARC1; p=none; np=reject" },
    NO_SPF,
    "fail reject a.example",
  ],
  ["pct= of a hundred", MAIL, { [RECORD]: "v=DMARC1; p=reject; pct=100" }, NO_SPF, "fail reject a.example"],
  ["pct= of less", MAIL, { [RECORD]: "v=DMARC1; p=reject; pct=99" }, NO_SPF, "fail quarantine a.example"],
  ["pct=0", MAIL, { [RECORD]: "v=DMARC1; p=quarantine; pct=0" }, NO_SPF, "fail none a.example"],
  ["t=y", MAIL, { [RECORD]: "v=DMARC1; p=quarantine; t=y" }, NO_SPF, "fail none a.example"],
  ["DNS does not answer", MAIL, { [RECORD]: "SERVFAIL" }, PASSED, "temperror none "],
  ["DNS does not answer for a domain above", subMail, { [RECORD]: "SERVFAIL" }, NO_SPF, "temperror none "],
  ["a record that is none", MAIL, { [RECORD]: "v=DMARC1; p=perhaps" }, NO_SPF, "none none "],
  ["two From fields", `From: <x@b.example>\r\n${MAIL}`, DMARC, NO_SPF, "fail reject a.example"],
  ["two From fields, and SPF of one", `From: <x@b.example>\r\n${MAIL}`, DMARC, PASSED, "permerror none "],
  ["no From field", MAIL.replace("From", "X-From"), DMARC, PASSED, "permerror none "],
  [
    "two domains, and one of them fails",
    MAIL.replace("Ann ", "x@b.example, "),
    DMARC,
    NO_SPF,
    "fail reject a.example",
  ],
  ["two domains without records", MAIL.replace("Ann ", "x@b.example, "), {}, NO_SPF, "permerror none "],
  [
    "two authors at one domain",
    MAIL.replace("Ann ", "x@a.example, "),
    DMARC,
    PASSED,
    "pass reject a.example",
  ],
];
for (const [what, message, dns, spf, expected] of dmarcCases) {
  test(`DMARC, ${what}: ${expected}`, async () => {
    const { dmarc } = await checked(message, dns, spf);
    assert.equal(`${dmarc.result} ${dmarc.policy} ${dmarc.domain}`, expected);
  });
}

test("an aligned signature passes DMARC, a strict one only of the same domain", async () => {
  const message = signed(MAIL, SUB);
  const relaxed = await checked(message, { ...published(SUB), ...DMARC });
  const strict = await checked(message, { ...published(SUB), [RECORD]: "v=DMARC1; p=reject; adkim=s" });
  assert.deepEqual([relaxed.dmarc.result, strict.dmarc.result], ["pass", "fail"]);
});

test("a signature that is good, and not enough for us, does not pass DMARC", async () => {
  const message = `${signed(MAIL, RSA, { tags: "l=14; ", octets: 14 })}spam\r\n`;
  const { dmarc } = await checked(message, { ...published(RSA), ...DMARC });
  assert.equal(dmarc.result, "fail");
});

test("a header that is too long is looked at by nobody", async () => {
  const { dkim, arc, dmarc } = await checked(`X: ${"x\r\n ".repeat(6_000)}\r\n${MAIL}`, DMARC);
  assert.deepEqual([dkim, arc.result, dmarc.result, asked], [[], "fail", "permerror", []]);
});

test("a field that is named as a property of every object is no ARC field", async () => {
  const { arc } = await checked(`Constructor: x\r\n__proto__: y\r\n${signed(MAIL, RSA)}`, published(RSA));
  assert.equal(arc.result, "none");
});

test("an ARC field that is longer than any real one breaks the chain", async () => {
  const field = `ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.example; s=rsa; b=${"x".repeat(9_000)}\r\n`;
  const { arc } = await checked(field + MAIL);
  assert.deepEqual([arc.result, arc.reason], ["fail", "an ARC field is longer than any real one"]);
});

test("signatures that would take the library long are not looked at, and those beside them are", async () => {
  const blanks = `n=x${" ".repeat(500)}x; `;
  const colons = `z=${":".repeat(600)}; `;
  const message = signed(signed(signed(MAIL, RSA), RSA, { tags: blanks }), RSA, { tags: colons });
  const { dkim } = await checked(message, published(RSA));
  assert.deepEqual(
    dkim.map(({ result }) => result),
    ["pass"],
  );
});

test("ARC fields that make no chain fail", async () => {
  const { arc } = await checked(`ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; s=x; b=x\r\n${MAIL}`);
  assert.deepEqual([arc.result, arc.seals, arc.reason], ["fail", [], "i=1 no arc-message-signature set"]);
});
