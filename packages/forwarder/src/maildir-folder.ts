// Which maildir a mailbox has: a pattern such as `/var/lib/homing/mail/{domain}/{user}` with the address filled in.
// Whoever may write an address chooses the words in it. Called by local-delivery.ts, and checked with the configuration.
import { asciiLower, type Mailbox, octets, printable } from "@homing/srs-core";

/** An absolute path, taken apart. */
export interface MaildirFolder {
  /** The part of the pattern that is the same for all. It is never made: a disk that is not mounted must not be filled. */
  readonly base: string;
  /** The folders below, from there down to the maildir. At least one. */
  readonly names: readonly string[];
}

export type FoundMaildir =
  | { readonly kind: "folder"; readonly folder: MaildirFolder }
  /** No folder can have this name. */
  | { readonly kind: "unfit"; readonly message: string };

const PLACEHOLDER = /\{[^{}]*\}/g;
const KNOWN_PLACEHOLDERS = ["{user}", "{domain}"];
/** NAME_MAX of Linux file systems. */
const MAX_NAME_OCTETS = 255;
const CONTROL = /\p{Cc}/u;

/** What is wrong with a pattern, if anything: a message for the operator. */
export function maildirPatternProblem(pattern: string): string | undefined {
  const why = patternFault(pattern);
  return why === undefined ? undefined : `maildir "${printable(pattern, MAX_NAME_OCTETS)}" ${why}`;
}

function patternFault(pattern: string): string | undefined {
  const names = pattern.split("/").slice(1);
  const placeholders = pattern.match(PLACEHOLDER) ?? [];
  const count = (wanted: string): number => placeholders.filter((one) => one === wanted).length;
  if (!pattern.startsWith("/")) return "is not absolute: begin it with /";
  if (CONTROL.test(pattern)) return "has a control character: take it out";
  if (names.some((name) => ["", ".", ".."].includes(name)))
    return "has an empty part, . or ..: write the folder's plain path, without a / at its end";
  const unknown = placeholders.find((one) => !KNOWN_PLACEHOLDERS.includes(one));
  if (unknown !== undefined) return `has ${printable(unknown)}: only {user} and {domain} are filled in`;
  if (count("{user}") !== 1 || count("{domain}") > 1) return "needs {user} once, and may have {domain} once";
  if (hasPlaceholder(names[0] ?? ""))
    return "has no fixed folder before its first placeholder: begin it with one that exists";
  if (names.some(mayBeShared))
    return "lets two mailboxes share a name made of {user} and {domain}: put @ or / between them";
  return undefined;
}

/** @param pattern without a problem */
export function maildirOf(pattern: string, { localPart, domain }: Mailbox): FoundMaildir {
  // Case does not tell mailboxes apart anywhere else, so it must not make two of one here.
  const user = asciiLower(localPart);
  const host = asciiLower(domain);
  const why = unfitName(user) ?? unfitName(host);
  if (why !== undefined) return unfit(why);

  const parts = pattern.split("/");
  const fixed = parts.findIndex(hasPlaceholder);
  const names = parts.slice(fixed).map((part) => filled(part, user, host));
  if (names.some((name) => octets(name) > MAX_NAME_OCTETS)) return unfit("is too long");
  return { kind: "folder", folder: { base: parts.slice(0, fixed).join("/"), names } };
}

/** One pass: a user called `{domain}` is not filled in again, and `$&` means nothing. */
function filled(part: string, user: string, domain: string): string {
  return part.replace(PLACEHOLDER, (placeholder) => (placeholder === "{user}" ? user : domain));
}

function hasPlaceholder(part: string): boolean {
  return KNOWN_PLACEHOLDERS.some((placeholder) => part.includes(placeholder));
}

/** `a-b` at `c` and `a` at `b-c` would meet in `a-b-c`. A domain has no @, so one between the two tells them apart. */
function mayBeShared(name: string): boolean {
  const [, between, behind] = name.split(PLACEHOLDER);
  return behind !== undefined && !between?.includes("@");
}

/** Stricter than a path needs: folders with a leading dot are the sub-folders of a maildir to its readers. */
function unfitName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.startsWith(".")) return "begins with a dot";
  if (name.includes("/")) return "holds a slash";
  return CONTROL.test(name) || !name.isWellFormed()
    ? "holds a control character or invalid UTF-8"
    : undefined;
}

function unfit(why: string): FoundMaildir {
  return { kind: "unfit", message: `no maildir can have this name: it ${why}` };
}
