// The domain's own words for a fail (RFC 7208 §6.2). Whatever goes wrong on the way, there is none: it never changes the
// result, and is not counted. Called by check-host.ts.
import { ask, type Check } from "./check.ts";
import { expandText, usesMacro } from "./expand-macros.ts";
import { parseMacroString } from "./macro-string.ts";
import { printable } from "./printable.ts";
import type { Modifier } from "./record.ts";
import { macroValues, targetName } from "./target-name.ts";
import { validatedName } from "./validated-names.ts";

/** It becomes a part of a reply line, whose limit is 512 octets (RFC 5321 §4.5.3.1.5). */
const MAX_EXPLANATION = 250;

/** @param domain the one whose record has the `exp=` */
export async function explanation(check: Check, domain: string, exp: Modifier): Promise<string | undefined> {
  const name = await targetName(check, domain, exp.value);
  if (name === undefined) return undefined;
  const answer = await ask(check, "txt", name);
  const [text, another] = answer.kind === "records" ? answer.records : [];
  if (text === undefined || another !== undefined) return undefined;
  const parsed = parseMacroString(text, "explanation");
  if (parsed.kind === "wrong") return undefined;
  const validated = usesMacro(parsed.value, "p") ? await validatedName(check, domain) : "";
  const expanded = expandText(parsed.value, macroValues(check, domain, validated), MAX_EXPLANATION);
  return printable(expanded, MAX_EXPLANATION);
}
