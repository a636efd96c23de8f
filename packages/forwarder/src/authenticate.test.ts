import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createMessageSigner, type DkimKey } from "./authenticate.ts";

const MESSAGE = Buffer.from(
  "From: <mailer-daemon@mx.ours.test>\r\nTo: <bob@origin.test>\r\nSubject: x\r\nX-Other: y\r\n\r\nbody\r\n",
);

function rsaKey(modulusLength = 2048): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return String(privateKey.export({ type: "pkcs1", format: "pem" }));
}

function ed25519Key(): string {
  return String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
}

const RSA: DkimKey = { domain: "ours.test", selector: "r", privateKey: rsaKey() };
const ED25519: DkimKey = { domain: "ours.test", selector: "e", privateKey: ed25519Key() };

/** The DKIM-Signature fields on top, unfolded; what follows them must be the message. */
async function fieldsOf(keys: readonly DkimKey[], message = MESSAGE): Promise<string[]> {
  const signed = await createMessageSigner(keys, () => 1_800_000_000)(message);
  const at = signed.length - message.length;
  assert.deepEqual(signed.subarray(at), message);
  const text = signed.subarray(0, at).toString("latin1");
  for (const line of text.split("\r\n")) assert.ok(line.length <= 78, line);
  assert.ok(text.endsWith("\r\n"));
  return text.slice(0, -2).replaceAll("\r\n ", " ").split("\r\n");
}

function tagsOf(field: string): ReadonlyMap<string, string> {
  assert.match(field, /^DKIM-Signature: /);
  const tags = field.slice("DKIM-Signature: ".length).split("; ");
  return new Map(tags.map((tag) => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]));
}

test("each key signs, on top of a message that stays as it was", async () => {
  const tags = (await fieldsOf([RSA, ED25519])).map(tagsOf);
  assert.deepEqual(
    tags.map((one) => [one.get("a"), one.get("d"), one.get("s"), one.get("c"), one.get("t")]),
    [
      ["rsa-sha256", "ours.test", "r", "relaxed/relaxed", "1800000000"],
      ["ed25519-sha256", "ours.test", "e", "relaxed/relaxed", "1800000000"],
    ],
  );
});

test("the whole body is signed, and without an end", async () => {
  const [field = ""] = await fieldsOf([RSA]);
  const tags = tagsOf(field);
  assert.deepEqual([tags.has("l"), tags.has("x")], [false, false]);
});

test("every field that is signed is named once more than it is there, and no other field", async () => {
  const twice = Buffer.from("Subject: a\r\nFrom: <a@ours.test>\r\nX-Other: y\r\nSubject: b\r\n\r\nbody\r\n");
  const [field = ""] = await fieldsOf([ED25519], twice);
  const names = (tagsOf(field).get("h") ?? "").toLowerCase().split(/ *: */);
  const counts = Object.fromEntries(
    names.map((name) => [name, names.filter((other) => other === name).length]),
  );
  assert.deepEqual(counts, {
    from: 2,
    sender: 1,
    "reply-to": 1,
    to: 1,
    cc: 1,
    subject: 3,
    date: 1,
    "message-id": 1,
    "in-reply-to": 1,
    references: 1,
    "auto-submitted": 1,
    "mime-version": 1,
    "content-type": 1,
    "content-transfer-encoding": 1,
  });
});

const failures: [what: string, keys: readonly DkimKey[], message: Buffer, cause: RegExp][] = [
  ["a message without From", [RSA], Buffer.from("To: <a@b.test>\r\n\r\nx\r\n"), /^DKIM: .*From/],
  ["a key that is none", [{ ...RSA, privateKey: "no key" }], MESSAGE, /^DKIM: /],
  ["one key of two that is none", [RSA, { ...ED25519, privateKey: "no key" }], MESSAGE, /^DKIM: /],
  [
    "a key that verifiers refuse (RFC 8301 §3.2)",
    [{ ...RSA, privateKey: rsaKey(512) }],
    MESSAGE,
    /too short/,
  ],
  ["a selector that would end its tag", [{ ...RSA, selector: "a; d=other.test" }], MESSAGE, /Invalid s=/],
];
for (const [what, keys, message, cause] of failures) {
  test(`${what} is a rejection, and no message without a signature`, async () => {
    await assert.rejects(createMessageSigner(keys)(message), { message: cause });
  });
}

test("a signer without a key is a mistake of the caller", () => {
  assert.throws(() => createMessageSigner([]), /no key/);
});

test("who does not sign does not load mailauth", async () => {
  const script = `
    import { createRequire } from "node:module";
    const { createMessageSigner } = await import(${JSON.stringify(pathToFileURL(`${import.meta.dirname}/authenticate.ts`))});
    const { cache } = createRequire(import.meta.url);
    const isLoaded = () => Object.keys(cache).some((file) => file.includes("/mailauth/"));
    const before = isLoaded();
    await createMessageSigner([{ domain: "a.test", selector: "s", privateKey: "" }])(Buffer.from("")).catch(() => {});
    console.log(before, isLoaded());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  assert.equal(stdout, "false true\n");
});
