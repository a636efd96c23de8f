// Mechanisms that ask DNS for addresses and names: a, mx, ptr, exists (RFC 7208 §5.3 to §5.5, §5.7). Called by
// evaluate.ts.
import { ask, type Check, countTerm, countVoid, permerror, type Trouble, temperror } from "./check.ts";
import { isDnsName } from "./identity.ts";
import { parseAddress, samePrefix } from "./ip.ts";
import { printable } from "./printable.ts";
import type { Mechanism } from "./record.ts";
import { targetName } from "./target-name.ts";
import { hasNameIn, ptrAnswer } from "./validated-names.ts";

/** With the name that was asked for. */
const MAX_CAUSE = 160;

export type AskingMechanism = Extract<Mechanism, { readonly name: "a" | "mx" | "ptr" | "exists" }>;

/** @param domain the one whose record is evaluated */
export async function matches(
  check: Check,
  domain: string,
  mechanism: AskingMechanism,
): Promise<boolean | Trouble> {
  const excess = countTerm(check);
  if (excess !== undefined) return excess;
  const name = await targetName(check, domain, mechanism.target);
  if (name === undefined) return false;
  switch (mechanism.name) {
    case "a":
      return hasAddress(check, name, prefixLength(check, mechanism));
    case "mx":
      return hasMailHost(check, name, prefixLength(check, mechanism));
    case "ptr":
      return countVoid(check, await ptrAnswer(check)) ?? hasNameIn(check, name);
    case "exists":
      return exists(check, name);
  }
}

export function prefixLength(
  check: Check,
  { length4, length6 }: { readonly length4: number; readonly length6: number },
): number {
  return check.client.length === 4 ? length4 : length6;
}

async function hasAddress(check: Check, name: string, length: number): Promise<boolean | Trouble> {
  const kind = check.client.length === 4 ? "a" : "aaaa";
  const answer = await ask(check, kind, name);
  if (answer.kind === "failed") return failed(kind, name, answer.cause);
  const excess = countVoid(check, answer);
  if (excess !== undefined) return excess;
  if (answer.kind === "no-such-name") return false;
  return answer.records.some((text) => {
    const octets = parseAddress(text);
    return octets?.length === check.client.length && samePrefix(octets, check.client, length);
  });
}

async function hasMailHost(check: Check, name: string, length: number): Promise<boolean | Trouble> {
  const answer = await ask(check, "mx", name);
  if (answer.kind === "failed") return failed("mx", name, answer.cause);
  const excess = countVoid(check, answer);
  if (excess !== undefined) return excess;
  if (answer.kind === "no-such-name") return false;
  const { mxHosts } = check.limits;
  if (answer.records.length > mxHosts)
    return permerror(`more than ${mxHosts} MX hosts of ${printable(name)}`);
  for (const { exchange } of [...answer.records].sort((one, other) => one.priority - other.priority)) {
    const host = (exchange.endsWith(".") ? exchange.slice(0, -1) : exchange).toLowerCase();
    // "" is the null MX (RFC 7505).
    const outcome = isDnsName(host) && (await hasAddress(check, host, length));
    if (outcome !== false) return outcome;
  }
  return false;
}

/** IPv4 addresses whatever the client has (§5.7). */
async function exists(check: Check, name: string): Promise<boolean | Trouble> {
  const answer = await ask(check, "a", name);
  if (answer.kind === "failed") return failed("a", name, answer.cause);
  return countVoid(check, answer) ?? (answer.kind === "records" && answer.records.length > 0);
}

export function failed(kind: string, name: string, cause: string): Trouble {
  const shown = printable(name);
  const why = printable(cause, MAX_CAUSE);
  // Some resolvers say themselves what was asked for.
  return temperror(why.includes(shown) ? why : `${kind.toUpperCase()} of ${shown}: ${why}`);
}
