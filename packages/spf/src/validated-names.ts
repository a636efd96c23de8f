// Names of the client's address that lead back to it (RFC 7208 §5.5): for `ptr` and `%{p}`. Whoever owns the address
// writes these names, so nothing about them is an error, nor a void look-up: a forger could choose the result with it.
import { ask, type Check } from "./check.ts";
import { isDnsName } from "./identity.ts";
import { parseAddress, reverseName, sameOctets } from "./ip.ts";
import type { DnsAnswer } from "./resolver.ts";

/** Is one of them the domain or below it? */
export async function hasNameIn(check: Check, domain: string): Promise<boolean> {
  for (const name of await ptrNames(check)) {
    if (isIn(name, domain) && (await leadsBack(check, name))) return true;
  }
  return false;
}

/** `%{p}`: the domain itself, else one below it, else any (§7.3). */
export async function validatedName(check: Check, domain: string): Promise<string> {
  const names = await ptrNames(check);
  const below = names.filter((name) => name !== domain && isIn(name, domain));
  const others = names.filter((name) => !isIn(name, domain));
  for (const name of [...names.filter((name) => name === domain), ...below, ...others]) {
    if (await leadsBack(check, name)) return name;
  }
  return "unknown";
}

/** The look-up itself: once in a check. */
export async function ptrAnswer(check: Check): Promise<DnsAnswer<string>> {
  check.ptr ??= await ask(check, "ptr", reverseName(check.client));
  return check.ptr;
}

async function ptrNames(check: Check): Promise<readonly string[]> {
  const answer = await ptrAnswer(check);
  if (answer.kind !== "records") return [];
  return answer.records
    .slice(0, check.limits.ptrNames)
    .map((name) => (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase())
    .filter(isDnsName);
}

async function leadsBack(check: Check, name: string): Promise<boolean> {
  const known = check.validated.get(name);
  if (known !== undefined) return known;
  const answer = await ask(check, check.client.length === 4 ? "a" : "aaaa", name);
  const addresses = answer.kind === "records" ? answer.records : [];
  const leads = addresses.some((text) => {
    const octets = parseAddress(text);
    return octets !== undefined && sameOctets(octets, check.client);
  });
  check.validated.set(name, leads);
  return leads;
}

function isIn(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
