// Requests that the HTTP API refused, for the log: one a second of each kind, since a site that is over a limit may ask a thousand
// times a second. Called by http-listener.ts.
import type { AppOptions } from "@homing/http";

type Refusal = Parameters<NonNullable<AppOptions["refused"]>>[0];

/** Between two lines with the same problem of the same site: kinds are as few as these are. */
const QUIET_MS = 1000;

interface Kind {
  readonly loggedAt: number;
  readonly leftOut: number;
}

/** @param now milliseconds, of a clock that may be set */
export function createRefusalLog(
  log: (event: object) => void,
  now: () => number,
): (refusal: Refusal) => void {
  const kinds = new Map<string, Kind>();
  return (refusal) => {
    const name = `${refusal.problem} ${refusal.site ?? ""}`;
    const { loggedAt, leftOut } = kinds.get(name) ?? { loggedAt: -Infinity, leftOut: 0 };
    if (Math.abs(now() - loggedAt) < QUIET_MS) {
      kinds.set(name, { loggedAt, leftOut: leftOut + 1 });
      return;
    }
    kinds.set(name, { loggedAt: now(), leftOut: 0 });
    log({ event: "http-refused", ...refusal, ...(leftOut > 0 ? { leftOut } : {}) });
  };
}
