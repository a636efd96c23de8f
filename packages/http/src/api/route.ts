// What a route of the API is: requests are answered, and the OpenAPI document is made, from the same table. The routes are in
// routes/; called by api.ts and openapi.ts.
import type { ProblemType, Refused, Site } from "@homing/on-behalf";
import type { z } from "zod";
import type { ServedOnBehalf } from "../app.ts";
import { check } from "./check.ts";
import { BODY_NAMES } from "./schemas.ts";

export type Method = "GET" | "POST" | "DELETE";

interface Described {
  readonly method: Method;
  /** With `{name}` for a part that varies. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: "Identities" | "Messages" | "Suppressions" | "Events" | "Public";
  readonly summary: string;
  readonly description?: string;
  readonly answers: readonly DescribedAnswer[];
}

export interface DescribedAnswer {
  readonly status: 200 | 202 | 204;
  readonly description: string;
  /** A name in schemas.ts, or undefined: no body. */
  readonly schema?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
  /** By the name of the request's example, or `answer`. */
  readonly examples?: Readonly<Record<string, unknown>>;
}

/** Needs a site key. */
export interface SiteRoute extends Described {
  readonly access: "site";
  readonly query: z.ZodType;
  readonly body?: z.ZodType;
  /** Of bodies, by name. */
  readonly examples: Readonly<Record<string, RequestExample>>;
  readonly idempotent: boolean;
  /** What only this route refuses, beside what api.ts does. */
  readonly problems: readonly ProblemType[];
  readonly run: (request: SiteRequest) => Promise<Answer>;
}

export interface RequestExample {
  readonly summary: string;
  readonly value: unknown;
}

/** For everybody: nothing in it is secret. */
export interface OpenRoute extends Described {
  readonly access: "open";
  readonly give: (service: ServedOnBehalf, publicUrl: string) => unknown;
}

export type Route = SiteRoute | OpenRoute;

/** Before query and body are looked at. */
export interface SiteRequest {
  readonly service: ServedOnBehalf;
  readonly site: Site;
  /** Of the path, decoded. */
  readonly part: string;
  readonly query: unknown;
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
}

export interface Checked<Query, Body> extends SiteRequest {
  readonly query: Query;
  readonly body: Body;
}

export interface Done {
  readonly ok: true;
  readonly status: 200 | 202 | 204;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer = Done | Refused;

interface SiteRouteOptions<Query, Body>
  extends Omit<SiteRoute, "access" | "run" | "examples" | "idempotent"> {
  readonly query: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly examples?: SiteRoute["examples"];
  readonly idempotent?: boolean;
  readonly handle: (request: Checked<Query, Body>) => Promise<Answer>;
}

export function siteRoute<Query, Body = undefined>(options: SiteRouteOptions<Query, Body>): SiteRoute {
  const { handle, ...route } = options;
  const run = async (request: SiteRequest): Promise<Answer> => {
    const query = check(options.query, request.query, "parameter of this path");
    if (!query.ok) return query;
    if (!options.body) return handle({ ...request, query: query.value, body: undefined as Body });
    const body = check(
      options.body,
      request.body,
      `member of ${BODY_NAMES.get(options.body) ?? "this body"}`,
    );
    return body.ok ? handle({ ...request, query: query.value, body: body.value }) : body;
  };
  return { examples: {}, idempotent: false, ...route, access: "site", run };
}

export function openRoute(options: Omit<OpenRoute, "access">): OpenRoute {
  return { ...options, access: "open" };
}
