// Moments that a site states, and whether they are good for a confirmation. Called by stated-identity.ts.
import { notConfirmed, type Stopped, stopped } from "./plugin-problem.ts";

/** Addresses change hands. As the service's identities. */
export const IDENTITY_SECONDS = 180 * 86_400;
/** A database on another machine may be ahead of us. */
const CLOCK_DIFFERENCE = 300;
/** RFC 3339, or the date alone. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2}))?$/;
/** In the year 5138; as milliseconds, in 1973. */
const MAX_SECONDS = 100_000_000_000;

const HINT = "give a Date, text as 2026-05-01T12:00:00Z, or Unix seconds (not milliseconds)";

/** Undefined where it was long enough ago, and not too long. */
export function checkConfirmed(
  { confirmedAt, lastUsedAt }: { readonly confirmedAt: unknown; readonly lastUsedAt: unknown },
  now: number,
): Stopped | undefined {
  if (confirmedAt === undefined || confirmedAt === null) {
    return notConfirmed("onBehalfOf.confirmedAt is empty", "onBehalfOf.confirmedAt");
  }
  const confirmed = readMoment(confirmedAt, "onBehalfOf.confirmedAt", now);
  if (typeof confirmed !== "number") return confirmed;
  const used =
    lastUsedAt === undefined || lastUsedAt === null
      ? 0
      : readMoment(lastUsedAt, "onBehalfOf.lastUsedAt", now);
  if (typeof used !== "number") return used;
  if (now - Math.max(confirmed, used) < IDENTITY_SECONDS) return undefined;
  return stopped(
    "identity-not-confirmed",
    "the user confirmed the address, or used it, 180 days ago or earlier",
    {
      field: "onBehalfOf.confirmedAt",
      hint: "let him confirm it again: addresses change hands",
    },
  );
}

/** Undefined where the end of an identity is ahead, and no further than a service sets it. */
export function checkExpires(value: unknown, now: number): Stopped | undefined {
  const field = "onBehalfOf.expires";
  const expires = secondsOf(value);
  if (expires === undefined) return unfit(field, "is no moment");
  // Milliseconds would never come to an end.
  if (expires > now + IDENTITY_SECONDS + CLOCK_DIFFERENCE) return unfit(field, "is more than 180 days ahead");
  return expires > now ? undefined : notConfirmed("the confirmation is over", field);
}

/** Unix seconds. */
function readMoment(value: unknown, field: string, now: number): number | Stopped {
  const seconds = secondsOf(value);
  if (seconds === undefined) return unfit(field, "is no moment");
  return seconds <= now + CLOCK_DIFFERENCE ? seconds : unfit(field, "is in the future");
}

function unfit(field: string, why: string): Stopped {
  return stopped("invalid-field", `${field} ${why}`, { field, hint: HINT });
}

function secondsOf(value: unknown): number | undefined {
  if (typeof value === "number") return value >= 0 && value <= MAX_SECONDS ? value : futureOrNone(value);
  const milliseconds =
    value instanceof Date
      ? value.getTime()
      : typeof value === "string" && ISO.test(value)
        ? Date.parse(value)
        : Number.NaN;
  return Number.isFinite(milliseconds) ? milliseconds / 1000 : undefined;
}

/** Milliseconds are a moment far ahead: said so, with the hint. */
function futureOrNone(value: number): number | undefined {
  return value > MAX_SECONDS ? value : undefined;
}
