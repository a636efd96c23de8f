import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isAligned, readDkimKeys, unsignedProblem } from "./dkim-keys.ts";

const rsa = (modulusLength: number): KeyObject => generateKeyPairSync("rsa", { modulusLength }).privateKey;
const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" = "pkcs8"): string =>
  String(key.export({ type, format: "pem" }));
const ED25519 = generateKeyPairSync("ed25519").privateKey;
const RSA = rsa(2048);

/** Reads one key file with this text. */
async function read(t: TestContext, text: string | Buffer, mode = 0o600) {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "k"), text, { mode });
  const warnings: string[] = [];
  const dkim = [{ domain: "ours.test", selector: "s", keyFile: "k" }];
  const [key] = await readDkimKeys({ dkim }, folder, (words) => warnings.push(words));
  return { key, warnings };
}

const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: "spki", format: "der" });
const good: [what: string, text: string, publicKey: object][] = [
  ["RSA in PKCS #8", pem(RSA), { type: "rsa", base64: spki(RSA).toString("base64") }],
  ["RSA in PKCS #1", pem(RSA, "pkcs1"), { type: "rsa", base64: spki(RSA).toString("base64") }],
  ["Ed25519", pem(ED25519), { type: "ed25519", base64: spki(ED25519).subarray(12).toString("base64") }],
];
for (const [what, text, publicKey] of good) {
  test(`a key may be ${what}`, async (t) => {
    const { key, warnings } = await read(t, text);
    assert.deepEqual(key, { domain: "ours.test", selector: "s", privateKey: text, publicKey });
    assert.deepEqual(warnings, []);
  });
}

test("a key of 1024 bits is a warning", async (t) => {
  const { key, warnings } = await read(t, pem(rsa(1024)));
  assert.equal(key?.publicKey.type, "rsa");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^warning: DKIM key \/.*\/k has 1024 bits, where 2048 are needed/);
});

const refused: [what: string, text: string | Buffer, message: RegExp][] = [
  [
    "fewer bits than verifiers take",
    pem(rsa(768)),
    /has 768 bits, and verifiers refuse fewer than 1024: make/,
  ],
  [
    "a key of another kind",
    pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
    /is ec, not RSA or Ed25519: make/,
  ],
  ["a public key", String(createPublicKey(RSA).export({ type: "spki", format: "pem" })), /is no private key/],
  [
    "a key with a passphrase",
    String(RSA.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })),
    /is no private key in PEM without a passphrase/,
  ],
  ["no key", "secret\n", /is no private key/],
  ["nothing", "", /is no private key/],
  ["too much", Buffer.alloc(70_000), /larger than 64 KiB: not a key/],
];
for (const [what, text, message] of refused) {
  test(`a file with ${what} is refused`, async (t) => {
    await assert.rejects(read(t, text), { reason: "config", message });
  });
}

test("a key that others can read is refused, and one that the group can read is not", async (t) => {
  await assert.rejects(read(t, pem(ED25519), 0o604), { message: /has mode 0604: .* run chmod 600 / });
  assert.ok((await read(t, pem(ED25519), 0o440)).key);
});

test("without keys there are none", async () => {
  for (const dkim of [undefined, "unsigned"] as const)
    assert.deepEqual(await readDkimKeys({ dkim }, "/", assert.fail), []);
});

const aligned: [keyDomain: string, hostname: string, isGood: boolean][] = [
  ["ours.test", "ours.test", true],
  ["ours.test", "mx.ours.test", true],
  ["OURS.test", "mx.Ours.TEST", true],
  ["test", "mx.ours.test", false],
  ["ours.test", "mx.yours.test", false],
  ["ours.test", "mx-ours.test", false],
  ["mx.ours.test", "ours.test", false],
  ["other.test", "mx.ours.test", false],
];
for (const [keyDomain, hostname, isGood] of aligned) {
  test(`a key of ${keyDomain} is ${isGood ? "" : "not "}good for mail from ${hostname}`, () => {
    assert.equal(isAligned(keyDomain, hostname), isGood);
  });
}

const hostname = "mx.ours.test";
const key = (domain: string) => ({ domain, selector: "s", keyFile: "k" });
const problems: [what: string, config: Parameters<typeof unsignedProblem>[0], problem: RegExp | undefined][] =
  [
    ["with no key", { hostname }, /^dkim: there is no key, so .* mx\.ours\.test/],
    ["with no key, and meant so", { hostname, dkim: "unsigned" }, undefined],
    ["with a good key", { hostname, dkim: [key("ours.test")] }, undefined],
    ["with a good key of two", { hostname, dkim: [key("x.test"), key(hostname)] }, undefined],
    [
      "with keys of others",
      { hostname, dkim: [key("x.test"), key("y.test")] },
      /^dkim: no key is of mx\.ours\.test or above it \(x\.test, y\.test\), so /,
    ],
  ];
for (const [what, config, problem] of problems) {
  test(`notifications ${what} are ${problem ? "a problem" : "no problem"}`, () => {
    const words = unsignedProblem(config);
    if (problem === undefined) assert.equal(words, undefined);
    else assert.match(words ?? "", problem);
  });
}
