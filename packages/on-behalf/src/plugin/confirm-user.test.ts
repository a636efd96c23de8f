import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { compile, DAY, MAIL, NOW, refusal } from "../testing/compile-mail.ts";
import { createTokens } from "../tokens/create-tokens.ts";

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
  test(`confirmedAt as ${what} is enough, and isConfirmed is not asked`, async () => {
    const data = await compile(stated(confirmedAt, more));
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
    assert.equal((await refusal(stated(confirmedAt, more))).code, code);
  });
}

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

test("a proof beside an address is refused: they may differ", async () => {
  const onBehalfOf = { proof, address: "mallory@example.org" };
  assert.equal((await refusal({ ...MAIL, onBehalfOf }, PROOFS)).code, "invalid-field");
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

const IDENTITY = {
  id: "idn_1",
  site: "cards",
  address: "alice@example.org",
  scope: "user",
  status: "confirmed",
};
const identity = (more: object = {}, status = 200) => ({ status, body: { ...IDENTITY, ...more } });
const KEYS = {
  status: 200,
  body: { keys: tokens.publicKeys.map((x) => ({ kty: "OKP", crv: "Ed25519", x })) },
};

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
