// All routes of the API, and which of them a path means. Called by api.ts and openapi.ts.
import { openApiDocument } from "./openapi.ts";
import { openRoute, type Route } from "./route.ts";
import { EVENT_ROUTES } from "./routes/events.ts";
import { IDENTITY_ROUTES } from "./routes/identities.ts";
import { MESSAGE_ROUTES } from "./routes/messages.ts";
import { PUBLIC_KEYS } from "./routes/public.ts";
import { SUPPRESSION_ROUTES } from "./routes/suppressions.ts";

const DOCUMENT = openRoute({
  method: "GET",
  path: "/v1/openapi.json",
  operationId: "getDocument",
  tag: "Public",
  summary: "This document",
  answers: [{ status: 200, description: "OpenAPI 3.1.", examples: {} }],
  give: (_, publicUrl) => openApiDocument(ROUTES, publicUrl),
});

export const ROUTES: readonly Route[] = [
  ...IDENTITY_ROUTES,
  ...MESSAGE_ROUTES,
  ...SUPPRESSION_ROUTES,
  ...EVENT_ROUTES,
  PUBLIC_KEYS,
  DOCUMENT,
];

export interface Match {
  /** One for each method. */
  readonly routes: readonly Route[];
  /** What stands for `{name}`, as it was written. */
  readonly part: string;
}

/** Undefined where no route has this path. At most one part of a path varies, and it is the last. */
export function matchPath(pathname: string): Match | undefined {
  const slash = pathname.lastIndexOf("/") + 1;
  const part = pathname.slice(slash);
  const exact = ROUTES.filter(({ path }) => path === pathname);
  if (exact.length > 0) return { routes: exact, part: "" };
  if (part === "") return undefined;
  const routes = ROUTES.filter(({ path }) => {
    const brace = path.indexOf("{");
    return brace === slash && path.slice(0, brace) === pathname.slice(0, slash);
  });
  return routes.length > 0 ? { routes, part } : undefined;
}
