// The route tables: which entry decides about an address of ours. Built by load-tables.ts, asked by follow.ts.
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox } from "@homing/srs-core";
import { type Entry, entryOf, type Slot } from "./entry.ts";

/** What holds for every table. Domains are A-labels in lower case. */
export interface TableRules {
  /** Domains whose recipients are looked up. */
  readonly domains: ReadonlySet<string>;
  /** Of those, where names without a domain are addresses: those of the alias file, and of the virtual table. */
  readonly nameDomains: ReadonlySet<string>;
  /** Domains whose addresses are those of another one. */
  readonly domainAliases: ReadonlyMap<string, string>;
  /** Our host name and the SRS domain: postmaster is an address there too (RFC 5321 §4.5.1). */
  readonly ownNames: ReadonlySet<string>;
  /** `user+anything` is `user` where it is no entry of its own; "" for none. */
  readonly recipientDelimiter: string;
  /** What was behind the delimiter is put behind the target's local part. */
  readonly keepExtension: boolean;
  /** Has a domain of ours somebody who keeps its mail: a mail store here, or a server of its own? */
  readonly staysAt: (domain: string) => boolean;
  /** Can whoever keeps the mail of a domain say which users there are? A maildir cannot: it would take every name. */
  readonly knowsUsers: (domain: string) => boolean;
  /** Why the mail store can have no mailbox of that name, if so: what it says of the name. */
  readonly mailboxFault: (mailbox: Mailbox) => string | undefined;
  /** Domains whose local parts may be users with a .forward file. */
  readonly userDomains: ReadonlySet<string>;
  /** The mail store here knows users that stand in no table. */
  readonly storeKnowsUsers: boolean;
  /** What is answered for addresses in no table, by domain; others have a reply of ours. */
  readonly unknownReplies: ReadonlyMap<string, Reply>;
}

export interface TableRuleOptions {
  readonly domains: readonly string[];
  readonly ownNames: readonly string[];
  /** Default: all domains. */
  readonly nameDomains?: readonly string[];
  /** Key: the other name. */
  readonly domainAliases?: Readonly<Record<string, string>>;
  readonly recipientDelimiter?: string;
  readonly keepExtension?: boolean;
  readonly staysAt?: (domain: string) => boolean;
  /** Default: wherever mail stays. */
  readonly knowsUsers?: (domain: string) => boolean;
  readonly storeKnowsUsers?: boolean;
  readonly mailboxFault?: (mailbox: Mailbox) => string | undefined;
  readonly userDomains?: readonly string[];
  readonly unknownReplies?: Readonly<Record<string, Reply>>;
}

/** @param options domains in any case */
export function createTableRules(options: TableRuleOptions): TableRules {
  const folded = (names: readonly string[]): Set<string> => new Set(names.map(asciiLower));
  const aliases = Object.entries(options.domainAliases ?? {});
  return {
    domains: folded(options.domains),
    ownNames: folded(options.ownNames),
    nameDomains: folded(options.nameDomains ?? options.domains),
    domainAliases: new Map(aliases.map(([name, domain]) => [asciiLower(name), asciiLower(domain)])),
    recipientDelimiter: options.recipientDelimiter ?? "",
    keepExtension: options.keepExtension ?? false,
    staysAt: options.staysAt ?? (() => false),
    knowsUsers: options.knowsUsers ?? options.staysAt ?? (() => false),
    mailboxFault: options.mailboxFault ?? (() => undefined),
    storeKnowsUsers: options.storeKnowsUsers ?? false,
    userDomains: folded(options.userDomains ?? []),
    unknownReplies: new Map(
      Object.entries(options.unknownReplies ?? {}).map(([name, reply]) => [asciiLower(name), reply]),
    ),
  };
}

export type Found =
  | {
      readonly kind: "entry";
      /** As `homing route` shows it: `user@domain`, `@domain` or a name. */
      readonly key: string;
      readonly entry: Entry;
      /** With its delimiter; "" where nothing was left over. */
      readonly extension: string;
    }
  | { readonly kind: "unknown" }
  | { readonly kind: "not-ours" };

export interface Tables {
  readonly rules: TableRules;
  /** The path of the virtual table; "" without one. */
  readonly virtualFile: string;
  /** Of the virtual table: `user@domain`, in lower case. */
  readonly addresses: ReadonlyMap<string, Slot>;
  /** How many of those each domain has. */
  readonly addressCounts: ReadonlyMap<string, number>;
  /** Of the virtual table: all others of a domain. */
  readonly catchAlls: ReadonlyMap<string, Slot>;
  /** Of the virtual table: local parts at every domain of ours. */
  readonly names: ReadonlyMap<string, Slot>;
  /** Of the alias file. */
  readonly aliases: ReadonlyMap<string, Entry>;
  /** A user of the domain: the .forward file, or the mail store; undefined where there is no such user. */
  readonly userEntry?: (user: string, domain: string) => Entry | undefined;
}

/** @param domain in any case */
export function isOurs(rules: TableRules, domain: string): boolean {
  const name = asciiLower(domain);
  return rules.domains.has(name) || rules.domainAliases.has(name);
}

const THIS_MACHINE = new Set(["localhost", "localhost.localdomain"]);

/** Is it another machine's? Not so our own name where it is none of the domains: mail to it would come back here. */
export function isElsewhere(rules: TableRules, domain: string): boolean {
  const name = asciiLower(domain);
  return !isOurs(rules, name) && !rules.ownNames.has(name) && !THIS_MACHINE.has(name);
}

/** The domain that another one is a name of, or itself; in lower case. */
export function mainDomain({ domainAliases }: TableRules, domain: string): string {
  const name = asciiLower(domain);
  return domainAliases.size === 0 ? name : (domainAliases.get(name) ?? name);
}

/** Where a name without a domain is looked up: at the domain that was asked for, or at the first that has names. */
export function domainOfNames({ nameDomains, domains }: TableRules, domain: string): string {
  if (nameDomains.has(domain)) return domain;
  const [first = domain] = nameDomains.size > 0 ? nameDomains : domains;
  return first;
}

/** Without a setting of the domain's own; also the codes where a setting has words alone. */
export const UNKNOWN_ADDRESS: Reply = { code: 550, enhanced: "5.1.1", text: "no such address here" };

export function unknownReply(rules: TableRules, domain: string): Reply {
  return rules.unknownReplies.get(mainDomain(rules, domain)) ?? UNKNOWN_ADDRESS;
}

/**
 * The closest entry: the whole address, without its extension, the local part at every domain, the user, the catch-all.
 * @param passed entries that led to their own address: what comes behind them is asked, and no catch-all
 */
export function findEntry(tables: Tables, recipient: Mailbox, passed: readonly Entry[] = NONE): Found {
  const { rules } = tables;
  const domain = mainDomain(rules, recipient.domain);
  const local = asciiLower(recipient.localPart);
  if (!rules.domains.has(domain) && !(local === "postmaster" && rules.ownNames.has(domain))) {
    return { kind: "not-ours" };
  }
  const address = `${local}@${domain}`;
  const isNext = (slot: Slot | undefined): slot is Slot =>
    slot !== undefined && (typeof slot === "string" || !passed.includes(slot));
  const whole = tables.addresses.get(address);
  if (isNext(whole)) return found(tables, address, whole, "");
  const cut = baseLength(rules, local);
  const base = local.slice(0, cut);
  const extension = recipient.localPart.slice(cut);
  if (extension !== "") {
    const key = `${base}@${domain}`;
    const slot = tables.addresses.get(key);
    if (isNext(slot)) return found(tables, key, slot, extension);
  }
  // Postmaster is everybody's (RFC 5321 §4.5.1).
  const named = rules.nameDomains.has(domain) || base === "postmaster";
  for (const table of named ? [tables.names, tables.aliases] : []) {
    const exact = table.get(local);
    if (isNext(exact)) return found(tables, local, exact, "");
    const slot = extension === "" ? undefined : table.get(base);
    if (isNext(slot)) return found(tables, base, slot, extension);
  }
  if (tables.userEntry && rules.userDomains.has(domain)) {
    const exact = tables.userEntry(local, domain);
    if (isNext(exact)) return { kind: "entry", key: `~${local}`, entry: exact, extension: "" };
    const user = extension === "" ? undefined : tables.userEntry(base, domain);
    if (isNext(user)) return { kind: "entry", key: `~${base}`, entry: user, extension };
  }
  const rest = passed.length === 0 ? tables.catchAlls.get(domain) : undefined;
  return rest === undefined ? { kind: "unknown" } : found(tables, `@${domain}`, rest, "");
}

const NONE: readonly Entry[] = [];

/** Is a local part a whole address of the virtual table at a domain, with or without its extension? */
export function hasOwnAddress({ rules, addresses }: Tables, local: string, domain: string): boolean {
  if (addresses.size === 0) return false;
  if (addresses.has(`${local}@${domain}`)) return true;
  const cut = baseLength(rules, local);
  return cut < local.length && addresses.has(`${local.slice(0, cut)}@${domain}`);
}

/** What names one address of ours: at the main domain, in lower case. */
export function addressKey({ rules }: Tables, { localPart, domain }: Mailbox): string {
  return `${asciiLower(localPart)}@${mainDomain(rules, domain)}`;
}

/** The same of the address without its extension. */
export function baseKey({ rules }: Tables, { localPart, domain }: Mailbox): string {
  const local = asciiLower(localPart);
  return `${local.slice(0, baseLength(rules, local))}@${mainDomain(rules, domain)}`;
}

/** Whose entry was found: the address that was asked for, or the one without its extension, which has the entry. */
export function foundFor(tables: Tables, mailbox: Mailbox, { extension }: { extension: string }): string {
  return extension === "" ? addressKey(tables, mailbox) : baseKey(tables, mailbox);
}

/** Of a local part: up to the delimiter, if it has one. */
export function baseLength({ recipientDelimiter }: TableRules, local: string): number {
  const at = recipientDelimiter === "" ? -1 : local.indexOf(recipientDelimiter, 1);
  return at < 0 ? local.length : at;
}

function found(tables: Tables, key: string, slot: Slot, extension: string): Found {
  return { kind: "entry", key, entry: entryOf(slot, tables.virtualFile), extension };
}
