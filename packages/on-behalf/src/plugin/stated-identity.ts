// What a message says itself of the user's confirmation: a moment that the site noted, or the identity as the service gave it.
// Checked without asking anybody. Called by confirm-user.ts. docs/http-api.md describes identities.
import { checkConfirmed, checkExpires } from "./moment.ts";
import { notConfirmed, type Stopped, stopped } from "./plugin-problem.ts";

export interface Statement {
  readonly confirmedAt: unknown;
  readonly lastUsedAt: unknown;
  /** Undefined where the message has nothing of an identity. */
  readonly identity: StatedIdentity | undefined;
}

/** As a site stores it: members may be null, as columns are. */
export interface StatedIdentity {
  readonly status: unknown;
  readonly scope: unknown;
  readonly site: unknown;
  readonly expires: unknown;
  readonly revokedAt: unknown;
}

const WHY_NOT = new Map<unknown, string>([
  ["pending", "he has not pressed the button in the mail yet"],
  ["revoked", "the confirmation was taken back"],
  ["expired", "the confirmation is over"],
]);

/** @param siteName at the service; undefined where the options do not say */
export function checkStatement(
  { identity, ...moments }: Statement,
  siteName: string | undefined,
  now: number,
): Stopped | undefined {
  return (identity && checkIdentity(identity, siteName, now)) ?? checkConfirmed(moments, now);
}

/** Whoever gives a part of an identity gives all that decides: a column that was left out may have said no. */
function checkIdentity(
  { status, scope, site, expires, revokedAt }: StatedIdentity,
  siteName: string | undefined,
  now: number,
): Stopped | undefined {
  const why = WHY_NOT.get(status) ?? (isGiven(revokedAt) ? WHY_NOT.get("revoked") : undefined);
  if (why !== undefined) return notConfirmed(why, "onBehalfOf.status");
  if (status !== "confirmed") return unfit("status", "is none of pending, confirmed, revoked and expired");
  if (scope === "visitor") return visitor("onBehalfOf.scope");
  if (scope !== "user") return unfit("scope", "is none of user and visitor");
  if (isGiven(site) && typeof site !== "string") return unfit("site", "is no text");
  if (siteName !== undefined && site !== siteName) return ofOtherSite();
  return checkExpires(expires, now);
}

export function visitor(field: string): Stopped {
  return stopped("visitor-rules", "the user is a visitor, who may only send short notes", {
    field,
    hint: "send it with POST /v1/messages of the Homing service, which keeps to the rules of visitors",
  });
}

export function ofOtherSite(): Stopped {
  return notConfirmed("the identity is not one of this site", "onBehalfOf.site");
}

function unfit(member: string, why: string): Stopped {
  const field = `onBehalfOf.${member}`;
  const hint = "give the identity whole, as GET /v1/identities gives it";
  return stopped("invalid-field", `${field} ${why}`, { field, hint });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
