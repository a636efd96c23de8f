import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { compile, DAY, MAIL, NOW, refusal } from "../testing/compile-mail.ts";
import { createTokens } from "../tokens/create-tokens.ts";

/** Nothing else says whether a user has confirmed. */
const ALONE = { isConfirmed: undefined };
const stated = (confirmedAt: unknown, more: object = {}) => ({
  ...MAIL,
  onBehalfOf: { address: "carol@example.org", confirmedAt, ...more },
});
for (const [what, confirmedAt, more] of [
  ["Unix seconds", NOW - DAY, {}],
  ["a Date", new Date((NOW - DAY) * 1000), {}],
  ["ISO text", new Date((NOW - DAY) * 1000).toISOString(), {}],
  ["a date alone", new Date((NOW - DAY) * 1000).toISOString().slice(0, 10), {}],
  ["a moment of a clock that is a minute ahead", NOW + 60, {}],
  ["179 days ago", NOW - 179 * DAY, {}],
  ["a year ago, and used yesterday", NOW - 365 * DAY, { lastUsedAt: NOW - DAY }],
] as const) {
  test(`confirmedAt as ${what} is enough where nothing else is configured`, async () => {
    const data = await compile(stated(confirmedAt, more), ALONE);
    assert.ok(data.envelope);
  });
}
for (const [what, confirmedAt, more, code] of [
  ["null", null, {}, "identity-not-confirmed"],
  ["undefined", undefined, {}, "identity-not-confirmed"],
  ["180 days ago", NOW - 180 * DAY, {}, "identity-not-confirmed"],
  [
    "a year ago, and used 180 days ago",
    NOW - 365 * DAY,
    { lastUsedAt: NOW - 180 * DAY },
    "identity-not-confirmed",
  ],
  ["null, and used yesterday", null, { lastUsedAt: NOW - DAY }, "identity-not-confirmed"],
  ["tomorrow", NOW + DAY, {}, "invalid-field"],
  ["milliseconds", NOW * 1000, {}, "invalid-field"],
  ["a year ago, and used tomorrow", NOW - 365 * DAY, { lastUsedAt: NOW + DAY }, "invalid-field"],
  ["true", true, {}, "invalid-field"],
  ["-1", -1, {}, "invalid-field"],
  ["no number", Number.NaN, {}, "invalid-field"],
  ["no Date", new Date("x"), {}, "invalid-field"],
  ["a text that is none", "yesterday", {}, "invalid-field"],
  ["a day that no month has", "2026-02-31T25:00:00Z", {}, "invalid-field"],
] as const) {
  test(`confirmedAt as ${what} is refused with ${code}`, async () => {
    assert.equal((await refusal(stated(confirmedAt, more), ALONE)).code, code);
  });
}

test("lastUsedAt without confirmedAt says that the user has not confirmed", async () => {
  const onBehalfOf = { address: "carol@example.org", lastUsedAt: NOW };
  const { code, field } = await refusal({ ...MAIL, onBehalfOf }, ALONE);
  assert.deepEqual([code, field], ["identity-not-confirmed", "onBehalfOf.confirmedAt"]);
});

test("isConfirmed is asked also where confirmedAt, an identity or a proof says yes", async () => {
  for (const onBehalfOf of [stated(NOW).onBehalfOf, IDENTITY, { proof }]) {
    const asked: string[] = [];
    const isConfirmed = (address: string) => asked.push(address) > 1;
    const error = await refusal({ ...MAIL, onBehalfOf }, { ...PROOFS, isConfirmed });
    assert.equal(error.code, "identity-not-confirmed");
    assert.equal(asked.length, 1);
  }
});

test("where nothing says that a user is confirmed, the error says what to configure", async () => {
  const error = await refusal(MAIL, { isConfirmed: undefined });
  assert.equal(error.code, "confirmation-not-configured");
  assert.match(error.message, /isConfirmed or homing/);
});

for (const answer of [false, undefined, null, 1, "yes", { confirmed: true }]) {
  test(`isConfirmed that answers ${JSON.stringify(answer)} does not say yes`, async () => {
    const isConfirmed = (async () => answer) as never;
    assert.equal((await refusal(MAIL, { isConfirmed })).code, "identity-not-confirmed");
  });
}

for (const isConfirmed of [
  () => Promise.reject(new Error("database away")),
  () => {
    throw new Error("database away");
  },
]) {
  test("isConfirmed that fails is no yes, and its error is the cause", async () => {
    const error = await refusal(MAIL, { isConfirmed });
    assert.equal(error.code, "unavailable");
    assert.match(String(error.cause), /database away/);
  });
}

const tokens = createTokens(["the secret of the service's keys"]);
const PROVEN = { address: "Alice@example.org", site: "cards", nonce: "n".repeat(22), expires: NOW + DAY };
const proof = tokens.sign({ purpose: "identity", ...PROVEN });
const PROOFS = { isConfirmed: undefined, identityKeys: tokens.publicKeys, site: "cards" };

test("a proof is enough, and says whose address it is", async () => {
  const data = await compile({ ...MAIL, onBehalfOf: { proof, name: "Alice" } }, PROOFS);
  assert.deepEqual(data.replyTo, { name: "Alice", address: "Alice@example.org" });
});

const flipped = `${proof.slice(0, 30)}${proof[30] === "A" ? "B" : "A"}${proof.slice(31)}`;
const otherKeys = createTokens(["the secret of somebody else"]);
for (const [what, given, options, code] of [
  ["a proof with a flipped character", flipped, PROOFS, "token-wrong"],
  ["half a proof", proof.slice(0, 40), PROOFS, "token-malformed"],
  [
    "a proof of another site",
    tokens.sign({ purpose: "identity", ...PROVEN, site: "other" }),
    PROOFS,
    "token-wrong",
  ],
  ["a link that confirms", tokens.sign({ purpose: "confirm", ...PROVEN }), PROOFS, "token-wrong"],
  ["a link to manage", tokens.sign({ purpose: "manage", ...PROVEN }), PROOFS, "token-wrong"],
  ["an old proof", tokens.sign({ purpose: "identity", ...PROVEN, expires: NOW }), PROOFS, "token-expired"],
  [
    "a proof of somebody else's key",
    otherKeys.sign({ purpose: "identity", ...PROVEN }),
    PROOFS,
    "token-wrong",
  ],
  ["a proof that nobody can verify", proof, {}, "confirmation-not-configured"],
] as const) {
  test(`${what} is refused with ${code}`, async () => {
    const error = await refusal({ ...MAIL, onBehalfOf: { proof: given } }, options);
    assert.deepEqual([error.code, error.field], [code, "onBehalfOf.proof"]);
  });
}

test("a proof beside its own address is enough, and beside another it is refused", async () => {
  const beside = (address: string | null) => ({ ...MAIL, onBehalfOf: { proof, address } });
  assert.ok((await compile(beside("alice@Example.ORG"), PROOFS)).envelope);
  assert.ok((await compile(beside(null), PROOFS)).envelope);
  const { code, field } = await refusal(beside("mallory@example.org"), PROOFS);
  assert.deepEqual([code, field], ["token-wrong", "onBehalfOf.proof"]);
});

// --- an identity, as the service gave it

const IDENTITY = {
  id: "idn_1",
  site: "cards",
  address: "alice@example.org",
  scope: "user",
  status: "confirmed",
  requestedAt: NOW - 300 * DAY,
  confirmedAt: NOW - 299 * DAY,
  expires: NOW + 179 * DAY,
  lastUsedAt: NOW - DAY,
  proof,
};
const COLUMNS = {
  ...IDENTITY,
  revokedAt: null,
  proof: null,
  lastUsedAt: new Date((NOW - DAY) * 1000),
  expires: new Date((NOW + DAY) * 1000).toISOString(),
};

for (const [what, onBehalfOf, options] of [
  ["is a statement of the site's own", IDENTITY, ALONE],
  ["may have a name", { ...IDENTITY, name: "Alice" }, ALONE],
  ["may come out of a table, with empty columns and with dates", COLUMNS, ALONE],
  ["is of the site that the options name", IDENTITY, { ...ALONE, site: "cards" }],
  ["has a proof, which is verified", IDENTITY, PROOFS],
] as const) {
  test(`an identity ${what}: the message goes`, async () => {
    const data = await compile({ ...MAIL, onBehalfOf }, options);
    assert.equal((data.replyTo as { address: string }).address.toLowerCase(), "alice@example.org");
  });
}

for (const [what, more, code, field, options] of [
  ["that waits for the user", { status: "pending" }, "identity-not-confirmed", "status", ALONE],
  ["that was revoked", { status: "revoked" }, "identity-not-confirmed", "status", ALONE],
  ["that has expired", { status: "expired" }, "identity-not-confirmed", "status", ALONE],
  ["with a moment of revoking", { revokedAt: NOW }, "identity-not-confirmed", "status", ALONE],
  ["without a status", { status: undefined }, "invalid-field", "status", ALONE],
  ["with a status of another case", { status: "Confirmed" }, "invalid-field", "status", ALONE],
  ["of a visitor", { scope: "visitor" }, "visitor-rules", "scope", ALONE],
  ["without a scope", { scope: null }, "invalid-field", "scope", ALONE],
  ["of a site that is no text", { site: 5 }, "invalid-field", "site", ALONE],
  ["of another site", { site: "other" }, "identity-not-confirmed", "site", { ...ALONE, site: "cards" }],
  ["of no site", { site: undefined }, "identity-not-confirmed", "site", { ...ALONE, site: "cards" }],
  ["that ends now", { expires: NOW }, "identity-not-confirmed", "expires", ALONE],
  ["without an end", { expires: null }, "invalid-field", "expires", ALONE],
  ["that ends in milliseconds", { expires: (NOW + DAY) * 1000 }, "invalid-field", "expires", ALONE],
  ["that ends in a year", { expires: NOW + 365 * DAY }, "invalid-field", "expires", ALONE],
  ["without a moment", { confirmedAt: null }, "identity-not-confirmed", "confirmedAt", ALONE],
  ["of long ago", { lastUsedAt: null }, "identity-not-confirmed", "confirmedAt", ALONE],
  ["of nobody", { address: undefined, proof: undefined }, "invalid-field", "address", ALONE],
  ["with somebody else's proof", { address: "mallory@example.org" }, "token-wrong", "proof", PROOFS],
  ["with a forged proof", { proof: flipped }, "token-wrong", "proof", PROOFS],
  ["without a proof to verify", { proof: null }, "identity-not-confirmed", "proof", PROOFS],
  ["with a name of two lines", { name: "A\r\nBcc: b@c.example" }, "invalid-field", "name", ALONE],
] as const) {
  test(`an identity ${what} is refused with ${code}`, async () => {
    const error = await refusal({ ...MAIL, onBehalfOf: { ...IDENTITY, ...more } }, options);
    assert.deepEqual([error.code, error.field], [code, `onBehalfOf.${field}`]);
  });
}

test("an identity with a member that none has is refused", async () => {
  const { code, message } = await refusal({ ...MAIL, onBehalfOf: { ...IDENTITY, role: "admin" } }, ALONE);
  assert.equal(code, "invalid-field");
  assert.match(message, /\("role"\)/);
});

test("the error says in which way the identity is not confirmed", async () => {
  const { message } = await refusal({ ...MAIL, onBehalfOf: { ...IDENTITY, status: "pending" } }, ALONE);
  assert.match(
    message,
    /^the user has not confirmed the address: he has not pressed the button in the mail yet: /,
  );
});

// --- a Homing service

type Answers = (path: string, key: string | undefined) => { status: number; body: unknown } | undefined;

async function service(t: TestContext, answers: Answers) {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const siteKeyFile = join(folder, "site.key");
  await writeFile(siteKeyFile, "# of cards\nthe-key-of-the-site-cards\n", { mode: 0o600 });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = answers(request.url ?? "", request.headers.authorization);
    if (!answer) return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json", location: "/elsewhere" });
    response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { options: { isConfirmed: undefined, homing: { url, siteKeyFile } }, asked };
}

const identity = (more: object = {}, status = 200) => ({ status, body: { ...IDENTITY, ...more } });
const KEYS = {
  status: 200,
  body: { keys: tokens.publicKeys.map((x) => ({ kty: "OKP", crv: "Ed25519", x })) },
};

test("the service is asked about an identity, too, and no proof is verified twice", async (t) => {
  const { options, asked } = await service(t, () => identity());
  assert.ok((await compile({ ...MAIL, onBehalfOf: IDENTITY }, options)).envelope);
  const old = { ...IDENTITY, proof: tokens.sign({ purpose: "identity", ...PROVEN, expires: NOW }) };
  assert.ok((await compile({ ...MAIL, onBehalfOf: old }, options)).envelope);
  assert.deepEqual(asked, Array(2).fill("/v1/identities/alice%40example.org"));
});

for (const [what, answer, code] of [
  ["was revoked since", { status: "revoked" }, "identity-not-confirmed"],
  ["is of another site", { site: "other" }, "identity-not-confirmed"],
  ["is a visitor's since", { scope: "visitor" }, "visitor-rules"],
] as const) {
  test(`a stored identity that, as the service knows, ${what} is refused`, async (t) => {
    const { options } = await service(t, () => identity(answer));
    assert.equal((await refusal({ ...MAIL, onBehalfOf: IDENTITY }, options)).code, code);
  });
}

test("a Homing service says that a user is confirmed", async (t) => {
  const { options, asked } = await service(t, (_, key) =>
    key === "Bearer the-key-of-the-site-cards" ? identity() : { status: 401, body: {} },
  );
  assert.ok((await compile(MAIL, options)).envelope);
  assert.deepEqual(asked, ["/v1/identities/alice%40example.org"]);
});

for (const [what, answer, code] of [
  ["does not know the user", { status: 404, body: { type: "not-found" } }, "identity-not-confirmed"],
  ["waits for the user", identity({ status: "pending" }), "identity-not-confirmed"],
  ["was told by the user to stop", identity({ status: "revoked" }), "identity-not-confirmed"],
  ["has not heard from the user for long", identity({ status: "expired" }), "identity-not-confirmed"],
  ["answers about somebody else", identity({ address: "bob@example.org" }), "identity-not-confirmed"],
  ["knows a visitor", identity({ scope: "visitor" }), "visitor-rules"],
  ["does not know the site", { status: 401, body: {} }, "unauthorized"],
  ["is out of order", { status: 503, body: {} }, "unavailable"],
  ["answers with no JSON", { status: 200, body: "<html>" }, "unavailable"],
  ["answers with null", { status: 200, body: "null" }, "unavailable"],
  ["answers without a status", identity({ status: undefined }), "unavailable"],
  ["answers with a megabyte", { status: 200, body: "x".repeat(1024 * 1024) }, "unavailable"],
  ["sends us elsewhere", { status: 302, body: "" }, "unavailable"],
  ["breaks off", undefined, "unavailable"],
] as const) {
  test(`a Homing service that ${what}: ${code}`, async (t) => {
    const { options, asked } = await service(t, () => answer);
    const error = await refusal(MAIL, options);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, /the-key-of-the-site/);
    assert.equal(asked.includes("/elsewhere"), false);
  });
}

test("a user who revoked at the service is refused, whatever the site's records say", async (t) => {
  const { options } = await service(t, () => identity({ status: "revoked" }));
  const both = { ...options, isConfirmed: () => true };
  assert.equal((await refusal(MAIL, both)).code, "identity-not-confirmed");
  const onBehalfOf = { address: "alice@example.org", confirmedAt: NOW };
  assert.equal((await refusal({ ...MAIL, onBehalfOf }, options)).code, "identity-not-confirmed");
});

test("a user whom the site's records do not know is refused, whatever the service says", async (t) => {
  const { options, asked } = await service(t, () => identity());
  assert.equal(
    (await refusal(MAIL, { ...options, isConfirmed: () => false })).code,
    "identity-not-confirmed",
  );
  assert.deepEqual(asked, []);
});

test("a proof is verified with the service's keys, and the service is asked whether it is still so", async (t) => {
  const { options, asked } = await service(t, (path) => (path === "/v1/keys" ? KEYS : identity()));
  assert.ok((await compile({ ...MAIL, onBehalfOf: { proof } }, options)).envelope);
  assert.deepEqual(asked, ["/v1/keys", "/v1/identities/Alice%40example.org"]);
});

test("a proof that somebody made himself is refused, though the service knows the user", async (t) => {
  const { options, asked } = await service(t, (path) => (path === "/v1/keys" ? KEYS : identity()));
  const made = otherKeys.sign({ purpose: "identity", ...PROVEN });
  assert.equal((await refusal({ ...MAIL, onBehalfOf: { proof: made } }, options)).code, "token-wrong");
  assert.deepEqual(asked, ["/v1/keys"]);
});

test("a proof of another site is refused, though the user is confirmed at both", async (t) => {
  const { options } = await service(t, (path) => (path === "/v1/keys" ? KEYS : identity()));
  const other = tokens.sign({ purpose: "identity", ...PROVEN, site: "other" });
  assert.equal((await refusal({ ...MAIL, onBehalfOf: { proof: other } }, options)).code, "token-wrong");
});

for (const [what, body] of [
  ["none", { keys: [] }],
  ["no texts", { keys: [{ x: 5 }] }],
  ["no keys", { keys: [{ x: "short" }] }],
] as const) {
  test(`keys of the service that are ${what} verify nothing`, async (t) => {
    const { options } = await service(t, () => ({ status: 200, body }));
    const { code } = await refusal({ ...MAIL, onBehalfOf: { proof } }, options);
    assert.ok(["unavailable", "token-wrong"].includes(code), code);
  });
}
