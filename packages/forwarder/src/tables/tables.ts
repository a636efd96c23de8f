// The route tables: which entry decides about an address of ours. Built by load-tables.ts, asked by follow.ts.
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox } from "@homing/srs-core";
import { type Entry, entryOf, type Slot } from "./entry.ts";

/** What holds for every table. Domains are A-labels in lower case. */
export interface TableRules {
  /** Domains whose recipients are looked up. */
  readonly domains: ReadonlySet<string>;
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
  /** Key: the other name. */
  readonly domainAliases?: Readonly<Record<string, string>>;
  readonly recipientDelimiter?: string;
  readonly keepExtension?: boolean;
  readonly staysAt?: (domain: string) => boolean;
  readonly storeKnowsUsers?: boolean;
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
    domainAliases: new Map(aliases.map(([name, domain]) => [asciiLower(name), asciiLower(domain)])),
    recipientDelimiter: options.recipientDelimiter ?? "",
    keepExtension: options.keepExtension ?? false,
    staysAt: options.staysAt ?? (() => false),
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
  /** Of the virtual table: all others of a domain. */
  readonly catchAlls: ReadonlyMap<string, Slot>;
  /** Of the virtual table: local parts at every domain of ours. */
  readonly names: ReadonlyMap<string, Slot>;
  /** Of the alias file. */
  readonly aliases: ReadonlyMap<string, Entry>;
  /** A user's .forward file. */
  readonly userEntry?: (user: string) => Entry | undefined;
}

/** @param domain in any case */
export function isOurs(rules: TableRules, domain: string): boolean {
  const name = asciiLower(domain);
  return rules.domains.has(name) || rules.domainAliases.has(name);
}

/** The domain that another one is a name of, or itself; in lower case. */
export function mainDomain({ domainAliases }: TableRules, domain: string): string {
  const name = asciiLower(domain);
  return domainAliases.size === 0 ? name : (domainAliases.get(name) ?? name);
}

/** Without a setting of the domain's own; also the codes where a setting has words alone. */
export const UNKNOWN_ADDRESS: Reply = { code: 550, enhanced: "5.1.1", text: "no such address here" };

export function unknownReply(rules: TableRules, domain: string): Reply {
  return rules.unknownReplies.get(mainDomain(rules, domain)) ?? UNKNOWN_ADDRESS;
}

/**
 * The closest entry: the whole address, without its extension, the local part at every domain, the user's file,
 * the catch-all.
 */
export function findEntry(tables: Tables, recipient: Mailbox): Found {
  const { rules } = tables;
  const domain = mainDomain(rules, recipient.domain);
  const local = asciiLower(recipient.localPart);
  if (!rules.domains.has(domain) && !(local === "postmaster" && rules.ownNames.has(domain))) {
    return { kind: "not-ours" };
  }
  const address = `${local}@${domain}`;
  const whole = tables.addresses.get(address);
  if (whole !== undefined) return found(tables, address, whole, "");
  const cut = baseLength(rules, local);
  const base = local.slice(0, cut);
  const extension = recipient.localPart.slice(cut);
  if (extension !== "") {
    const key = `${base}@${domain}`;
    const slot = tables.addresses.get(key);
    if (slot !== undefined) return found(tables, key, slot, extension);
  }
  for (const table of [tables.names, tables.aliases]) {
    const exact = table.get(local);
    if (exact !== undefined) return found(tables, local, exact, "");
    const slot = extension === "" ? undefined : table.get(base);
    if (slot !== undefined) return found(tables, base, slot, extension);
  }
  const user = rules.userDomains.has(domain) ? tables.userEntry?.(base) : undefined;
  if (user) return { kind: "entry", key: `~${base}`, entry: user, extension };
  const rest = tables.catchAlls.get(domain);
  return rest === undefined ? { kind: "unknown" } : found(tables, `@${domain}`, rest, "");
}

/** Of a local part: up to the delimiter, if it has one. */
export function baseLength({ recipientDelimiter }: TableRules, local: string): number {
  const at = recipientDelimiter === "" ? -1 : local.indexOf(recipientDelimiter, 1);
  return at < 0 ? local.length : at;
}

function found(tables: Tables, key: string, slot: Slot, extension: string): Found {
  return { kind: "entry", key, entry: entryOf(slot, tables.virtualFile), extension };
}
