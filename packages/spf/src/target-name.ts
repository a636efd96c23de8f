// The name that a term is about: its domain-spec with the macros filled in (RFC 7208 §4.8, §7). Called by the matchers,
// evaluate.ts and explanation.ts.
import type { Check } from "./check.ts";
import { expandDomain, type MacroValue, usesMacro } from "./expand-macros.ts";
import { isDnsName } from "./identity.ts";
import { dotted, readable } from "./ip.ts";
import type { MacroString } from "./record.ts";
import { validatedName } from "./validated-names.ts";

/** RFC 8616 §4: such a local part is no label, so a term with it matches nothing. */
export function isUnmatchable(check: Check, target: MacroString): boolean {
  return /[^\x20-\x7e]/.test(check.local) && usesMacro(target, "sl");
}

/** `undefined`: no name that DNS could know. @param domain the one whose record is evaluated */
export function targetName(
  check: Check,
  domain: string,
  target: MacroString | undefined,
): string | undefined | Promise<string | undefined> {
  if (target === undefined) return domain;
  if (isUnmatchable(check, target)) return undefined;
  if (!usesMacro(target, "p")) return asked(expandDomain(target, macroValues(check, domain, "")));
  return validatedName(check, domain).then((p) => asked(expandDomain(target, macroValues(check, domain, p))));
}

/** @param validated for `%{p}` */
export function macroValues(check: Check, domain: string, validated: string): MacroValue {
  return (letter) => {
    switch (letter) {
      case "s":
        return `${check.local}@${check.identity.domain}`;
      case "l":
        return check.local;
      case "o":
        return check.identity.domain;
      case "d":
        return domain;
      case "i":
        return dotted(check.client);
      case "p":
        return validated;
      case "h":
        return check.helo;
      case "v":
        return check.client.length === 4 ? "in-addr" : "ip6";
      case "c":
        return readable(check.client);
      case "r":
        return check.options.receiver ?? "unknown";
      case "t":
        return String(Math.floor(check.options.now()));
    }
  };
}

function asked(name: string): string | undefined {
  return isDnsName(name) ? name : undefined;
}
