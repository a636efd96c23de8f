// What is wrong with the tables as a whole: loops, names and addresses of ours that lead nowhere, no postmaster. Called by
// load-tables.ts.
import { type Mailbox, printable, renderMailbox } from "@homing/srs-core";
import {
  type Entry,
  type IncludedList,
  type LeafTarget,
  type LoadedTarget,
  type Slot,
  type TableProblem,
  targetsOf,
} from "./entry.ts";
import { follow, MAX_NESTING } from "./follow.ts";
import type { TableFiles } from "./load-tables.ts";
import { nextStep, type Standing } from "./next-step.ts";
import { addressKey, findEntry, isElsewhere, mainDomain, type Tables } from "./tables.ts";

type Report = (problem: TableProblem) => void;

export function checkTables(tables: Tables, files: TableFiles, report: Report): void {
  const check = createCheck(tables, report);
  for (const [name, entry] of [...tables.aliases, ...tables.names]) {
    if (isAway(entry)) continue;
    for (const domain of typicalDomains(tables)) check(entry, { localPart: name, domain });
  }
  for (const [key, entry] of tables.addresses) {
    if (isAway(entry)) continue;
    const at = key.lastIndexOf("@");
    check(entry, { localPart: key.slice(0, at), domain: key.slice(at + 1) });
  }
  for (const [domain, entry] of tables.catchAlls) {
    if (!isAway(entry)) check(entry, { localPart: ANYBODY, domain });
  }
  checkPostmaster(tables, files, report);
}

/** One address elsewhere: nothing can be wrong with it that its reader has not told. */
function isAway(slot: Slot): slot is string {
  return typeof slot === "string" || slot.away;
}

/** No entry is called so: what is found is the catch-all. */
const ANYBODY = "anybody at all";
/** Mistaken tables may be nested as deep as they are long. */
const MAX_WALK = 1000;

/**
 * A name may lead elsewhere at each domain. To try all would take long where both are many: of the domains that treat
 * unknown names alike, the one with the fewest addresses has the fewest names.
 */
function typicalDomains(tables: Tables): readonly string[] {
  const { nameDomains, staysAt, knowsUsers, userDomains } = tables.rules;
  const fewest = new Map<string, string>();
  for (const domain of nameDomains) {
    const traits = [
      tables.catchAlls.has(domain),
      staysAt(domain),
      knowsUsers(domain),
      userDomains.has(domain),
    ];
    const key = traits.join();
    const other = fewest.get(key);
    const size = (name: string): number => tables.addressCounts.get(name) ?? 0;
    if (other === undefined || size(domain) < size(other)) fewest.set(key, domain);
  }
  return [...fewest.values()];
}

/** Walks every entry once for each domain, whoever leads to it. */
function createCheck(tables: Tables, report: Report): (entry: Entry, address: Mailbox) => void {
  /** Steps from an entry or a list to the last address behind it, by domain. */
  const heights = new Map<Entry | IncludedList, Map<string, number>>();
  const inLoops = new Set<string>();
  const told = new Set<string>();
  const tell = (file: string, { line, column }: LeafTarget, message: string): void => {
    const key = `${file}:${line}:${column}`;
    if (!told.has(key)) report({ file, line, column, message });
    told.add(key);
  };
  const remember = (what: Entry | IncludedList, domain: string, height: number): number => {
    const known = heights.get(what) ?? new Map<string, number>();
    heights.set(what, known.set(domain, height));
    return height;
  };

  const visit = (at: Standing): number => {
    const { entry, domain } = at;
    const known = heights.get(entry)?.get(domain);
    if (known !== undefined) return known;
    return remember(entry, domain, highest(entry.file, targetsOf(entry), at));
  };

  const highest = (file: string, targets: readonly LoadedTarget[], at: Standing): number => {
    let height = 0;
    for (const target of targets) {
      if (target.kind !== "list") height = Math.max(height, behind(file, target, at));
      else {
        const { list } = target;
        const known = heights.get(list)?.get(at.domain);
        height = Math.max(height, known ?? remember(list, at.domain, highest(list.file, list.targets, at)));
      }
    }
    return height;
  };

  const behind = (file: string, target: LeafTarget, at: Standing): number => {
    if (target.kind === "discard" || target.kind === "refuse") return 0;
    const next = nextStep(tables, target, at);
    switch (next.kind) {
      case "no-store":
        tell(file, target, noStore(target));
        return 0;
      case "unknown":
        if (!mayBeUser(tables, next.address)) tell(file, target, unknownTarget(tables, target, next.address));
        return 0;
      case "loop": {
        const isNew = !next.path.some((key) => inLoops.has(key));
        for (const key of next.path) inLoops.add(key);
        // A user's file, or the mail store behind it, may still take what leads to itself.
        if (isNew && !(next.path.length === 2 && mayBeUser(tables, { localPart: "", domain: at.domain })))
          tell(file, target, loopMessage(next.path, where(tables, at.domain)));
        return 0;
      }
      case "entry": {
        if (next.at.depth >= MAX_WALK) return 0;
        const reached = 1 + visit(next.at);
        if (reached < MAX_NESTING) return reached;
        tell(file, target, `names are nested more than ${MAX_NESTING} deep behind this one: ${next.at.key}`);
        return 0;
      }
      case "outside":
        if (!isElsewhere(tables.rules, next.mailbox.domain)) tell(file, target, onThisMachine(next.mailbox));
        return 0;
      case "stays":
        return 0;
    }
  };

  return (entry, mailbox) => {
    const found = findEntry(tables, mailbox);
    // An entry that another one hides at this domain is walked from its own key all the same.
    const key = found.kind === "entry" && found.entry === entry ? found.key : renderMailbox(mailbox);
    visit({ entry, key, address: addressKey(tables, mailbox), domain: mailbox.domain, depth: 0 });
  };
}

/** Whose .forward file is asked for when mail comes. */
function mayBeUser({ rules }: Tables, { domain }: Mailbox): boolean {
  return rules.userDomains.has(mainDomain(rules, domain));
}

function onThisMachine(mailbox: Mailbox): string {
  const address = shown(renderMailbox(mailbox));
  return `"${address}" is on this machine, and its domain is none of domains: write the name alone`;
}

function noStore(target: LeafTarget): string {
  const copy = target.kind === "local" ? `\\${shown(target.user)}` : "it";
  return `no mail store keeps a local copy: set localDelivery, or take ${copy} out`;
}

function loopMessage(loop: readonly string[], where: string): string {
  const itself = loop.length === 2;
  const remedy = itself ? "keep its mail here by localDelivery, or give it" : "give one of them";
  return `loop${where}: ${loop.map(shown).join(" → ")}: ${remedy} an address outside`;
}

/** A name may lead elsewhere at each domain. */
function where({ rules }: Tables, domain: string): string {
  return rules.domains.size > 1 ? ` at ${domain}` : "";
}

function shown(key: string): string {
  return printable(key, 60);
}

function unknownTarget(tables: Tables, target: LeafTarget, address: Mailbox): string {
  if (target.kind !== "name")
    return `"${shown(renderMailbox(address))}" is at a domain of ours, and in no table: add it, or take it out here`;
  return `"${shown(target.name)}" is neither an address nor a name in these tables${where(tables, address.domain)}`;
}

/** RFC 5321 §4.5.1: mail to postmaster must be taken, at every domain. */
function checkPostmaster(tables: Tables, files: TableFiles, report: Report): void {
  const file = files.aliases ?? files.virtual;
  if (file === undefined) return;
  for (const domain of new Set([...tables.rules.domains, ...tables.rules.ownNames])) {
    const message = postmasterProblem(tables, domain, file === files.aliases ? ":" : "");
    if (message === undefined) continue;
    report({ file, line: 1, column: 1, message });
    return;
  }
}

function postmasterProblem(tables: Tables, domain: string, colon: string): string | undefined {
  const postmaster = { localPart: "postmaster", domain };
  const example = `a line such as "postmaster${colon} you@example.net"`;
  if (findEntry(tables, postmaster).kind !== "entry")
    return `nobody reads mail to postmaster@${domain}, as RFC 5321 asks: add ${example}`;
  const { kind } = follow(tables, postmaster);
  return kind === "discard" || kind === "refuse"
    ? `mail to postmaster@${domain} is not taken, as RFC 5321 asks: write ${example}`
    : undefined;
}
