// For whom the local delivery ran: the alias that is told to the rewriter, the Delivered-To that shows a loop, and whether there
// is one. Called by `homing pipe`. The field is no standard; qmail began it, and Postfix does the same.
import { asciiLower } from "@homing/srs-core";
import type { Conventions } from "./conventions.ts";
import type { LetterTop } from "./letter-top.ts";

/** What the delivery's environment says; `homing pipe` reads it. */
export interface LocalVariables {
  readonly RECIPIENT?: string | undefined;
  /** Postfix: as the sender wrote it, before aliases. */
  readonly ORIGINAL_RECIPIENT?: string | undefined;
  /** qmail: `Delivered-To: user@host` and a LF. qmail-local leaves it to the program to write it. */
  readonly DTLINE?: string | undefined;
}

export type LocalRecipient =
  | { readonly kind: "loop"; readonly address: string }
  | {
      readonly kind: "recipient";
      /** The address that the sender used; undefined where nobody says. */
      readonly alias?: string;
      /** To be put on top, without its line end; undefined where it stands there, or nobody is known. */
      readonly deliveredTo?: string;
    };

const FIELD = "Delivered-To: ";

export function localRecipient(
  variables: LocalVariables,
  top: Pick<LetterTop, "deliveredNow" | "deliveredBefore" | "originalTo">,
  { conventions, alias: given }: { readonly conventions: Conventions; readonly alias?: string | undefined },
): LocalRecipient {
  const own = ownAddress(variables, top, conventions);
  const alias = given ?? (conventions === "qmail" ? own : aliasOf(variables, top, own));
  const known = alias === undefined ? {} : { alias };
  if (own === undefined) return { kind: "recipient", ...known };
  // qmail-local puts nothing on top: whatever stands there is from before.
  const before =
    conventions === "qmail" ? [...top.deliveredNow, ...top.deliveredBefore] : top.deliveredBefore;
  if (before.some((address) => isSame(address, own))) return { kind: "loop", address: own };
  const isThere = conventions === "sysexits" && top.deliveredNow.some((address) => isSame(address, own));
  return { kind: "recipient", ...known, ...(isThere ? {} : { deliveredTo: FIELD + own }) };
}

function ownAddress(
  { RECIPIENT, DTLINE }: LocalVariables,
  { deliveredNow }: Pick<LetterTop, "deliveredNow">,
  conventions: Conventions,
): string | undefined {
  if (conventions === "qmail") {
    const line = oneLine(DTLINE?.trimEnd());
    return line?.startsWith(FIELD) ? line.slice(FIELD.length) : oneLine(RECIPIENT);
  }
  // procmail clears the environment; Postfix has put the field on top before.
  const named = oneLine(RECIPIENT);
  if (named === undefined) return deliveredNow[0];
  return deliveredNow.find((address) => isFilteredTo(address, named)) ?? named;
}

/**
 * The field on top is before the variable that it became. Without such a field, a `_` may stand for any character: to name no
 * alias is better than to name a neighbour's.
 */
function aliasOf(
  { RECIPIENT, ORIGINAL_RECIPIENT }: LocalVariables,
  { originalTo }: Pick<LetterTop, "originalTo">,
  own: string | undefined,
): string | undefined {
  const original = oneLine(ORIGINAL_RECIPIENT);
  const written = oneLine(originalTo);
  if (original === undefined) return RECIPIENT === undefined ? (written ?? own) : own;
  if (written !== undefined && isFilteredTo(written, original)) return written;
  if (own !== undefined && isFilteredTo(own, original)) return own;
  return original.includes("_") ? undefined : original;
}

/** Postfix's command_expansion_filter, by default: of each other octet it makes `_`. */
function isFilteredTo(address: string, variable: string): boolean {
  const octets = Buffer.from(address).toString("latin1");
  return isSame(octets.replace(/[^\w!@%=+:,./-]/g, "_"), variable);
}

/** It becomes a header field, and a word of a request. */
function oneLine(text: string | undefined): string | undefined {
  return text === undefined || text === "" || /\p{Cc}/u.test(text) ? undefined : text;
}

function isSame(one: string, other: string): boolean {
  return asciiLower(one.trim()) === asciiLower(other);
}
