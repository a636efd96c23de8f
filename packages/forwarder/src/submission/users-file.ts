// The users file: who may submit mail, a line `name:hash:addresses` for each. Text becomes values here. Called by the
// composition root, and by `homing users`.
import { asciiLower, type Mailbox, parseDomain, parseMailbox, printable } from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import { type PasswordHash, parsePasswordHash } from "./password-hash.ts";

export interface User {
  /** As the file writes it. */
  readonly name: string;
  /** None where somebody else knows the passwords. */
  readonly hash?: PasswordHash;
  readonly addresses: OwnAddresses;
  /** From 1. */
  readonly line: number;
}

/** What a person may send as. */
export interface OwnAddresses {
  /** By `addressKey`. */
  readonly mailboxes: ReadonlySet<string>;
  /** In lower case: every address there, of `*@domain`. */
  readonly domains: ReadonlySet<string>;
}

/** By `nameKey`. */
export type Users = ReadonlyMap<string, User>;

export type ParsedUsers =
  | { readonly ok: true; readonly users: Users }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface UsersFileOptions {
  /** Default "here"; with "elsewhere" (Dovecot) the second part of each line is empty. */
  readonly passwords?: "here" | "elsewhere";
}

/** RFC 4616 §2: the least that a server must take; longer ones nobody has. */
export const MAX_NAME_OCTETS = 255;
const CONTROLS = /\p{Cc}/u;
const NO_ADDRESSES: OwnAddresses = { mailboxes: new Set(), domains: new Set() };

/** Empty lines and lines that begin with `#` are left out. All mistakes are told in one run. */
export function parseUsersFile(text: string, { passwords = "here" }: UsersFileOptions = {}): ParsedUsers {
  const users = new Map<string, User>();
  const problems: Problem[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (content.trim() === "" || content.startsWith("#")) continue;
    const wrong = (column: number, message: string): void => void problems.push({ line, column, message });
    const user = parseLine(content, { line, passwords, wrong });
    if (!user) continue;
    const before = users.get(nameKey(user.name));
    if (before)
      wrong(1, `the name ${user.name} stands in line ${before.line} already: take one of the two out`);
    else users.set(nameKey(user.name), user);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, users };
}

/** Names are compared without regard to case, as people type them. */
export function nameKey(name: string): string {
  return asciiLower(name);
}

/** Addresses are compared as the tables do. */
export function addressKey({ localPart, domain }: Mailbox): string {
  return asciiLower(`${localPart}@${domain}`);
}

export function isOwn({ mailboxes, domains }: OwnAddresses, mailbox: Mailbox): boolean {
  return mailboxes.has(addressKey(mailbox)) || domains.has(asciiLower(mailbox.domain));
}

/** Undefined where it may be a name in the file. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "the name is missing";
  if (name !== name.trim()) return "the name has blanks around it";
  if (name.startsWith("#")) return "the name begins with #, as a comment does";
  if (name.includes(":")) return "the name holds a colon, which ends it in the file";
  if (CONTROLS.test(name) || !name.isWellFormed()) return "the name holds a control character";
  return Buffer.byteLength(name) > MAX_NAME_OCTETS
    ? `the name has more than ${MAX_NAME_OCTETS} octets`
    : undefined;
}

interface LineOptions extends Required<UsersFileOptions> {
  readonly line: number;
  readonly wrong: (column: number, message: string) => void;
}

/** Undefined where something is wrong with it, which was told. */
function parseLine(content: string, { line, passwords, wrong }: LineOptions): User | undefined {
  const [name = "", hashText, addressText, ...more] = content.split(":");
  if (hashText === undefined || addressText === undefined || more.length > 0) {
    wrong(1, "a line has three parts: name:hash:addresses");
    return undefined;
  }
  const hashColumn = name.length + 2;
  const problem = nameProblem(name);
  if (problem !== undefined) wrong(1, problem);
  const hash = parseHash(hashText, passwords);
  if (typeof hash === "string") wrong(hashColumn, hash);
  const addresses = parseAddresses(addressText);
  if (typeof addresses === "string") wrong(hashColumn + hashText.length + 1, addresses);
  if (problem !== undefined || typeof hash === "string" || typeof addresses === "string") return undefined;
  return { name, addresses, line, ...(hash ? { hash } : {}) };
}

function parseHash(text: string, passwords: "here" | "elsewhere"): PasswordHash | string | undefined {
  if (passwords === "elsewhere")
    return text === ""
      ? undefined
      : "the hash is of no use where Dovecot knows the passwords: leave it empty";
  if (text === "") return "the hash is missing: set a password with homing users";
  const parsed = parsePasswordHash(text);
  // Not the hash itself: problems are printed.
  return parsed.ok ? parsed.hash : `the hash ${parsed.message}: set the password anew with homing users`;
}

/** @returns what is wrong, in place of the addresses */
export function parseAddresses(text: string): OwnAddresses | string {
  const mailboxes = new Set<string>();
  const domains = new Set<string>();
  for (const item of text.split(",").map((one) => one.trim())) {
    if (item === "") return "an address is missing: name:hash:alice@example.org,*@example.net";
    if (item.startsWith("*@")) {
      const domain = parseDomain(item.slice(2));
      if (!domain.ok) return domain.message;
      domains.add(asciiLower(domain.domain));
      continue;
    }
    const parsed = parseMailbox(item);
    if (!parsed.ok) return parsed.message;
    if (parsed.mailbox.localPart === "*") return `${printable(item)}: write *@domain for a whole domain`;
    mailboxes.add(addressKey(parsed.mailbox));
  }
  return mailboxes.size + domains.size > 0 ? { mailboxes, domains } : NO_ADDRESSES;
}
