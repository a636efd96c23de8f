// A refusal as an answer of HTTP: application/problem+json, RFC 9457. Called by api.ts and openapi.ts.
import { PROBLEMS, type Problem } from "@homing/on-behalf";

/** As it goes out. `type` leads to a page of ours that explains it. */
export function problemBody(problem: Problem, publicUrl: string) {
  const { type, detail, field, hint } = problem;
  const { status, title } = PROBLEMS[type];
  return {
    type: `${publicUrl}/problems/${type}`,
    title,
    status,
    detail,
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Where the service does not say it: a limit is a day's, storage comes back or a person sees to it. */
const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 3600, 503: 10 };

export function problemHeaders({ type, retryAfter }: Problem): Record<string, string> {
  const { status } = PROBLEMS[type];
  const wait = retryAfter ?? RETRY_AFTER[status];
  return {
    "Content-Type": "application/problem+json",
    ...(wait === undefined ? {} : { "Retry-After": String(Math.max(1, Math.ceil(wait))) }),
    // RFC 6750 §3
    ...(status === 401 ? { "WWW-Authenticate": 'Bearer realm="homing"' } : {}),
  };
}
