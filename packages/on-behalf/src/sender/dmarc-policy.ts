// Does DMARC let others write an address of a domain into From? Called by choose-from.ts. RFC 7489 §6.3; the walk up the tree is
// that of DMARCbis, which needs no list of public suffixes.
import type { LookUpTxt } from "../on-behalf.ts";

/** DMARCbis §4.10: of a longer name the domain itself is asked, and then the last seven labels. */
const MAX_LOOK_UPS = 8;
/** Whatever a receiver might take for a record; what is none after all counts as one that refuses. */
const LIKE_A_RECORD = /^[ \t]*v[ \t]*=[ \t]*dmarc/i;
/** RFC 7489 §6.4: exactly this comes first. */
const VERSION = /^v[ \t]*=[ \t]*DMARC1[ \t]*$/;
/** A record in use has some hundred octets. */
const MAX_RECORD_LENGTH = 4096;

/** `reason` is a sentence's part: `because ${reason}`. */
export type DmarcAnswer =
  | { readonly kind: "permits"; readonly reason: string }
  | { readonly kind: "refuses"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/**
 * Stricter than a receiver: one record anywhere above the domain that asks for more than `none` refuses, also where a
 * nearer one permits. Some receivers look at the organizational domain alone, others at a list of their own.
 */
export async function askDmarc(lookUpTxt: LookUpTxt, domain: string): Promise<DmarcAnswer> {
  // An address literal has no records, and nobody expects mail from it.
  if (domain.startsWith("[")) {
    return { kind: "refuses", reason: "the user's address is at an IP address, not at a domain" };
  }
  const names = namesAbove(domain);
  const answers = await Promise.all(names.map((name) => ask(lookUpTxt, name, name === names[0])));
  const refusing = answers.find((one) => one.kind === "refuses");
  const unknown = answers.find((one) => one.kind === "unknown");
  const record = answers.find((one) => one.kind === "permits");
  if (refusing ?? unknown ?? record) return (refusing ?? unknown ?? record) as DmarcAnswer;
  return { kind: "permits", reason: `${domain} has no DMARC record, and no domain above it has` };
}

/** `_dmarc.` is left out. The domain first, then from its parent or the seventh label up to the top level. */
function namesAbove(domain: string): readonly string[] {
  const labels = domain.toLowerCase().split(".");
  const all = labels.map((_, at) => labels.slice(at).join("."));
  return [...all.slice(0, 1), ...all.slice(1).slice(-(MAX_LOOK_UPS - 1))];
}

async function ask(
  lookUpTxt: LookUpTxt,
  domain: string,
  own: boolean,
): Promise<DmarcAnswer | { readonly kind: "none" }> {
  const name = `_dmarc.${domain}`;
  const texts = await lookUpTxt(name).catch(() => undefined);
  if (texts === undefined) return { kind: "unknown", reason: `DNS did not answer for ${name}` };
  const records = texts.filter((text) => LIKE_A_RECORD.test(text.slice(0, MAX_RECORD_LENGTH)));
  if (records.length === 0) return { kind: "none" };
  // Of several, receivers take none at all, or any.
  for (const record of records) {
    const policy = policyOf(record, own);
    if (policy === undefined)
      return { kind: "refuses", reason: `${name} holds a record that nobody can read` };
    if (policy !== "none") return { kind: "refuses", reason: `${name} asks receivers for "${policy}"` };
  }
  return { kind: "permits", reason: `${name} asks receivers for nothing` };
}

const POLICIES = ["none", "quarantine", "reject"];

/** Undefined where it is none of the three words, or the record is not well-formed. `t` and `pct` change nothing: they end. */
function policyOf(record: string, own: boolean): string | undefined {
  if (record.length > MAX_RECORD_LENGTH) return undefined;
  const [version = "", ...rest] = record.split(";");
  if (!VERSION.test(version)) return undefined;
  const tags = new Map<string, string>();
  for (const part of rest.map((one) => one.trim()).filter((one) => one !== "")) {
    const equals = part.indexOf("=");
    const tag = part.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (tag === "" || tags.has(tag)) return undefined;
    tags.set(
      tag,
      part
        .slice(equals + 1)
        .trim()
        .toLowerCase(),
    );
  }
  const policy = own ? tags.get("p") : (tags.get("sp") ?? tags.get("p"));
  return POLICIES.find((word) => word === policy);
}
