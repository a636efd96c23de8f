// The API for web sites, from a Request to a Response: which route, whose key, what body. What is done then is in routes/.
// Called by app.ts. No CORS: a site key belongs on a server, and never into a browser.
import { PROBLEMS, type Refused, refused, type Site } from "@homing/on-behalf";
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

/** @param client its IP address, where it is known */
export type Api = (request: Request, client: string | undefined) => Promise<Response>;

/** For the log. */
export interface ApiRefusal {
  /** Whose key came. */
  readonly site?: string;
  /** Last part of its `type`. */
  readonly problem: string;
  readonly status: number;
  /** IP address; "" where the connection had ended already. */
  readonly client: string;
}

export interface ApiOptions {
  readonly onBehalf: ServedOnBehalf;
  readonly publicUrl: string;
  readonly failed: (error: unknown) => void;
  readonly refused?: ((refusal: ApiRefusal) => void) | undefined;
}

export function createApi(options: ApiOptions): Api {
  const { publicUrl, failed } = options;
  return async (request, client = "") => {
    try {
      const answered = await answer(request, options);
      if (answered instanceof Response) return answered;
      const { problem, headers, site } = answered;
      const { status } = PROBLEMS[problem.type];
      options.refused?.({ ...(site === undefined ? {} : { site }), problem: problem.type, status, client });
      const close = hasBody(request) && !request.bodyUsed ? CLOSE : {};
      return json(status, problemBody(problem, publicUrl), {
        ...problemHeaders(problem),
        ...close,
        ...headers,
      });
    } catch (error) {
      failed(error);
      return bug();
    }
  };
}

/** A refusal, and what HTTP adds to it. */
interface Refusal extends Refused {
  readonly headers?: Readonly<Record<string, string>>;
  readonly site?: string;
}

async function answer(request: Request, { onBehalf, publicUrl }: ApiOptions): Promise<Response | Refusal> {
  if (request.url.length > MAX_URL) return URL_TOO_LONG;
  const url = new URL(request.url);
  const match = matchPath(url.pathname);
  if (!match) return NO_PATH;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = match.routes.find((one) => one.method === method);
  if (!route) {
    const allow = { Allow: allowed(match.routes) };
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { ...HEADERS, ...allow } });
    return { ...notAllowed(allow.Allow), headers: allow };
  }
  if (route.access === "open") return json(200, route.give(onBehalf, publicUrl));
  const done = await runForSite(request, { service: onBehalf, route, url, part: match.part });
  if (!done.ok) return done;
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

/** The key first: nobody else has his body read, and kept in memory. */
async function runForSite(request: Request, call: ForSite): Promise<Done | Refusal> {
  const { service, url } = call;
  const authorized = authorize(request.headers, url.searchParams, service.sites);
  if (!authorized.ok) return authorized;
  const { site } = authorized;
  const done = await runAuthorized(request, call, site);
  return done.ok ? done : { ...done, site: site.name };
}

async function runAuthorized(request: Request, call: ForSite, site: Site): Promise<Done | Refusal> {
  const { service, route, url } = call;
  const part = decoded(call.part);
  if (part === undefined) return BAD_ESCAPES;
  const query = queryOf(url.searchParams);
  if (!query.ok) return query;
  const body = route.body ? await readRequest(request) : NO_BODY;
  if (!body.ok) return body;
  const idempotencyKey = request.headers.get("idempotency-key") ?? undefined;
  return route.run({
    service,
    site,
    part,
    query: query.value,
    body: body.value,
    idempotencyKey,
  });
}

type ReadRequest = { readonly ok: true; readonly value: unknown } | Refusal;

async function readRequest(request: Request): Promise<ReadRequest> {
  const { headers } = request;
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") return ENCODED;
  if (!isJson(headers.get("content-type") ?? "")) return NO_JSON;
  const body = await readBody(request, { octets: MAX_BODY_OCTETS });
  if (body.kind === "too-large") return TOO_LARGE;
  if (body.kind === "broken-off") return BROKEN_OFF;
  const read = readJson(body.octets);
  if (read.ok) return read;
  const { detail, ...more } = read.fault;
  return refused("malformed-request", detail, more);
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
    return refused("malformed-request", "A parameter stands twice in the URL", {
      field: twice.slice(0, 64),
      hint: "give it once",
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

function notAllowed(allow: string): Refused {
  return refused("method-not-allowed", "This path does not take this method", { hint: `it takes ${allow}` });
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
    detail: "Something went wrong here: the postmaster can find it in the log",
  };
  return json(500, body, { "Content-Type": "application/problem+json", ...CLOSE });
}

/** What is not read of a body is not waited for. */
const CLOSE = { Connection: "close" };
const NO_BODY: ReadRequest = { ok: true, value: undefined };
const URL_TOO_LONG = refused("malformed-request", "The URL has more than 2,048 characters", {
  hint: "only an id or an address varies in a path, and limit and after behind it",
});
const NO_PATH = refused("not-found", "The API has no such path", { hint: "they are in /v1/openapi.json" });
const BAD_ESCAPES = refused("malformed-request", "The path has wrong % escapes", {
  hint: "have a library escape what varies in it, such as encodeURIComponent",
});
const BROKEN_OFF = refused("malformed-request", "The body broke off", {
  hint: "send it again, all of it: as long as Content-Length says, within 10 seconds",
});
const TOO_LARGE: Refusal = {
  ...refused("too-large", "The body has more than 512 KiB", { hint: "send less, and a link to the rest" }),
  headers: CLOSE,
};
const NO_JSON = refused("unsupported-media-type", "The body is not declared as JSON in UTF-8", {
  field: "Content-Type",
  hint: "send the field Content-Type: application/json",
});
/** A kilobyte can unfold into a gigabyte. RFC 9110 §15.5.16 names the field of the answer. */
const ENCODED: Refusal = {
  ...refused("unsupported-media-type", "The body is compressed", {
    field: "Content-Encoding",
    hint: "send it as it is",
  }),
  headers: { "Accept-Encoding": "identity" },
};
