// The description of the API for programs: OpenAPI 3.1, made from the routes and their schemas. Called by routes.ts.
import { PROBLEMS, type ProblemType } from "@homing/on-behalf";
import { z } from "zod";
import { PROBLEM_WORDS } from "../problems/problem-words.ts";
import { problemBody } from "./problem-answer.ts";
import type { DescribedAnswer, Route, SiteRoute } from "./route.ts";
import { NAMED } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

export function openApiDocument(routes: readonly Route[], publicUrl: string): Json {
  return {
    openapi: "3.1.1",
    info: {
      title: "Mail on behalf of users",
      version: "1.0.0",
      summary: "For web sites that send mail because a user asked them to.",
      description:
        "The user confirms his address once. From then on the site sends in his name: the mail passes SPF and DMARC, and " +
        "what cannot be delivered comes back to the user, and to the site as an event. Times are Unix seconds.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: publicUrl }],
    tags: TAGS,
    security: [{ siteKey: [] }],
    paths: pathsOf(routes, publicUrl),
    components: { securitySchemes: SECURITY, schemas: namedSchemas() },
  };
}

const TAGS = [
  { name: "Identities", description: "Users who let the site send in their name." },
  { name: "Messages", description: "Mail, and what became of it." },
  { name: "Suppressions", description: "Recipients to whom nothing is sent." },
  { name: "Events", description: "What happened: confirmations, deliveries, bounces." },
  { name: "Public", description: "For everybody, without a key." },
];

const SECURITY = {
  siteKey: {
    type: "http",
    scheme: "bearer",
    description: "A key of the site. It stands in no URL and in no browser.",
  },
};

function pathsOf(routes: readonly Route[], publicUrl: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operation(route, publicUrl) });
  }
  return paths;
}

function operation(route: Route, publicUrl: string): Json {
  const { operationId, tag, summary, description } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(route.access === "site" ? request(route) : { security: [] }),
    responses: { ...answers(route), ...problems(route, publicUrl) },
  };
}

// --- requests ----------------------------------------------------------------------------------------------------------------

function request(route: SiteRoute): Json {
  const { body, examples } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  const content = body && { "application/json": { schema: reference(body, "input"), examples } };
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(content ? { requestBody: { required: true, content } } : {}),
  };
}

/** What stands for `{name}`. */
export const PATH_PARTS: Readonly<
  Record<string, { readonly description: string; readonly example: string }>
> = {
  identity: { description: "Its id, or the address, with % escapes.", example: "bob@example.org" },
  message: { description: "Its id.", example: "msg_Zk81vQ" },
  address: { description: "The recipient's address, with % escapes.", example: "carol@example.net" },
};

function pathParameters({ path }: SiteRoute): readonly Json[] {
  const name = /\{(\w+)\}/.exec(path)?.[1];
  if (name === undefined) return [];
  return [{ name, in: "path", required: true, schema: { type: "string" }, ...PATH_PARTS[name] }];
}

function queryParameters({ query }: SiteRoute): readonly Json[] {
  const { properties = {} } = schemaOf(query, "output") as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    description,
    schema,
  }));
}

function headerParameters({ idempotent }: SiteRoute): readonly Json[] {
  if (!idempotent) return [];
  return [
    {
      name: "Idempotency-Key",
      in: "header",
      description: "Yours, 1 to 256 printable characters, kept for 24 hours.",
      schema: { type: "string", minLength: 1, maxLength: 256 },
      example: "0b7c4e0e-8a39-4c4e-9f0b-6d1b3f0a2c11",
    },
  ];
}

// --- answers -----------------------------------------------------------------------------------------------------------------

function answers({ answers }: Route): Json {
  return Object.fromEntries(answers.map((answer) => [String(answer.status), described(answer)]));
}

function described({ description, schema, headers, examples }: DescribedAnswer): Json {
  const type = schema ? reference(schema, "output") : { type: "object" };
  const values = Object.entries(examples ?? {}).map(([name, value]) => [name, { value }]);
  const named = values.length > 0 ? { examples: Object.fromEntries(values) } : {};
  return {
    description,
    ...(headers ? { headers: headerFields(headers) } : {}),
    ...(examples ? { content: { "application/json": { schema: type, ...named } } } : {}),
  };
}

function headerFields(headers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
  );
}

/** By status, each with an example of every problem that has it. */
function problems(route: Route, publicUrl: string): Json {
  const byStatus: Record<string, ProblemType[]> = {};
  for (const type of problemsOf(route)) {
    const status = String(PROBLEMS[type].status);
    byStatus[status] = [...(byStatus[status] ?? []), type];
  }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, types]) => [
      status,
      {
        description: types.map((type) => `${PROBLEMS[type].title} (\`${type}\`).`).join(" "),
        ...(["429", "503"].includes(status) ? { headers: headerFields(RETRY_AFTER) } : {}),
        content: {
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
            examples: Object.fromEntries(
              types.map((type) => [
                type,
                { value: problemBody({ type, ...PROBLEM_WORDS[type].example }, publicUrl) },
              ]),
            ),
          },
        },
      },
    ]),
  );
}

const RETRY_AFTER = { "Retry-After": "Seconds until it is worth another try." };

/** What may be answered in place of what was asked for. */
export function problemsOf(route: Route): readonly ProblemType[] {
  if (route.access === "open") return ["malformed-request"];
  const ofBodies: readonly ProblemType[] = route.body ? ["too-large", "unsupported-media-type"] : [];
  return [
    "malformed-request",
    "unauthorized",
    "invalid-field",
    ...route.problems,
    ...ofBodies,
    "unavailable",
  ];
}

// --- schemas -----------------------------------------------------------------------------------------------------------------

const names = new Map<z.ZodType, string>(Object.entries(NAMED).map(([name, schema]) => [schema, name]));

function reference(schema: z.ZodType, io: "input" | "output"): Json {
  const name = names.get(schema);
  return name === undefined ? schemaOf(schema, io) : { $ref: `#/components/schemas/${name}` };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io });
  return json;
}

/** Requests as they come in, where defaults may be missing. */
function namedSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(NAMED)) registry.add(schema, { id: name });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input",
    uri: (name) => `#/components/schemas/${name}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
