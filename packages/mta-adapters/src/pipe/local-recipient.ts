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
  top: Pick<LetterTop, "deliveredNow" | "deliveredBefore">,
  { conventions, alias: given }: { readonly conventions: Conventions; readonly alias?: string | undefined },
): LocalRecipient {
  const own = ownAddress(variables, top, conventions);
  const alias = given ?? oneLine(variables.ORIGINAL_RECIPIENT) ?? oneLine(variables.RECIPIENT) ?? own;
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
  return oneLine(RECIPIENT) ?? deliveredNow[0];
}

/** It becomes a header field, and a word of a request. */
function oneLine(text: string | undefined): string | undefined {
  return text === undefined || text === "" || /\p{Cc}/u.test(text) ? undefined : text;
}

function isSame(one: string, other: string): boolean {
  return asciiLower(one.trim()) === asciiLower(other);
}
