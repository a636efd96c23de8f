// What is wrong with the tables as a whole: loops, names and addresses of ours that lead nowhere, no postmaster. Called by
// load-tables.ts.
import { asciiLower, type Mailbox, printable, renderMailbox } from "@homing/srs-core";
import { type Entry, type Slot, type TableProblem, targetsOf } from "./entry.ts";
import { localTarget, MAX_NESTING, stays } from "./follow.ts";
import type { TableFiles } from "./load-tables.ts";
import { findEntry, type Tables } from "./tables.ts";
import type { PlacedTarget } from "./target.ts";

type Report = (problem: TableProblem) => void;

export function checkTables(tables: Tables, files: TableFiles, report: Report): void {
  const [domain = "localhost"] = tables.rules.domains;
  const check = createCheck(tables, report);
  for (const [name, entry] of tables.aliases) check(entry, { localPart: name, domain });
  for (const [name, entry] of tables.names) check(entry, { localPart: name, domain });
  for (const [key, entry] of tables.addresses) {
    const at = key.lastIndexOf("@");
    check(entry, { localPart: key.slice(0, at), domain: key.slice(at + 1) });
  }
  for (const [at, entry] of tables.catchAlls) check(entry, { localPart: ANYBODY, domain: at });
  checkPostmaster(tables, files, report);
}

/** No entry is called so: what is found is the catch-all. */
const ANYBODY = "anybody at all";
/** Mistaken tables may be nested as deep as they are long. */
const MAX_WALK = 1000;

/** Walks every entry once, whoever leads to it. */
function createCheck(tables: Tables, report: Report): (entry: Slot, address: Mailbox) => void {
  /** Steps from an entry to the last address behind it. */
  const heights = new Map<Entry, number>();
  const inLoops = new Set<string>();
  const tell = (entry: Entry, { line, column }: PlacedTarget, message: string): void =>
    report({ file: entry.file, line, column, message });

  const visit = (entry: Entry, domain: string, path: readonly string[]): number => {
    const known = heights.get(entry);
    if (known !== undefined) return known;
    let height = 0;
    for (const target of targetsOf(entry)) {
      if (target.kind === "local" && !stays(tables, { localPart: target.user, domain })) {
        tell(
          entry,
          target,
          `no mail store keeps a local copy: set localDelivery, or take \\${shown(target.user)} out`,
        );
      }
      const local = localTarget(tables, target, domain);
      if (!local) continue;
      const next = findEntry(tables, local);
      if (next.kind !== "entry") {
        if (!stays(tables, local) && !mayBeUser(tables, local)) tell(entry, target, unknownTarget(target));
      } else if (path.includes(next.key)) {
        if (next.key === path.at(-1) && stays(tables, local)) continue;
        const loop = [...path.slice(path.indexOf(next.key)), next.key];
        if (!loop.some((key) => inLoops.has(key))) tell(entry, target, loopMessage(loop));
        for (const key of loop) inLoops.add(key);
      } else if (path.length < MAX_WALK) {
        const reached = 1 + visit(next.entry, local.domain, [...path, next.key]);
        if (reached < MAX_NESTING) height = Math.max(height, reached);
        else
          tell(entry, target, `names are nested more than ${MAX_NESTING} deep behind this one: ${next.key}`);
      }
    }
    heights.set(entry, height);
    return height;
  };

  return (entry, address) => {
    // One address elsewhere: nothing can be wrong with it that its reader has not told.
    if (typeof entry === "string" || entry.away) return;
    const found = findEntry(tables, address);
    // An entry that another one hides at this domain is walked from its own key all the same.
    visit(entry, address.domain, [found.kind === "entry" ? found.key : renderMailbox(address)]);
  };
}

/** Whose .forward file is asked for when mail comes. */
function mayBeUser({ rules }: Tables, { domain }: Mailbox): boolean {
  const name = asciiLower(domain);
  return rules.userDomains.has(rules.domainAliases.get(name) ?? name);
}

function loopMessage(loop: readonly string[]): string {
  return `loop: ${loop.map(shown).join(" → ")}: give one of them an address outside`;
}

function shown(key: string): string {
  return printable(key, 60);
}

function unknownTarget(target: PlacedTarget): string {
  if (target.kind === "name")
    return `"${shown(target.name)}" is neither an address nor a name in these tables`;
  const address = target.kind === "mailbox" ? renderMailbox(target.mailbox) : target.kind;
  return `"${shown(address)}" is at a domain of ours, and in no table: add it, or take it out here`;
}

/** RFC 5321 §4.5.1: mail to postmaster must be taken, at every domain. */
function checkPostmaster(tables: Tables, files: TableFiles, report: Report): void {
  const file = files.aliases ?? files.virtual;
  if (file === undefined) return;
  for (const domain of new Set([...tables.rules.domains, ...tables.rules.ownNames])) {
    if (findEntry(tables, { localPart: "postmaster", domain }).kind === "entry") continue;
    const line = file === files.aliases ? "postmaster: you@example.net" : "postmaster you@example.net";
    const message = `nobody reads mail to postmaster@${domain}, as RFC 5321 asks: add a line such as "${line}"`;
    report({ file, line: 1, column: 1, message });
    return;
  }
}
