// `onBehalfOf` of a message, taken apart. Called by on-behalf-plugin.ts.
import { looksLikeSrs, type Mailbox } from "@homing/srs-core";
import { checkName } from "../sender/check-name.ts";
import { readPlainAddress } from "./plain-address.ts";
import { type Stopped, stopped, stoppedBy } from "./plugin-problem.ts";
import type { Statement } from "./stated-identity.ts";

/** Who is meant, and what the message itself says of him. */
export interface StatedUser {
  readonly ok: true;
  readonly name: string;
  /** Undefined where the proof alone says it. */
  readonly mailbox: Mailbox | undefined;
  readonly proof: string | undefined;
  readonly statement: Statement | undefined;
}

const HINT =
  'give "alice@example.org", { address, name, confirmedAt }, { proof, name }, or an identity as GET /v1/identities gives it';
/** That say something of the confirmation, also by being empty: so a database says that there was none. */
const STATING = ["confirmedAt", "lastUsedAt"] as const;
const IDENTITY = ["id", "site", "scope", "status", "requestedAt", "expires", "revokedAt"] as const;
const MEMBERS: readonly string[] = ["address", "name", "proof", ...STATING, ...IDENTITY];

type Members = { readonly [member: string]: unknown };

export function readUser(value: unknown): StatedUser | Stopped {
  if (typeof value === "string") {
    const read = readUserAddress(value, "onBehalfOf");
    return read.ok ? { ...read, name: "", proof: undefined, statement: undefined } : read;
  }
  if (typeof value !== "object" || value === null) {
    const hint = "leave it out where the site writes for itself, else give the user";
    return stopped("invalid-field", "onBehalfOf says nobody", { field: "onBehalfOf", hint });
  }
  const other = Object.keys(value).find((member) => !MEMBERS.includes(member));
  if (other !== undefined)
    return bad(`onBehalfOf has a member that it cannot have (${JSON.stringify(other.slice(0, 40))})`);
  return readMembers(value as Members);
}

/** A user's address, whichever way it came: one that can be written into From and into a return path. */
export function readUserAddress(
  text: unknown,
  field: string,
): { readonly ok: true; readonly mailbox: Mailbox } | Stopped {
  const read = readPlainAddress(text, field);
  if (!read.ok || !looksLikeSrs(read.mailbox.localPart)) return read;
  // It would be wrapped for whoever made it, and bounces would go there.
  return stopped("invalid-field", `${field} is a return path (SRS0, SRS1), and nobody's address`, {
    field,
    hint: "give the address that the user reads",
  });
}

function readMembers(user: Members): StatedUser | Stopped {
  const name = readName(user);
  if (!name.ok) return name;
  const proof = user.proof ?? undefined;
  if (proof !== undefined && typeof proof !== "string") return bad("onBehalfOf.proof is no text");
  const more = { name: name.name, proof, statement: statementOf(user) };
  const isLeftOut = user.address === undefined || user.address === null;
  if (proof !== undefined && isLeftOut) return { ok: true, mailbox: undefined, ...more };
  const read = readUserAddress(user.address, "onBehalfOf.address");
  return read.ok ? { ...read, ...more } : read;
}

function statementOf(user: Members): Statement | undefined {
  const has = (member: string): boolean => member in user;
  const { confirmedAt, lastUsedAt, status, scope, site, expires, revokedAt } = user;
  if (IDENTITY.some(has))
    return { confirmedAt, lastUsedAt, identity: { status, scope, site, expires, revokedAt } };
  return STATING.some(has) ? { confirmedAt, lastUsedAt, identity: undefined } : undefined;
}

function readName(value: Members): { readonly ok: true; readonly name: string } | Stopped {
  const name = value.name ?? "";
  if (typeof name !== "string") return bad("onBehalfOf.name is no text");
  const fault = checkName(name, "onBehalfOf.name");
  return fault ? stoppedBy(fault, "onBehalfOf.name") : { ok: true, name };
}

function bad(detail: string): Stopped {
  return stopped("invalid-field", detail, { field: "onBehalfOf", hint: HINT });
}
