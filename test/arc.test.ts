// DKIM and ARC of mail that comes in, and ARC sets of ours, as Debian's dkimpy signs, seals and verifies them: what one of
// the two makes, the other must judge as its maker does. RFC 6376, RFC 8617.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, test } from "node:test";
import { type ContentResults, createContentChecks, type DkimKey } from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import { ARC_PACKAGES, arc } from "./harness/arc.ts";
import { storiesNeed } from "./harness/availability.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";

const skip = (await storiesNeed(...ARC_PACKAGES)) ?? false;
/** dkimpy has the clock of the machine. */
const NOW = 1_700_000_000;
const AUTHSERV_ID = "mx.forwarder.example";
const RESULTS =
  `spf=pass smtp.mailfrom=ann@a.example; dkim=pass header.d=a.example header.s=s1 header.b="abc; d";
 dmarc=pass header.from=a.example`.replace("\n", "");
const MAIL = Buffer.from(
  [
    "Received: from x by y; Thu, 1 Jan 2026 00:00:00 +0000",
    "From: Ann <ann@a.example>",
    "To: Bob <bob@b.example>",
    "Subject: A subject that\r\n  is   folded",
    "Date: Thu, 1 Jan 2026 00:00:00 +0000",
    "Message-ID: <1@a.example>",
    "",
    "Hello  Bob, \t how are you? ",
    "",
    ".",
    "\tJörg",
    "",
    "",
    "",
  ].join("\r\n"),
);

type Dns = Record<string, string>;
const FAILS = "fails";
let dns: Dns = {};

async function txt(name: string) {
  const text = dns[name];
  if (text === undefined) return { kind: "no-such-name" } as const;
  return text === FAILS
    ? ({ kind: "failed", cause: "SERVFAIL" } as const)
    : ({ kind: "records", records: [text] } as const);
}

type Checks = ReturnType<typeof createContentChecks>;
const made: Checks[] = [];
after(() => Promise.all(made.map((one) => one.close())));

function newChecks(sealKey?: DkimKey): Checks {
  const checks = createContentChecks({
    ...{ dns: { txt }, now: () => NOW, authservId: AUTHSERV_ID, threads: 1 },
    sealKey,
  });
  made.push(checks);
  return checks;
}

const ours = newChecks();

function checked(message: Buffer, records: Dns): Promise<ContentResults> {
  dns = records;
  return ours.check(memoryContent(message), { result: "none", domain: "" });
}

interface Sealer {
  readonly key: DkimKey;
  readonly dns: Dns;
  /** The message with a set of ours on top, of whatever chain it has. */
  seal(message: Buffer, records: Dns): Promise<Buffer>;
}

function newSealer(type: "rsa" | "ed25519", domain: string): Sealer {
  const { privateKey, publicKey } =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
  const spki = publicKey.export({ type: "spki", format: "der" });
  const p = (type === "rsa" ? spki : spki.subarray(-32)).toString("base64");
  const key = {
    domain,
    selector: type,
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
  const checks = newChecks(key);
  return {
    key,
    dns: { [`${type}._domainkey.${domain}`]: `v=DKIM1; k=${type}; p=${p}` },
    async seal(message, records) {
      const { arc } = await checked(message, records);
      assert.ok(checks.seal);
      const sealing = await checks.seal(memoryContent(message), { arc, results: RESULTS });
      assert.ok(sealing.kind === "sealed", JSON.stringify([arc, sealing]));
      for (const line of sealing.fields.split("\r\n")) assert.ok(line.length <= 78, line);
      return Buffer.concat([Buffer.from(sealing.fields), message]);
    },
  };
}

function flipped(message: Buffer, text: string): Buffer {
  const at = message.indexOf(text);
  assert.ok(at > 0, text);
  const changed = Buffer.from(message);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

test("what dkimpy signed passes here, and another body or field fails", { skip }, async () => {
  await using peer = await dkim();
  const { signer, dns: records } = createDkimKey("a.example", "s1");
  const message = await peer.sign(MAIL, signer);
  const resultOf = async (one: Buffer, from = records) =>
    (await checked(one, from)).dkim.map(({ result }) => result);
  assert.deepEqual(await resultOf(message), ["pass"]);
  assert.deepEqual(await resultOf(flipped(message, "how are")), ["fail"]);
  assert.deepEqual(await resultOf(flipped(message, "subject that")), ["fail"]);
  assert.deepEqual(await resultOf(message, { [Object.keys(records)[0] ?? ""]: FAILS }), ["temperror"]);
  assert.deepEqual(await resultOf(message, {}), ["permerror"]);
});

for (const types of [
  ["rsa", "rsa", "rsa"],
  ["ed25519", "ed25519", "ed25519"],
  ["rsa", "ed25519", "rsa"],
] as const) {
  test(`a chain of ours, ${types.join(", ")}, passes at dkimpy after each seal, and a tampered one fails`, {
    skip,
  }, async () => {
    await using peer = await arc();
    await using signers = await dkim();
    const { signer, dns: records } = createDkimKey("a.example", "s1");
    const ed25519 = types.some((type) => type === "ed25519");
    let message = await signers.sign(MAIL, signer);
    const all: Dns = { ...records };
    for (const [index, type] of types.entries()) {
      const sealer = newSealer(type, `hop${index + 1}.example`);
      Object.assign(all, sealer.dns);
      message = await sealer.seal(message, all);
      assert.deepEqual(await peer.verify(message, { dns: all, ed25519 }), {
        chain: "pass",
        reason: "success",
      });
      assert.equal((await peer.verify(flipped(message, "how are"), { dns: all, ed25519 })).chain, "fail");
      assert.equal((await peer.verify(flipped(message, "spf=pass"), { dns: all, ed25519 })).chain, "fail");
      const { arc: found } = await checked(message, all);
      assert.deepEqual(
        [found.result, found.instance, found.seals.at(-1)?.domain],
        ["pass", index + 1, sealer.key.domain],
      );
      assert.equal(found.seals[0]?.found, `${AUTHSERV_ID}; ${RESULTS}`);
    }
    assert.equal((await checked(message, all)).dkim[0]?.result, "pass");
    assert.match(message.toString("latin1"), /ARC-Message-Signature: [^:]*h=[^;]*DKIM-Signature/);
    assert.equal((await checked(flipped(message, "how are"), all)).arc.result, "fail");
    assert.equal((await checked(flipped(message, "spf=pass"), all)).arc.result, "fail");
  });
}

test("results with UTF-8 in them are sealed as they stand there", { skip }, async () => {
  await using peer = await arc();
  const sealer = newSealer("rsa", "hop1.example");
  const { seal } = newChecks(sealer.key);
  const none = { result: "none", seals: [], instance: 0 } as const;
  const results = "spf=pass smtp.mailfrom=jörg@€.example";
  const sealing = await seal?.(memoryContent(MAIL), { arc: none, results });
  assert.ok(sealing?.kind === "sealed");
  assert.ok(sealing.fields.replaceAll("\r\n", "").includes(results));
  const sealed = Buffer.concat([Buffer.from(sealing.fields), MAIL]);
  assert.equal((await peer.verify(sealed, { dns: sealer.dns })).chain, "pass");
});

test("dkimpy as it comes knows no Ed25519 in ARC: who seals so fails there", { skip }, async () => {
  await using peer = await arc();
  const sealer = newSealer("ed25519", "hop1.example");
  const sealed = await sealer.seal(MAIL, sealer.dns);
  const { chain, reason } = await peer.verify(sealed, { dns: sealer.dns });
  assert.equal(chain, "fail");
  assert.match(reason, /unknown signature algorithm/);
});

test("a chain of dkimpy's passes here, is extended, and then passes there", { skip }, async () => {
  await using peer = await arc();
  const { message, records } = await dkimpyChain(peer);
  const { arc: found } = await checked(message, records);
  assert.deepEqual(
    [found.result, found.seals.map(({ domain }) => domain), found.instance],
    ["pass", ["hop1.example", "hop2.example"], 2],
  );
  assert.match(found.seals[0]?.found ?? "", /^mx\.hop1\.example; arc=none; +spf=pass/);
  const sealer = newSealer("rsa", "hop3.example");
  const all = { ...records, ...sealer.dns };
  const sealed = await sealer.seal(message, all);
  assert.equal((await peer.verify(sealed, { dns: all })).chain, "pass");
  assert.equal((await checked(flipped(message, "how are"), records)).arc.result, "fail");
});

test("a key of a chain that DNS does not give is a temperror, whichever it is, and no fail", {
  skip,
}, async () => {
  await using peer = await arc();
  const { message, records } = await dkimpyChain(peer);
  const names = Object.keys(records);
  assert.equal(names.length, 2);
  for (const name of names) {
    const { arc: found } = await checked(message, { ...records, [name]: FAILS });
    assert.deepEqual([found.result, found.seals.length], ["temperror", 2], name);
    assert.match(found.reason ?? "", /SERVFAIL/);
    const missing = Object.fromEntries(Object.entries(records).filter(([one]) => one !== name));
    assert.equal((await checked(message, missing)).arc.result, "fail", name);
  }
});

const outcomes: [what: string, change: (message: Buffer, records: Dns) => [Buffer, Dns], cause: string][] = [
  ["failed", (message, records) => [flipped(message, "how are"), records], "failed-chain"],
  [
    "could not be checked",
    (message, records) => [message, Object.fromEntries(Object.keys(records).map((name) => [name, FAILS]))],
    "unchecked-chain",
  ],
];
for (const [what, change, cause] of outcomes) {
  test(`a chain that ${what} is not extended`, { skip }, async () => {
    await using peer = await arc();
    const { message, records } = await dkimpyChain(peer);
    const [changed, changedRecords] = change(message, records);
    const { arc: found } = await checked(changed, changedRecords);
    const { seal } = newChecks(newSealer("ed25519", "hop3.example").key);
    assert.deepEqual(await seal?.(memoryContent(changed), { arc: found, results: RESULTS }), {
      kind: "not-sealed",
      cause,
    });
  });
}

test("the fiftieth set is made, and no other", { skip }, async () => {
  await using peer = await arc();
  const sealer = newSealer("ed25519", "hop.example");
  let message: Buffer = MAIL;
  for (let instance = 1; instance <= 50; instance++) message = await sealer.seal(message, sealer.dns);
  assert.equal((await peer.verify(message, { dns: sealer.dns, ed25519: true })).chain, "pass");
  const { arc: found } = await checked(message, sealer.dns);
  assert.deepEqual([found.result, found.instance], ["pass", 50]);
  const { seal } = newChecks(sealer.key);
  assert.deepEqual(await seal?.(memoryContent(message), { arc: found, results: RESULTS }), {
    kind: "not-sealed",
    cause: "full-chain",
  });
});

/** Two sets. */
async function dkimpyChain(
  peer: Awaited<ReturnType<typeof arc>>,
): Promise<{ message: Buffer; records: Dns }> {
  let message: Buffer = MAIL;
  let records: Dns = {};
  for (const [hop, chain] of [
    ["hop1.example", "none"],
    ["hop2.example", "pass"],
  ] as const) {
    const { signer, dns: published } = createDkimKey(hop, "s1");
    const found = `Authentication-Results: mx.${hop}; arc=${chain};\r\n spf=pass smtp.mailfrom=ann@a.example\r\n`;
    message = await peer.seal(Buffer.concat([Buffer.from(found), message]), signer, `mx.${hop}`);
    records = { ...records, ...published };
  }
  return { message, records };
}
