// What is wrong with the tables as a whole: loops, names and addresses of ours that lead nowhere, no postmaster. Called by
// load-tables.ts.
import { setImmediate } from "node:timers/promises";
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
import { createNameDomains } from "./name-domains.ts";
import { nextStep, type Standing } from "./next-step.ts";
import { findEntry, isElsewhere, mainDomain, type Tables } from "./tables.ts";

type Report = (problem: TableProblem) => void;

/** In slices, with other work between them: at a reload mail is served meanwhile. */
export async function checkTables(tables: Tables, files: TableFiles, report: Report): Promise<void> {
  const check = createCheck(tables, report);
  const domainsOf = createNameDomains(tables);
  const mayPause = createPauses();
  for (const table of [tables.aliases, tables.names]) {
    for (const [name, entry] of table) {
      if (mayPause(entry)) await setImmediate();
      if (isAway(entry)) continue;
      for (const domain of domainsOf(name, entry))
        check(entry, { key: name, address: `${name}@${domain}`, domain });
    }
  }
  for (const [key, entry] of tables.addresses) {
    if (mayPause(entry)) await setImmediate();
    if (isAway(entry)) continue;
    check(entry, { key, address: key, domain: key.slice(key.lastIndexOf("@") + 1) });
  }
  for (const [domain, entry] of tables.catchAlls) {
    if (!isAway(entry)) check(entry, { key: `@${domain}`, address: `@${domain}`, domain });
  }
  checkPostmaster(tables, files, report);
}

/** Some 20 ms, at 5 µs for an entry that is walked and 0.05 µs for one that is not. */
const SLICE_ENTRIES = 4000;

function createPauses(): (slot: Slot) => boolean {
  let work = 0;
  return (slot) => {
    work += isAway(slot) ? 0.01 : 1;
    if (work < SLICE_ENTRIES) return false;
    work = 0;
    return true;
  };
}

/** One address elsewhere: nothing can be wrong with it that its reader has not told. */
function isAway(slot: Slot): slot is string {
  return typeof slot === "string" || slot.away;
}

/** Mistaken tables may be nested as deep as they are long. */
const MAX_WALK = 1000;

/** Loops: more than these are not looked for. Each has a path of its own to compare and to tell. */
const MAX_LOOPS = 1000;

/** Walks every entry once for each domain, whoever leads to it. */
function createCheck(
  tables: Tables,
  report: Report,
): (entry: Entry, at: Pick<Standing, "key" | "address" | "domain">) => void {
  /** Steps from an entry or a list to the last address behind it, by domain. */
  const heights = new Map<string, Map<Entry | IncludedList, number>>();
  const loops = new Set<string>();
  const told = new Set<string>();
  const tell = (file: string, { line, column }: LeafTarget, message: string): void => {
    const key = `${file}:${line}:${column}`;
    if (!told.has(key)) report({ file, line, column, message });
    told.add(key);
  };
  const remember = (what: Entry | IncludedList, domain: string, height: number): number => {
    const known = heights.get(domain) ?? new Map<Entry | IncludedList, number>();
    heights.set(domain, known.set(what, height));
    return height;
  };

  const visit = (at: Standing): number => {
    const { entry, domain } = at;
    const known = heights.get(domain)?.get(entry);
    if (known !== undefined) return known;
    return remember(entry, domain, highest(entry.file, targetsOf(entry), at));
  };

  const highest = (file: string, targets: readonly LoadedTarget[], at: Standing): number => {
    let height = 0;
    for (const target of targets) {
      if (target.kind !== "list") height = Math.max(height, behind(file, target, at));
      else {
        const { list } = target;
        const known = heights.get(at.domain)?.get(list);
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
        if (!mayBeUser(tables, next.address))
          tell(file, target, unknownTarget(tables, target, next.address) + domainHint(tables, at));
        return 0;
      case "loop": {
        const isNew = isNewLoop(next.path);
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
      case "stays": {
        const fault = tables.rules.mailboxFault(next.mailbox);
        if (fault !== undefined)
          tell(file, target, `"${shown(next.mailbox.localPart)}": ${fault}: correct it`);
        return 0;
      }
    }
  };

  /** A loop may be met again, at another domain or from another of its names. */
  const isNewLoop = (path: readonly string[]): boolean => {
    if (loops.size >= MAX_LOOPS) return false;
    return loops.size < loops.add(JSON.stringify(path.slice(1).toSorted())).size;
  };

  return (entry, at) => void visit({ entry, depth: 0, ...at });
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

/** Postfix's virtual(5) has lines for domains; what stands behind them means nothing. */
function domainHint({ names }: Tables, { entry, key }: Standing): string {
  if (!key.includes(".") || names.get(key) !== entry) return "";
  return `; or, if "${shown(key)}" declares a domain, as for Postfix: list it in domains, and take this line out`;
}

/** RFC 5321 §4.5.1: mail to postmaster must be taken, at every domain. One line may mend several of these. */
function checkPostmaster(tables: Tables, files: TableFiles, report: Report): void {
  const file = files.aliases ?? files.virtual;
  if (file === undefined) return;
  const example = `a line such as "postmaster${file === files.aliases ? ":" : ""} you@example.net"`;
  const told = new Set<string>();
  for (const domain of new Set([...tables.rules.domains, ...tables.rules.ownNames])) {
    const problem = postmasterProblem(tables, domain, { file, example });
    const place = problem && `${problem.file}:${problem.line}`;
    if (!place || told.has(place)) continue;
    told.add(place);
    report(problem);
  }
}

function postmasterProblem(
  tables: Tables,
  domain: string,
  { file, example }: { readonly file: string; readonly example: string },
): TableProblem | undefined {
  const postmaster = { localPart: "postmaster", domain };
  const found = findEntry(tables, postmaster);
  if (found.kind !== "entry") {
    const message = `nobody reads mail to postmaster@${domain}, as RFC 5321 asks: add ${example}`;
    return { file, line: 1, column: 1, message };
  }
  const { kind } = follow(tables, postmaster);
  if (kind !== "discard" && kind !== "refuse") return undefined;
  const message = `mail to postmaster@${domain} is not taken, as RFC 5321 asks: let this entry lead to an address`;
  return { file: found.entry.file, line: found.entry.line, column: 1, message };
}
