import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKeyInput } from "node:crypto";
import { test } from "node:test";
import { PROBLEMS, type ProblemType, refused } from "@homing/on-behalf";
import { createApp } from "../app.ts";
import { AT, createFake, type Fake, KEY, PUBLIC_URL, refusal } from "../testing/fake-on-behalf.ts";
import type { ApiRefusal } from "./api.ts";
import { ON_BEHALF, TRANSACTIONAL } from "./examples.ts";
import { ROUTES } from "./routes.ts";

interface Scene {
  readonly fake: Fake;
  readonly bugs: unknown[];
  readonly refusals: ApiRefusal[];
  readonly ask: (method: string, path: string, more?: More) => Promise<Got>;
}

interface More {
  readonly body?: unknown;
  readonly raw?: string | Uint8Array | ReadableStream;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined as default: the right one. */
  readonly key?: string | null;
}

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: { readonly [name: string]: unknown };
}

function scene(): Scene {
  const fake = createFake();
  const bugs: unknown[] = [];
  const refusals: ApiRefusal[] = [];
  const app = createApp({
    hostname: "mx.site.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => bugs.push(error),
    refused: (refusal) => refusals.push(refusal),
    onBehalf: fake,
  });
  const ask: Scene["ask"] = async (method, path, { body, raw, headers, key = KEY } = {}) => {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await app.request(path, {
      method,
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(content === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content, duplex: "half" }),
    } as RequestInit);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };
  return { fake, bugs, refusals, ask };
}

function parsed(text: string): Got["body"] {
  return text.startsWith("{") ? JSON.parse(text) : {};
}

function assertProblem(got: Got, type: ProblemType, field?: string): void {
  assert.deepEqual(
    [got.status, got.body.type, got.body.title, got.body.status, got.headers.get("content-type")],
    [
      PROBLEMS[type].status,
      `${PUBLIC_URL}/problems/${type}`,
      PROBLEMS[type].title,
      PROBLEMS[type].status,
      "application/problem+json",
    ],
    got.text,
  );
  assert.equal(got.body.field, field, got.text);
  assert.match(String(got.body.detail), /[^.]$/);
}

const SITE_PATHS: [method: string, path: string, body?: unknown][] = [
  ["POST", "/v1/identities", { address: "a@b.example" }],
  ["GET", "/v1/identities/idn_1"],
  ["DELETE", "/v1/identities/a@b.example"],
  ["POST", "/v1/messages", TRANSACTIONAL],
  ["GET", "/v1/messages/msg_1"],
  ["GET", "/v1/suppressions"],
  ["POST", "/v1/suppressions", { address: "a@b.example" }],
  ["DELETE", "/v1/suppressions/a@b.example"],
  ["GET", "/v1/events"],
];

test("the paths of these tests are those of the table that need a key", () => {
  assert.deepEqual(
    SITE_PATHS.map(([method, path]) => `${method} ${path.split("/").slice(0, 3).join("/")}`).sort(),
    ROUTES.filter(({ access }) => access === "site")
      .map(({ method, path }) => `${method} ${path.replace(/\/\{.*/, "")}`)
      .sort(),
  );
});

const credentials: [what: string, headers: Record<string, string>][] = [
  ["no key", {}],
  ["a wrong key", { Authorization: "Bearer wrong" }],
  ["an empty key", { Authorization: "Bearer " }],
  ["a scheme alone", { Authorization: "Bearer" }],
  ["a key without a scheme", { Authorization: KEY }],
  ["Basic", { Authorization: `Basic ${Buffer.from(`cards:${KEY}`).toString("base64")}` }],
  ["two keys", { Authorization: `Bearer ${KEY}, Bearer ${KEY}` }],
  ["a huge key", { Authorization: `Bearer ${"x".repeat(5000)}` }],
  ["a key in another field", { "X-Api-Key": KEY }],
];
for (const [what, headers] of credentials) {
  test(`${what} is 401 everywhere, says how it is sent, and nothing of the body is looked at`, async () => {
    for (const [method, path] of SITE_PATHS) {
      const { fake, ask } = scene();
      const raw = method === "POST" ? { raw: "no JSON" } : {};
      const got = await ask(method, path, { key: null, headers, ...raw });
      assertProblem(got, "unauthorized");
      assert.match(got.headers.get("www-authenticate") ?? "", /^Bearer /);
      assert.ok(!got.text.includes(KEY));
      assert.deepEqual(fake.changes, []);
    }
  });
}

test("the scheme may be written in any case", async () => {
  const { ask } = scene();
  assert.equal(
    (await ask("GET", "/v1/events", { key: null, headers: { authorization: `bEARER  ${KEY}` } })).status,
    200,
  );
});

for (const name of ["key", "access_token", "apiKey", "api_key", "token"]) {
  test(`a key in the URL as ${name} is refused, also beside the right field`, async () => {
    const { ask } = scene();
    for (const key of [KEY, null]) {
      const got = await ask("GET", `/v1/events?${name}=${KEY}`, { key });
      assertProblem(got, "unauthorized", name.toLowerCase());
      assert.ok(!got.text.includes(KEY));
    }
  });
}

for (const [method, path] of [...SITE_PATHS, ["GET", "/v1/keys"], ["GET", "/v1/openapi.json"]] as const) {
  test(`${path} names the methods that it takes (asked beside ${method})`, async () => {
    const { ask, fake } = scene();
    const options = await ask("OPTIONS", path, { key: null });
    assert.deepEqual([options.status, options.text], [204, ""]);
    const allow = (options.headers.get("allow") ?? "").split(", ");
    assert.ok(allow.includes(method));
    assert.equal(allow.includes("GET"), allow.includes("HEAD"));
    for (const wrong of ["PUT", "PATCH", "PURGE", "GET", "POST", "DELETE"].filter(
      (one) => !allow.includes(one),
    )) {
      const got = await ask(wrong, path, { key: null });
      assertProblem(got, "method-not-allowed");
      assert.equal(got.headers.get("allow"), allow.join(", "));
    }
    assert.deepEqual(fake.changes, []);
  });
}

test("nothing says that a browser's page of another origin may read or send", async () => {
  const { ask } = scene();
  for (const method of ["OPTIONS", "GET", "POST"]) {
    const headers = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
    const got = await ask(method, "/v1/identities", { headers });
    assert.deepEqual(
      [...got.headers.keys()].filter((name) => name.startsWith("access-control")),
      [],
    );
  }
});

const nowhere = [
  "/v1",
  "/v1/",
  "/v1/eve",
  "/v1/messages/",
  "/v1/messages/a/b",
  "/v1/identities//x",
  "/v1/keys/1",
  "/v1/Messages",
];
for (const path of nowhere) {
  test(`${path} is a problem, and no page`, async () => {
    const { ask } = scene();
    for (const method of ["GET", "POST", "OPTIONS"]) assertProblem(await ask(method, path), "not-found");
  });
}

test("HEAD is answered as GET, without a body, and changes nothing anywhere", async () => {
  const { ask, fake } = scene();
  for (const [, path] of SITE_PATHS) {
    const got = await ask("HEAD", path);
    assert.equal(got.text, "");
  }
  const [head, get] = [await ask("HEAD", "/v1/events"), await ask("GET", "/v1/events")];
  assert.deepEqual([head.status, [...head.headers]], [get.status, [...get.headers]]);
  assert.deepEqual(fake.changes, []);
});

const bodies: [what: string, more: More, type: ProblemType, field?: string][] = [
  ["no body", { headers: { "Content-Type": "application/json" } }, "malformed-request"],
  ["no JSON", { raw: "to=a" }, "malformed-request"],
  [
    "a member twice",
    { raw: '{"address":"a@b.example","address":"c@d.example"}' },
    "malformed-request",
    "address",
  ],
  ["JSON that is deep", { raw: `{"address":${"[".repeat(1000)}${"]".repeat(1000)}}` }, "malformed-request"],
  ["octets that are not UTF-8", { raw: Buffer.from([0x7b, 0xff, 0x7d]) }, "malformed-request"],
  ["a list", { body: [] }, "invalid-field"],
  ["a string", { body: "a" }, "invalid-field"],
  ["null", { raw: "null" }, "invalid-field"],
  ["an empty object", { body: {} }, "invalid-field", "address"],
  ["a number for a string", { body: { address: 1 } }, "invalid-field", "address"],
  [
    "null for a member that may be missing",
    { body: { address: "a@b.example", returnUrl: null } },
    "invalid-field",
    "returnUrl",
  ],
  [
    "a scope that there is not",
    { body: { address: "a@b.example", scope: "admin" } },
    "invalid-field",
    "scope",
  ],
  ["half of a surrogate pair", { raw: '{"address":"\\ud800@b.example"}' }, "invalid-field", "address"],
  [
    "a member that there is not",
    { body: { address: "a@b.example", adress: "c" } },
    "invalid-field",
    "adress",
  ],
  [
    "__proto__",
    { raw: '{"address":"a@b.example","__proto__":{"scope":"visitor"}}' },
    "invalid-field",
    "__proto__",
  ],
  ["constructor", { body: { address: "a@b.example", constructor: 1 } }, "invalid-field", "constructor"],
  [
    "a form",
    { raw: "a=b", headers: { "Content-Type": "application/x-www-form-urlencoded" } },
    "unsupported-media-type",
    "Content-Type",
  ],
  [
    "text",
    { raw: "{}", headers: { "Content-Type": "text/plain" } },
    "unsupported-media-type",
    "Content-Type",
  ],
  [
    "JSON in UTF-16",
    { raw: "{}", headers: { "Content-Type": "application/json; charset=utf-16" } },
    "unsupported-media-type",
    "Content-Type",
  ],
  [
    "JSON of another sort",
    { raw: "{}", headers: { "Content-Type": "application/jsonp" } },
    "unsupported-media-type",
    "Content-Type",
  ],
  [
    "gzip",
    { raw: "{}", headers: { "Content-Encoding": "gzip" } },
    "unsupported-media-type",
    "Content-Encoding",
  ],
  ["more than 512 KiB", { body: { address: "a".repeat(600_000) } }, "too-large"],
  [
    "more than 512 KiB by its own account",
    { raw: "{}", headers: { "Content-Length": "600000" } },
    "too-large",
  ],
];
for (const [what, more, type, field] of bodies) {
  test(`a body of ${what} is ${type}, and nothing happens`, async () => {
    const { ask, fake } = scene();
    const got = await ask("POST", "/v1/identities", more);
    assertProblem(got, type, field);
    if (field === "Content-Encoding") assert.equal(got.headers.get("accept-encoding"), "identity");
    assert.deepEqual(fake.changes, []);
    assert.equal(({} as { scope?: string }).scope, undefined);
  });
}

test("a body without a length is counted while it comes, and not read on behind the limit", async () => {
  const { ask, fake } = scene();
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  assertProblem(await ask("POST", "/v1/messages", { raw: endless }), "too-large");
  assert.ok(pulled < 12, String(pulled));
  assert.deepEqual(fake.changes, []);
});

test("a body that breaks off is no bug of ours, and nothing happens", async () => {
  const { ask, fake, bugs } = scene();
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('{"address":"a@b.example"}'));
      controller.error(new Error("gone"));
    },
  });
  assertProblem(await ask("POST", "/v1/identities", { raw: broken }), "malformed-request");
  assert.deepEqual([fake.changes, bugs], [[], []]);
});

for (const type of [
  "application/json",
  "Application/JSON; charset=UTF-8",
  'application/json;charset="utf-8"',
  "application/json;",
]) {
  test(`${type} is JSON`, async () => {
    const { ask } = scene();
    const got = await ask("POST", "/v1/identities", {
      body: { address: "a@b.example" },
      headers: { "Content-Type": type, "Content-Encoding": "identity" },
    });
    assert.equal(got.status, 202, got.text);
  });
}

const messages: [change: object, field: string][] = [
  [{ to: [] }, "to"],
  [{ to: ["a@b.example", 7] }, "to[1]"],
  [{ to: 7 }, "to"],
  [{ to: { 0: "a@b.example" } }, "to"],
  [{ to: ["a@b.example", ["c@d.example"]] }, "to[1]"],
  [{ to: Array(2000).fill("a@b.example") }, "to"],
  [{ profile: "newsletter" }, "profile"],
  [{ profile: undefined }, "profile"],
  [{ subject: null }, "subject"],
  [{ html: 1 }, "html"],
  [{ bcc: "a@b.example" }, "bcc"],
  [{ attachments: [{ path: "/etc/passwd" }] }, "attachments"],
  [{ from: "president@bank.example" }, "from"],
  [{ headers: { "X-A": "b" } }, "headers"],
  [{ envelope: { from: "a@b.example" } }, "envelope"],
  [{ fromMode: "anybody" }, "fromMode"],
  [{ ["x".repeat(1000)]: 1 }, `${"x".repeat(64)}…`],
];
for (const [change, field] of messages) {
  test(`a message with ${JSON.stringify(change).slice(0, 60)} is refused with field ${field.slice(0, 20)}`, async () => {
    const { ask, fake } = scene();
    const got = await ask("POST", "/v1/messages", { body: { ...TRANSACTIONAL, ...change } });
    assertProblem(got, "invalid-field", field);
    assert.ok(got.text.length < 700);
    assert.deepEqual(fake.changes, []);
  });
}

const said: [change: object, detail: string, hint: RegExp][] = [
  [{ subject: undefined }, "subject is missing", /^add it: look it up in/],
  [{ subject: 1 }, "subject must be a string", /^it is a number: /],
  [{ html: null }, "html is null", /^leave a member out/],
  [{ to: ["a@b.example", 1] }, "to[1] must be a string", /^it is a number: /],
  [{ to: [] }, "to must not be empty", /^give at least one$/],
  [{ to: 7 }, "to must be a string or a list", /^it is a number: /],
  [
    { profile: "x" },
    "profile must be one of on-behalf, unimportant, transactional",
    /^capital letters count$/,
  ],
  [{ name: "\ud800" }, "name holds half of a surrogate pair", /^have a library write/],
  [{ cc: 1 }, "cc is no member of a message", /names are in/],
];
for (const [change, detail, hint] of said) {
  test(`${JSON.stringify(change)}: ${detail}; and what to do`, async () => {
    const { ask } = scene();
    const { body } = await ask("POST", "/v1/messages", { body: { ...TRANSACTIONAL, ...change } });
    assert.equal(body.detail, detail);
    assert.match(String(body.hint), hint);
  });
}

test("all that HTTP itself refuses has a hint", async () => {
  const { ask } = scene();
  for (const [method, path, more] of [
    ["GET", "/v1/nothing"],
    ["PUT", "/v1/events"],
    ["GET", `/v1/messages/${"x".repeat(3000)}`],
    ["GET", "/v1/messages/%E0%A4%A"],
    ["GET", "/v1/events?limit=0"],
    ["GET", "/v1/events?limit=many"],
    ["GET", "/v1/events?page=1"],
    ["GET", "/v1/events?limit=1&limit=2"],
    ["GET", "/v1/events", { key: "wrong" }],
    ...bodies.map(([, more]) => ["POST", "/v1/identities", more] as const),
  ] as const) {
    const { body, text } = await ask(method, path, more);
    assert.ok(typeof body.hint === "string" && !body.hint.endsWith("."), text);
  }
});

test("what is refused is told for the log: whose key came, from where, and what it was", async () => {
  const { ask, refusals } = scene();
  await ask("GET", "/v1/events", { key: "wrong" });
  await ask("GET", "/v1/messages/msg_none");
  await ask("POST", "/v1/messages", { raw: "no JSON" });
  await ask("PUT", "/v1/events");
  await ask("GET", "/v1/events");
  const client = "";
  assert.deepEqual(refusals, [
    { problem: "unauthorized", status: 401, client },
    { site: "cards", problem: "not-found", status: 404, client },
    { site: "cards", problem: "malformed-request", status: 400, client },
    { problem: "method-not-allowed", status: 405, client },
  ]);
});

test("a message with one recipient as text comes to the service as a list, with all else as it was", async () => {
  const { ask, fake } = scene();
  await ask("POST", "/v1/messages", { body: { ...TRANSACTIONAL, to: "a@b.example" } });
  await ask("POST", "/v1/messages", { body: TRANSACTIONAL });
  assert.deepEqual(fake.sent, [{ ...TRANSACTIONAL, to: ["a@b.example"] }, TRANSACTIONAL]);
});

test("the scope of an identity is user where nothing else is said", async () => {
  const { ask } = scene();
  assert.equal(
    (await ask("POST", "/v1/identities", { body: { address: "a@b.example" } })).body.scope,
    "user",
  );
  const body = { address: "c@b.example", scope: "visitor" };
  assert.equal((await ask("POST", "/v1/identities", { body })).body.scope, "visitor");
});

test("a message that was sent before with the same key is 200, says so, and is sent once", async () => {
  const { ask, fake } = scene();
  const send = (body: object, key: string) =>
    ask("POST", "/v1/messages", { body, headers: { "Idempotency-Key": key } });
  const [first, second] = [await send(TRANSACTIONAL, "k1"), await send(TRANSACTIONAL, "k1")];
  assert.deepEqual([first.status, first.headers.get("idempotent-replayed")], [202, null]);
  assert.deepEqual([second.status, second.headers.get("idempotent-replayed")], [200, "true"]);
  assert.deepEqual(second.body, first.body);
  assertProblem(await send({ ...TRANSACTIONAL, subject: "Another" }, "k1"), "idempotency-conflict");
  assertProblem(await send(TRANSACTIONAL, ""), "idempotency-key-invalid");
  assert.equal(fake.sent.length, 1);
});

test("an identity goes from asked for to let go of", async () => {
  const { ask } = scene();
  const asked = await ask("POST", "/v1/identities", { body: { address: "alice@example.org" } });
  assert.equal(asked.status, 202);
  assertProblem(
    await ask("POST", "/v1/messages", { body: { ...ON_BEHALF, onBehalfOf: asked.body.id } }),
    "identity-not-confirmed",
    "onBehalfOf",
  );
  for (const name of [asked.body.id, "alice@example.org", "alice%40example.org"])
    assert.equal((await ask("GET", `/v1/identities/${name}`)).body.id, asked.body.id);
  const gone = await ask("DELETE", "/v1/identities/alice@example.org");
  assert.deepEqual([gone.status, gone.body.status], [200, "revoked"]);
  assertProblem(await ask("GET", "/v1/identities/eve@example.org"), "not-found");
});

test("an address with a slash and other signs is one part of a path", async () => {
  const { ask, fake } = scene();
  const address = "a/b?c#d%e&'é@example.org";
  fake.suppressed.set(address, { address, reason: "manual", since: AT });
  assert.equal((await ask("DELETE", `/v1/suppressions/${encodeURIComponent(address)}`)).status, 204);
  assert.equal(fake.suppressed.size, 0);
  assertProblem(await ask("DELETE", "/v1/suppressions/%E0%A4%A"), "malformed-request");
});

test("a list goes on behind next, and ends without one", async () => {
  const { ask } = scene();
  for (const name of ["a", "b", "c"])
    await ask("POST", "/v1/suppressions", { body: { address: `${name}@b.example` } });
  const first = await ask("GET", "/v1/suppressions?limit=2");
  assert.deepEqual([first.body.next, (first.body.suppressions as unknown[]).length], ["b@b.example", 2]);
  const second = await ask("GET", `/v1/suppressions?limit=2&after=${first.body.next}`);
  assert.deepEqual(Object.keys(second.body), ["suppressions"]);
});

const queries: [query: string, type: ProblemType, field: string][] = [
  ["limit=0", "invalid-field", "limit"],
  ["limit=-1", "invalid-field", "limit"],
  ["limit=1001", "invalid-field", "limit"],
  ["limit=1e1", "invalid-field", "limit"],
  ["limit=0x10", "invalid-field", "limit"],
  ["limit=", "invalid-field", "limit"],
  [`after=${"x".repeat(600)}`, "invalid-field", "after"],
  ["page=2", "invalid-field", "page"],
  ["__proto__=2", "invalid-field", "__proto__"],
  ["limit=1&limit=2", "malformed-request", "limit"],
];
for (const [query, type, field] of queries) {
  test(`?${query.slice(0, 30)} is ${type}`, async () => {
    const { ask } = scene();
    for (const path of ["/v1/events", "/v1/suppressions"])
      assertProblem(await ask("GET", `${path}?${query}`), type, field);
  });
}

test("where nothing has happened yet, next is empty, and is taken back as it is", async () => {
  const { ask } = scene();
  const first = await ask("GET", "/v1/events");
  assert.deepEqual(first.body, { events: [], next: "" });
  assert.deepEqual((await ask("GET", `/v1/events?after=${first.body.next}`)).body, first.body);
});

test("a parameter where there are none is refused, and a long URL", async () => {
  const { ask, fake } = scene();
  assertProblem(await ask("DELETE", "/v1/identities/a@b.example?force=1"), "invalid-field", "force");
  assertProblem(await ask("GET", `/v1/messages/${"x".repeat(3000)}`), "malformed-request");
  assert.deepEqual(fake.changes, []);
});

for (const type of Object.keys(PROBLEMS) as ProblemType[]) {
  test(`${type} of the service keeps its status, words and time`, async () => {
    const { ask, fake } = scene();
    fake.refusal = refused(type, "Because", { field: "to[0]", hint: "do this", retryAfter: 7.2 });
    const got = await ask("POST", "/v1/messages", { body: TRANSACTIONAL });
    assertProblem(got, type, "to[0]");
    assert.deepEqual(
      [got.body.detail, got.body.hint, got.headers.get("retry-after")],
      ["Because", "do this", "8"],
    );
    fake.refusal = refusal(type);
    const bare = await ask("POST", "/v1/messages", { body: TRANSACTIONAL });
    const wait = Number(bare.headers.get("retry-after"));
    assert.equal(wait >= 1, [429, 503].includes(PROBLEMS[type].status));
    assert.deepEqual(Object.keys(bare.body), ["type", "title", "status", "detail"]);
  });
}

test("line breaks of a client reach no field of the answer", async () => {
  const { ask, fake } = scene();
  fake.refusal = refused("invalid-field", "a\r\nSet-Cookie: b=c", { field: "x\r\ny" });
  const got = await ask("POST", "/v1/messages", { body: TRANSACTIONAL });
  assert.equal(got.headers.get("set-cookie"), null);
  assert.equal(got.body.field, "x\r\ny");
});

test("a bug is 500 as a problem, says nothing of itself, and goes to the log", async () => {
  const { ask, fake, bugs } = scene();
  fake.bug = new Error("secret");
  const got = await ask("GET", "/v1/events");
  assert.deepEqual([got.status, got.body.type], [500, "about:blank"]);
  assert.ok(!got.text.includes("secret"));
  assert.deepEqual(bugs.map(String), ["Error: secret"]);
});

test("public keys need no site key, and Node reads them", async () => {
  const { ask, fake } = scene();
  const got = await ask("GET", "/v1/keys", { key: null });
  assert.deepEqual(
    (got.body.keys as { x: string }[]).map(({ x }) => x),
    fake.publicKeys,
  );
  const [key = {}] = got.body.keys as JsonWebKeyInput["key"][];
  assert.equal(createPublicKey({ key, format: "jwk" }).asymmetricKeyType, "ed25519");
});

test("no answer is kept, guessed at, framed or sets a cookie", async () => {
  const { ask } = scene();
  for (const path of ["/v1/events", "/v1/keys", "/v1/nothing"]) {
    const { headers } = await ask("GET", path);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'; frame-ancestors 'none'/);
    assert.equal(headers.get("set-cookie"), null);
  }
});

test("without the service there is no API", async () => {
  const app = createApp({
    hostname: "mx.site.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: () => {},
  });
  for (const path of ["/v1/keys", "/v1/openapi.json", "/mine", "/confirm", "/problems", "/inbox"])
    assert.equal((await app.request(path)).status, 404);
  assert.equal((await app.request("/v1/messages", { method: "POST" })).status, 405);
});
