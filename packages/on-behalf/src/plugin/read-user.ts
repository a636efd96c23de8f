// `onBehalfOf` of a message, taken apart. Called by on-behalf-plugin.ts.
import { looksLikeSrs, type Mailbox } from "@homing/srs-core";
import { checkName } from "../sender/check-name.ts";
import { readPlainAddress } from "./plain-address.ts";
import { type Stopped, stopped, stoppedBy } from "./plugin-problem.ts";

/** Who is meant, and what the message itself says of him. */
export type StatedUser = { readonly ok: true; readonly name: string } & (
  | { readonly kind: "address"; readonly mailbox: Mailbox }
  /** The site says when it saw that the address is his. */
  | {
      readonly kind: "stated";
      readonly mailbox: Mailbox;
      readonly confirmedAt: unknown;
      readonly lastUsedAt: unknown;
    }
  | { readonly kind: "proof"; readonly proof: string }
);

const HINT = 'give "alice@example.org", { address, name }, { address, name, confirmedAt } or { proof, name }';
const MEMBERS = ["address", "name", "confirmedAt", "lastUsedAt", "proof"];

export function readUser(value: unknown): StatedUser | Stopped {
  if (typeof value === "string") return readAddressed({ address: value });
  if (typeof value !== "object" || value === null) {
    const hint = "leave it out where the site writes for itself, else give the user";
    return stopped("invalid-field", "onBehalfOf says nobody", { field: "onBehalfOf", hint });
  }
  const other = Object.keys(value).find((member) => !MEMBERS.includes(member));
  if (other !== undefined)
    return bad(`onBehalfOf has a member that it cannot have (${JSON.stringify(other.slice(0, 40))})`);
  return "proof" in value && value.proof !== undefined ? readProven(value) : readAddressed(value);
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

function readAddressed(value: object): StatedUser | Stopped {
  const { address, lastUsedAt } = value as { readonly address?: unknown; readonly lastUsedAt?: unknown };
  const name = readName(value);
  if (!name.ok) return name;
  const read = readUserAddress(address, typeof address === "string" ? "onBehalfOf" : "onBehalfOf.address");
  if (!read.ok) return read;
  const user = { ok: true, name: name.name, mailbox: read.mailbox } as const;
  // Also null: so a database says that he has not confirmed.
  if (!("confirmedAt" in value)) return { ...user, kind: "address" };
  return { ...user, kind: "stated", confirmedAt: value.confirmedAt, lastUsedAt };
}

function readProven(value: { readonly proof?: unknown; readonly name?: unknown }): StatedUser | Stopped {
  if (typeof value.proof !== "string") return bad("onBehalfOf.proof is no text");
  if ("address" in value || "confirmedAt" in value || "lastUsedAt" in value) {
    return bad("onBehalfOf has a proof, which says whose address it is and when, and says it itself, too");
  }
  const name = readName(value);
  return name.ok ? { ok: true, kind: "proof", name: name.name, proof: value.proof } : name;
}

function readName(value: {
  readonly name?: unknown;
}): { readonly ok: true; readonly name: string } | Stopped {
  const name = value.name ?? "";
  if (typeof name !== "string") return bad("onBehalfOf.name is no text");
  const fault = checkName(name, "onBehalfOf.name");
  return fault ? stoppedBy(fault, "onBehalfOf.name") : { ok: true, name };
}

function bad(detail: string): Stopped {
  return stopped("invalid-field", detail, { field: "onBehalfOf", hint: HINT });
}
