import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEMS, type ProblemType, refused } from "@homing/on-behalf";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import type { z } from "zod";
import { createApp } from "../app.ts";
import { PROBLEM_WORDS } from "../problems/problem-words.ts";
import { createFake, type Fake, KEY, PUBLIC_URL } from "../testing/fake-on-behalf.ts";
import { BOUNCED, CONFIRMED, EVENTS, PENDING, SENT, SENT_BY_SITE, SUPPRESSED } from "./examples.ts";
import { PATH_PARTS, problemsOf } from "./openapi.ts";
import type { DescribedAnswer, SiteRoute } from "./route.ts";
import { ROUTES } from "./routes.ts";

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Content };
  readonly parameters?: readonly { readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

type Content = Readonly<
  Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>
>;

/** Everything that the examples speak of. */
function seeded(ids: readonly string[] = []): Fake {
  const fake = createFake({ ids });
  fake.identitiesByAddress.set(CONFIRMED.address, CONFIRMED);
  fake.messagesById.set(BOUNCED.id, BOUNCED);
  fake.happened.push(...EVENTS.events);
  return fake;
}

function appOf(fake: Fake) {
  return createApp({
    hostname: "mx.site.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => {
      throw error;
    },
    onBehalf: fake,
  });
}

async function ask(
  fake: Fake,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await appOf(fake).request(path, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

const document = (await ask(seeded(), "GET", "/v1/openapi.json")).body as Document;

test("the document is OpenAPI 3.1, and a linter with its recommended rules has nothing to say", async () => {
  assert.match(document.openapi, /^3\.1\./);
  const config = await createConfig({ extends: ["recommended"] });
  const found = await lintFromString({ source: JSON.stringify(document), config });
  assert.deepEqual(
    found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
    [],
  );
});

test("the linter looks: an example that does not fit is found", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const source = JSON.stringify(document).replace('"status":"pending"', '"status":"perhaps"');
  const found = await lintFromString({ source, config });
  assert.ok(found.some(({ ruleId }) => ruleId === "no-invalid-media-type-examples"));
});

test("the document has exactly the operations that there are", () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(described.sort(), ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
});

test("requests are closed: what is not described is refused", () => {
  for (const name of ["IdentityRequest", "MessageRequest", "SuppressionRequest"])
    assert.equal(
      (document.components.schemas[name] as { additionalProperties?: boolean }).additionalProperties,
      false,
    );
});

/** As the document names it, with the part of the path that varies. */
function pathOf({ path }: SiteRoute): string {
  return path.replace(/\{(\w+)\}/, (_, name: string) => encodeURIComponent(PATH_PARTS[name]?.example ?? ""));
}

function schemaFits(answer: DescribedAnswer, body: unknown): void {
  assert.deepEqual((answer.schema as z.ZodType).parse(body), body);
}

const IDS: Readonly<Record<string, string>> = {
  asked: PENDING.id,
  onBehalf: SENT.id,
  transactional: SENT_BY_SITE.id,
};

const siteRoutes = ROUTES.filter((route): route is SiteRoute => route.access === "site");

for (const route of siteRoutes.filter(({ body }) => body)) {
  for (const [name, { value }] of Object.entries(route.examples)) {
    test(`${route.operationId}: the example ${name} is answered as its answer says`, async () => {
      const got = await ask(seeded([IDS[name] ?? "unused"]), route.method, route.path, value);
      const answer = route.answers.find(({ examples }) => examples?.[name]);
      assert.ok(answer, "an example without an answer");
      assert.deepEqual([got.status, got.body], [answer.status, answer.examples?.[name]]);
      schemaFits(answer, got.body);
    });
  }
}

for (const route of siteRoutes.filter(({ body }) => !body)) {
  test(`${route.operationId}: the example is answered as it says`, async () => {
    const fake = seeded();
    fake.suppressed.set(SUPPRESSED.address, SUPPRESSED);
    const got = await ask(fake, route.method, pathOf(route));
    const [answer] = route.answers;
    assert.ok(answer);
    assert.deepEqual([got.status, got.body], [answer.status, answer.examples?.answer]);
    if (answer.schema) schemaFits(answer, got.body);
  });
}

test("sendMessage: the example of a repeated message is what a second request gets", async () => {
  const fake = seeded([SENT.id]);
  const route = siteRoutes.find(({ operationId }) => operationId === "sendMessage");
  const send = () =>
    ask(fake, "POST", "/v1/messages", route?.examples.onBehalf?.value, { "Idempotency-Key": "k" });
  await send();
  const got = await send();
  assert.deepEqual([got.status, got.body], [200, route?.answers[1]?.examples?.repeated]);
});

test("listKeys: the example is what the service publishes", async () => {
  const got = await ask(seeded(), "GET", "/v1/keys");
  assert.deepEqual(
    got.body,
    ROUTES.find(({ operationId }) => operationId === "listKeys")?.answers[0]?.examples?.answer,
  );
});

/** How to get those that HTTP itself refuses; all others the service gives. */
const PROVOKED: Partial<
  Record<ProblemType, (fake: Fake, route: SiteRoute, body: unknown) => ReturnType<typeof ask>>
> = {
  unauthorized: async (fake, route) => {
    const response = await appOf(fake).request(pathOf(route), { method: route.method });
    return { status: response.status, headers: response.headers, body: await response.json() };
  },
  "malformed-request": (fake, route) =>
    route.body
      ? ask(fake, route.method, pathOf(route), "no JSON")
      : ask(fake, route.method, `${pathOf(route)}?a=1&a=2`),
  "invalid-field": (fake, route, body) => ask(fake, route.method, `${pathOf(route)}?eve=1`, body),
  "too-large": (fake, route) => ask(fake, route.method, pathOf(route), "x".repeat(600_000)),
  "unsupported-media-type": (fake, route, body) =>
    ask(fake, route.method, pathOf(route), body, { "Content-Type": "text/plain" }),
};

for (const route of siteRoutes) {
  test(`${route.operationId}: every problem that is described comes as it is described`, async () => {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    const example = Object.values(route.examples)[0]?.value;
    for (const type of problemsOf(route)) {
      const described =
        operation?.responses[PROBLEMS[type].status]?.content?.["application/problem+json"]?.examples?.[type]
          ?.value;
      assert.ok(described, type);
      const fake = seeded();
      const { detail, ...more } = PROBLEM_WORDS[type].example;
      fake.refusal = refused(type, detail, more);
      const got = await (PROVOKED[type] ?? (() => ask(fake, route.method, pathOf(route), example)))(
        fake,
        route,
        example,
      );
      assert.equal(got.headers.get("content-type"), "application/problem+json");
      // Those of HTTP itself have many causes, and one example.
      if (type in PROVOKED) assert.equal(got.body.type, `${PUBLIC_URL}/problems/${type}`);
      else assert.deepEqual(got.body, described);
    }
  });
}

test("the words that HTTP itself says are those of the examples", async () => {
  const fake = seeded();
  const said = async (request: Promise<{ body: { detail: string } }>) => (await request).body.detail;
  const route = siteRoutes[0] as SiteRoute;
  for (const type of ["unauthorized", "malformed-request", "too-large", "unsupported-media-type"] as const)
    assert.equal(
      await said((PROVOKED[type] as NonNullable<typeof PROVOKED.unauthorized>)(fake, route, {})),
      PROBLEM_WORDS[type].example.detail,
    );
  assert.equal(
    await said(ask(fake, "POST", route.path, { address: 1 })),
    PROBLEM_WORDS["invalid-field"].example.detail,
  );
  assert.equal(
    await said(ask(fake, "PUT", "/v1/events")),
    PROBLEM_WORDS["method-not-allowed"].example.detail,
  );
});
