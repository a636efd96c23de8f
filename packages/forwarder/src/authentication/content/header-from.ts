// Whose message it is: the domains in its header From, as DMARC wants to know them. Called by check-content.ts. RFC 5322
// §3.4, RFC 6854 (groups), RFC 7489 §6.6.1. Hostile text: whatever it says, each character is looked at once.
import { domainToASCII } from "node:url";
import type { HeaderFrom } from "../results.ts";
import { fieldsOf } from "./header.ts";

/** Domains are in A-labels. */
export type Author = Exclude<HeaderFrom, { kind: "too-long" }>;

const DOMAIN = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const MAX_DOMAIN = 253;
const NON_ASCII = /[^\x20-\x7e]/;

export function authorOf(header: Buffer): Author {
  const fields = fieldsOf(header, "from");
  if (fields.length === 0) return { kind: "none", domains: [] };
  const only = onlyDomain(fields);
  if (only !== undefined) return { kind: "domain", domain: only };
  const found = fields.map(domainsIn);
  const domains = [...new Set(found.flat())].filter((domain) => domain !== undefined);
  return headerFromOf(found, domains);
}

const BEHIND_AT = /@([^@\s<>()[\],;:"'\\]*)/g;

/**
 * Whatever else is wrong with it, `5" Pipes Ltd <bob@pipes.example>`: where every at sign has one domain behind it, no reader
 * can find another. Octets outside of ASCII may be anything to a reader.
 */
function onlyDomain(fields: readonly string[]): string | undefined {
  const text = fields.join(" ");
  if (NON_ASCII.test(text.replaceAll("\t", " ")) || text.includes("\\")) return undefined;
  const found = new Set([...text.matchAll(BEHIND_AT)].map(([, domain = ""]) => asDomain(domain)));
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

function headerFromOf(
  found: readonly (readonly (string | undefined)[])[],
  domains: readonly string[],
): Author {
  if (found.length > 1 || domains.length > 1) return { kind: "several", domains };
  const [domain] = domains;
  if (domain === undefined || found.flat().includes(undefined)) return { kind: "unreadable", domains };
  return { kind: "domain", domain };
}

/** Of each address in one field; undefined is one that cannot be read. */
function domainsIn(value: string): (string | undefined)[] {
  return mailboxesIn(value).flatMap(({ angle, words }) => {
    if (angle !== undefined && angle !== "") return [domainOf(withoutRoute(angle))];
    const addresses = words.split(/[ \t]+/).filter((word) => word.includes("@"));
    // `Doe, John <john@…>`, not quoted: half a name is nobody's address.
    if (addresses.length === 0) return [];
    return [addresses.length === 1 ? domainOf(addresses[0] ?? "") : undefined];
  });
}

interface Mailbox {
  /** What stands between < and >. */
  readonly angle?: string;
  /** What stands outside. In both, a quoted string is one `"`, and comments are gone. */
  readonly words: string;
}

/** What is not closed at the end is an address that cannot be read. */
const UNREADABLE: Mailbox = { angle: "@", words: "" };

function mailboxesIn(value: string): Mailbox[] {
  const mailboxes: Mailbox[] = [];
  let words = "";
  let angle: string | undefined;
  let state: "text" | "quoted" | "angle" | "quoted-in-angle" = "text";
  let comments = 0;
  const endMailbox = (): void => {
    mailboxes.push(angle === undefined ? { words } : { angle, words });
    words = "";
    angle = undefined;
  };
  for (let at = 0; at < value.length; at++) {
    const char = value[at] ?? "";
    const isQuoted = state === "quoted" || state === "quoted-in-angle";
    if (char === "\\" && (isQuoted || comments > 0)) at++;
    else if (comments > 0) comments += char === "(" ? 1 : char === ")" ? -1 : 0;
    else if (isQuoted) {
      if (char === '"') state = state === "quoted" ? "text" : "angle";
    } else if (char === "(") comments = 1;
    else if (state === "angle") {
      if (char === ">") state = "text";
      else angle += char;
      if (char === '"') state = "quoted-in-angle";
    } else if (char === "<") {
      // A second one: which of them is shown, nobody knows.
      angle = angle === undefined ? "" : "@";
      state = "angle";
    } else if (char === "," || char === ";") endMailbox();
    // The name of a group.
    else if (char === ":" && angle === undefined && !words.includes("@")) words = "";
    else {
      words += char;
      if (char === '"') state = "quoted";
    }
  }
  endMailbox();
  if (state !== "text" || comments > 0) mailboxes.push(UNREADABLE);
  return mailboxes;
}

/** `@relay.example:ceo@bank.example` (RFC 5322 §4.4). */
function withoutRoute(angle: string): string {
  const address = angle.trim();
  return address.startsWith("@") ? address.slice(address.indexOf(":") + 1) : address;
}

function domainOf(address: string): string | undefined {
  const [local, domain, ...more] = address.split("@");
  if (!local || !domain || more.length > 0) return undefined;
  return asDomain(domain);
}

/** In A-labels and lower case; undefined where DNS cannot know it, as an address literal. */
function asDomain(text: string): string | undefined {
  const bare = text.trim().replace(/\.$/, "");
  const name = NON_ASCII.test(bare) ? domainToASCII(bare) : bare.toLowerCase();
  return name.length <= MAX_DOMAIN && DOMAIN.test(name) ? name : undefined;
}
