// The API for web sites, from a Request to a Response: which route, whose key, what body. What is done then is in routes/.
// Called by app.ts. No CORS: a site key belongs on a server, and never into a browser.
import { PROBLEMS, type Problem, type ProblemType, type Refused, refused } from "@homing/on-behalf";
import type { ServedOnBehalf } from "../app.ts";
import { COMMON_HEADERS } from "../headers.ts";
import { hasBody, readBody } from "../read-body.ts";
import { authorize } from "./authorize.ts";
import { problemBody, problemHeaders } from "./problem-answer.ts";
import { readJson } from "./read-json.ts";
import type { Done, Route, SiteRoute } from "./route.ts";
import { matchPath } from "./routes.ts";

/** Text and HTML of a message at their longest, with room for what JSON escapes. */
export const MAX_BODY_OCTETS = 512 * 1024;
const MAX_URL = 2048;

const HEADERS: Readonly<Record<string, string>> = {
  ...COMMON_HEADERS,
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

export type Api = (request: Request) => Promise<Response>;

export interface ApiOptions {
  readonly onBehalf: ServedOnBehalf;
  readonly publicUrl: string;
  readonly failed: (error: unknown) => void;
}

export function createApi(options: ApiOptions): Api {
  return async (request) => {
    try {
      return await answer(request, options);
    } catch (error) {
      options.failed(error);
      return bug();
    }
  };
}

async function answer(request: Request, { onBehalf, publicUrl }: ApiOptions): Promise<Response> {
  const refuse = (problem: Problem, headers: Readonly<Record<string, string>> = {}): Response => {
    const close: Record<string, string> = hasBody(request) && !request.bodyUsed ? CLOSE : {};
    return json(PROBLEMS[problem.type].status, problemBody(problem, publicUrl), {
      ...problemHeaders(problem),
      ...close,
      ...headers,
    });
  };
  if (request.url.length > MAX_URL) return refuse(URL_TOO_LONG);
  const url = new URL(request.url);
  const match = matchPath(url.pathname);
  if (!match) return refuse(NO_PATH);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = match.routes.find((one) => one.method === method);
  if (!route) {
    const allow = { Allow: allowed(match.routes) };
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { ...HEADERS, ...allow } });
    return refuse(notAllowed(allow.Allow), allow);
  }
  if (route.access === "open") return json(200, route.give(onBehalf, publicUrl));
  const done = await runForSite(request, { service: onBehalf, route, url, part: match.part });
  if (!done.ok) return refuse(done.problem, "headers" in done ? done.headers : {});
  return done.status === 204
    ? new Response(null, { status: 204, headers: HEADERS })
    : json(done.status, done.body, done.headers);
}

interface ForSite {
  readonly service: ServedOnBehalf;
  readonly route: SiteRoute;
  readonly url: URL;
  readonly part: string;
}

type RefusedWithHeaders = Refused & { readonly headers?: Readonly<Record<string, string>> };

/** The key first: nobody else has his body read, and kept in memory. */
async function runForSite(request: Request, call: ForSite): Promise<Done | RefusedWithHeaders> {
  const { service, route, url } = call;
  const authorized = authorize(request.headers, url.searchParams, service.sites);
  if (!authorized.ok) return authorized;
  const part = decoded(call.part);
  if (part === undefined) return refused("malformed-request", "The path has wrong % escapes.");
  const query = queryOf(url.searchParams);
  if (!query.ok) return query;
  const body = route.body ? await readRequest(request) : NO_BODY;
  if (!body.ok) return body;
  const idempotencyKey = request.headers.get("idempotency-key") ?? undefined;
  return route.run({
    service,
    site: authorized.site,
    part,
    query: query.value,
    body: body.value,
    idempotencyKey,
  });
}

type ReadRequest = { readonly ok: true; readonly value: unknown } | RefusedWithHeaders;

async function readRequest(request: Request): Promise<ReadRequest> {
  const { headers } = request;
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") return ENCODED;
  if (!isJson(headers.get("content-type") ?? "")) return NO_JSON;
  const body = await readBody(request, MAX_BODY_OCTETS);
  if (body.kind === "too-large") return TOO_LARGE;
  if (body.kind === "broken-off") return refused("malformed-request", "The body broke off.");
  const read = readJson(body.octets);
  if (read.ok) return read;
  return refused("malformed-request", read.detail, read.field === undefined ? {} : { field: read.field });
}

/** RFC 8259 §8.1: it is UTF-8, whether or not somebody says so. */
function isJson(type: string): boolean {
  const [name, ...parameters] = type.split(";").map((part) => part.trim().toLowerCase());
  return name === "application/json" && parameters.every((one) => /^(?:|charset="?utf-?8"?)$/.test(one));
}

function queryOf(parameters: URLSearchParams): ReadRequest {
  const names = [...parameters.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    return refused("malformed-request", "A parameter stands twice in the URL.", {
      field: twice.slice(0, 64),
    });
  return { ok: true, value: Object.fromEntries(parameters) };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function allowed(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return [...methods, "OPTIONS"].join(", ");
}

function notAllowed(allow: string): Problem {
  return {
    type: "method-not-allowed",
    detail: "This path does not take this method.",
    hint: `it takes ${allow}`,
  };
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...HEADERS, ...headers },
  });
}

/** RFC 9457 §4.2.1: no type of ours, since a site can do nothing about it but try later. */
function bug(): Response {
  const body = {
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    detail: "Something went wrong here. The postmaster can find it in the log.",
  };
  return json(500, body, { "Content-Type": "application/problem+json", ...CLOSE });
}

/** What is not read of a body is not waited for. */
const CLOSE = { Connection: "close" };
const NO_BODY: ReadRequest = { ok: true, value: undefined };
const URL_TOO_LONG = problem("malformed-request", "The URL has more than 2,048 characters.");
const NO_PATH = problem("not-found", "The API has no such path.", "they are in /v1/openapi.json");
const TOO_LARGE: RefusedWithHeaders = {
  ...refused("too-large", "The body has more than 512 KiB."),
  headers: CLOSE,
};
const NO_JSON = refused("unsupported-media-type", "The body is not declared as JSON in UTF-8.", {
  field: "Content-Type",
  hint: "send the field Content-Type: application/json",
});
/** A kilobyte can unfold into a gigabyte. RFC 9110 §15.5.16 names the field of the answer. */
const ENCODED: RefusedWithHeaders = {
  ...refused("unsupported-media-type", "The body is compressed.", {
    field: "Content-Encoding",
    hint: "send it as it is",
  }),
  headers: { "Accept-Encoding": "identity" },
};
function problem(type: ProblemType, detail: string, hint?: string): Problem {
  return { type, detail, ...(hint === undefined ? {} : { hint }) };
}
