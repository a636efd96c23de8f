// One step from an entry to what a target of it means. Called by follow.ts for mail, and by check-tables.ts for all entries.
import type { Mailbox } from "@homing/srs-core";
import type { Entry, LeafTarget } from "./entry.ts";
import {
  addressKey,
  baseKey,
  domainOfNames,
  findEntry,
  foundFor,
  isOurs,
  mainDomain,
  type Tables,
} from "./tables.ts";

/** An entry on the way, and the address of ours for which it was found. */
export interface Standing {
  readonly entry: Entry;
  /** As `homing route` shows it. */
  readonly key: string;
  /** See `foundFor`. */
  readonly address: string;
  /** Where names are looked up. */
  readonly domain: string;
  /** Entries before this one. */
  readonly depth: number;
  /** The one that led here. */
  readonly from?: Standing;
}

export type NextStep =
  | { readonly kind: "outside"; readonly mailbox: Mailbox }
  /** The mail store of this site keeps it. */
  | { readonly kind: "stays"; readonly mailbox: Mailbox }
  | { readonly kind: "entry"; readonly at: Standing }
  | { readonly kind: "loop"; readonly path: readonly string[] }
  /** A local copy, or an address that leads to itself, at a domain without a mail store. */
  | { readonly kind: "no-store" }
  | { readonly kind: "unknown"; readonly address: Mailbox };

/** @param at the entry that has the target */
export function nextStep(
  tables: Tables,
  target: Extract<LeafTarget, { kind: "mailbox" | "name" | "local" }>,
  at: Standing,
): NextStep {
  const domain = domainOfNames(tables.rules, at.domain);
  if (target.kind === "local") return kept(tables, { localPart: target.user, domain });
  const mailbox = target.kind === "name" ? { localPart: target.name, domain } : target.mailbox;
  return isOurs(tables.rules, mailbox.domain) ? atOurs(tables, mailbox, at) : { kind: "outside", mailbox };
}

function atOurs(tables: Tables, mailbox: Mailbox, from: Standing): NextStep {
  const passed = passedFor([addressKey(tables, mailbox), baseKey(tables, mailbox)], from);
  const found = findEntry(tables, mailbox, passed);
  if (found.kind !== "entry") {
    if (passed.length > 0) return ofItself(tables, mailbox, from);
    return knowsUsers(tables, mailbox) ? kept(tables, mailbox) : { kind: "unknown", address: mailbox };
  }
  const { entry, key } = found;
  // A catch-all, or a name that is found for several addresses.
  if (entry === from.entry) return ofItself(tables, mailbox, from);
  const domain = mainDomain(tables.rules, mailbox.domain);
  const loop = loopOf(entry, domain, from);
  if (loop) return { kind: "loop", path: [...loop, key] };
  return {
    kind: "entry",
    at: { entry, key, address: foundFor(tables, mailbox, found), domain, depth: from.depth + 1, from },
  };
}

/**
 * Sendmail's and Postfix's rule: an entry that leads to its own address is done, and what comes behind it has its turn: the
 * aliases behind a virtual table, the .forward file behind the aliases, the mail store behind all of them. `joe+tag` is
 * joe's own address too, unless it has an entry: that one is none of those that are passed, and is found.
 */
function passedFor(names: readonly string[], from: Standing): readonly Entry[] {
  const passed: Entry[] = [];
  if (!names.includes(from.address)) return passed;
  for (let step: Standing | undefined = from; step?.address === from.address; step = step.from)
    passed.push(step.entry);
  return passed;
}

function ofItself(tables: Tables, mailbox: Mailbox, { key }: Standing): NextStep {
  return stays(tables, mailbox) ? kept(tables, mailbox) : { kind: "loop", path: [key, key] };
}

/** The keys from this entry to the last one, if it is on the way already. */
function loopOf(entry: Entry, domain: string, from: Standing): readonly string[] | undefined {
  const keys: string[] = [];
  for (let step: Standing | undefined = from; step; step = step.from) {
    keys.push(step.key);
    if (step.entry === entry && step.domain === domain) return keys.reverse();
  }
  return undefined;
}

function kept(tables: Tables, { localPart, domain }: Mailbox): NextStep {
  if (!stays(tables, { localPart, domain })) return { kind: "no-store" };
  return { kind: "stays", mailbox: { localPart, domain: mainDomain(tables.rules, domain) } };
}

function stays({ rules }: Tables, { domain }: Mailbox): boolean {
  return rules.staysAt(mainDomain(rules, domain));
}

/** May an address of ours that is in no table be one all the same? */
function knowsUsers(tables: Tables, mailbox: Mailbox): boolean {
  return stays(tables, mailbox) && tables.rules.knowsUsers(mainDomain(tables.rules, mailbox.domain));
}
