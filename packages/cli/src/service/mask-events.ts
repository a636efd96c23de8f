// Hides mail addresses in events before they are printed, as `log.addresses` says. Called by `homing serve`.
import { createHmac } from "node:crypto";
import { asciiLower } from "@homing/srs-core";
import { replaceAddresses } from "./mask-text.ts";

/**
 * `domain` keeps what is behind the at sign. `hash` puts a keyed hash in place of the address: events of one address
 * are found together, and who it is cannot be told.
 */
export type AddressMasking = "full" | "domain" | "hash";

/** An event for the log: the same fields, other texts. */
export type MaskedEvent = Readonly<Record<string, unknown>>;

/**
 * @param key for `hash`. Made anew for each run and kept nowhere, so that nobody who has the log, and neither the
 *     secrets nor the operator, can find out by trying which address stands behind a hash.
 */
export function createMasking(masking: AddressMasking, key: Buffer): (event: object) => MaskedEvent {
  if (masking === "full") return (event) => ({ ...event });
  const mask = masking === "domain" ? keepDomain : (address: string) => hashOf(address, key);
  return (event) => maskFields(event, mask);
}

type Mask = (address: string) => string;

/**
 * Fields that are an address or a name of the tables, or a list of them. All others are searched for addresses, those
 * of later days too.
 */
const ADDRESS_FIELDS = new Set([
  "reversePath",
  "newReversePath",
  "recipient",
  "newRecipient",
  "alias",
  "target",
  "targets",
  "to",
  "victim",
  // A local part tells as much, at a site that has one domain.
  "user",
]);
/** Mistakes in tables and users' files: their words are full of names, with and without quotes. */
const MISTAKE_FIELDS = new Set(["problems", "faults"]);
const PLACED = /^(.*?:\d{1,9}:\d{1,9}):? /s;
/** 64 bits: no two addresses of a site look the same. */
const HASH_CHARACTERS = 16;

function maskFields(fields: object, mask: Mask): MaskedEvent {
  const isMaildir = "hop" in fields && String(fields.hop).startsWith("maildir:");
  const entries = Object.entries(fields).map(([name, value]) => {
    const shown = isMaildir && name === "detail" ? withoutPath(String(value)) : value;
    return [name, maskValue(name, shown, mask)];
  });
  return Object.fromEntries(entries) as MaskedEvent;
}

function maskValue(name: string, value: unknown, mask: Mask): unknown {
  if (Array.isArray(value)) return value.map((one) => maskValue(name, one, mask));
  if (typeof value === "object" && value !== null) return maskFields(value, mask);
  // "" is the null sender.
  if (typeof value !== "string" || value === "") return value;
  // A quoted local part may hold at signs and blanks: what is an address as a whole is not searched.
  if (ADDRESS_FIELDS.has(name)) return mask(value);
  const text = MISTAKE_FIELDS.has(name) ? placeAlone(value) : withoutChain(name, value);
  return replaceAddresses(text, (localPart, domain) => mask(`${localPart}@${domain}`));
}

/** What a mistake is, `homing config check` says. One without a place is about a whole file, and names nobody. */
function placeAlone(problem: string): string {
  const [, place] = PLACED.exec(problem) ?? [];
  return place === undefined ? problem : `${place} *`;
}

/** Why a target was dropped: a loop's names. */
function withoutChain(name: string, text: string): string {
  if (name !== "why" || !text.includes("→")) return text;
  return `${text.slice(0, text.indexOf(": ") + 2)}*`;
}

/** Errors of the file system tell a path or two at their end, and those of maildirs have the user's name in them. */
function withoutPath(detail: string): string {
  const slash = detail.indexOf("/");
  return slash < 0 ? detail : `${detail.slice(0, slash)}/*`;
}

function keepDomain(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? "*" : `*${address.slice(at)}`;
}

/** Without regard to case: aliases have none, and servers change it in their replies. */
function hashOf(address: string, key: Buffer): string {
  const hash = createHmac("sha256", key).update(asciiLower(address)).digest("hex");
  return `hash:${hash.slice(0, HASH_CHARACTERS)}`;
}
