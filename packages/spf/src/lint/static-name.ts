// The name that a term asks for, as far as it is known without a message: `%{d}` and `%{o}` are, `%{i}` is not. Called by
// walk-record.ts.
import { expandDomain } from "../expand-macros.ts";
import type { MacroString } from "../record.ts";

export type StaticName =
  | { readonly kind: "name"; readonly name: string }
  /** Each message has its own. */
  | { readonly kind: "varies"; readonly macro: string };

/** @param domain whose record it is; @param sender the domain that is linted: an include has another */
export function staticName(target: MacroString, domain: string, sender: string): StaticName {
  for (const part of target.parts) {
    if (typeof part === "string" || part.letter === "d" || part.letter === "o") continue;
    return { kind: "varies", macro: `%{${part.letter}}` };
  }
  return { kind: "name", name: expandDomain(target, (letter) => (letter === "d" ? domain : sender)) };
}
