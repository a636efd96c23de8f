// Follows an address through the tables to where its mail goes. Called by routes.ts for each recipient, by check-tables.ts
// for each entry, and by `homing route`, which shows the steps.
import type { Reply } from "@homing/mail";
import { asciiLower, MAX_LOCAL_PART_OCTETS, type Mailbox, renderMailbox } from "@homing/srs-core";
import { type Entry, storedMailbox, targetsOf } from "./entry.ts";
import { baseLength, findEntry, isOurs, mainDomain, type Tables, unknownReply } from "./tables.ts";
import type { PlacedTarget } from "./target.ts";

/** Where a copy of the mail goes. */
export interface Destination {
  readonly mailbox: Mailbox;
  /** `owner-NAME` of the list that it came from: bounces go there. */
  readonly owner?: Mailbox;
}

export type Followed =
  | { readonly kind: "destinations"; readonly destinations: readonly Destination[] }
  | { readonly kind: "discard" }
  | { readonly kind: "refuse"; readonly reply: Reply }
  | { readonly kind: "unknown"; readonly reply: Reply }
  | { readonly kind: "not-ours" };

/** One entry on the way. */
export interface Step {
  /** 0 for the entry that was found first. */
  readonly depth: number;
  readonly key: string;
  readonly entry: Entry;
}

/** Names inside names: deeper than this is a mistake. Sendmail's MaxAliasRecursion is 10. */
export const MAX_NESTING = 50;

/** @param onStep is told the way */
export function follow(tables: Tables, recipient: Mailbox, onStep?: (step: Step) => void): Followed {
  const found = findEntry(tables, recipient);
  if (found.kind === "not-ours") return found;
  if (found.kind === "unknown") {
    if (tables.rules.storeKnowsUsers) return single(inStore(tables, recipient));
    return { kind: "unknown", reply: unknownReply(tables.rules, recipient.domain) };
  }
  const { entry, key, extension } = found;
  // The usual case, in a large table: one address elsewhere.
  if (entry.away && typeof entry.targets === "string" && !onStep) {
    return single(withExtension(tables, storedMailbox(entry.targets), extension));
  }
  const [only] = targetsOf(entry);
  onStep?.({ depth: 0, key, entry });
  if (only?.kind === "discard") return { kind: "discard" };
  if (only?.kind === "refuse") return { kind: "refuse", reply: only.reply };
  const walk = createWalk(tables, homeDomain(tables, recipient), onStep);
  walk.targets(entry, [key], extension, undefined);
  const deferral = walk.deferral();
  if (deferral) return { kind: "refuse", reply: deferral };
  return { kind: "destinations", destinations: walk.destinations() };
}

function single(mailbox: Mailbox): Followed {
  return { kind: "destinations", destinations: [{ mailbox }] };
}

interface Walk {
  targets(entry: Entry, path: readonly string[], extension: string, owner: Mailbox | undefined): void;
  destinations(): readonly Destination[];
  /** An entry on the way is refused for now: the mail must come again, or that copy were lost. */
  deferral(): Reply | undefined;
}

/** Loops and names that lead nowhere are told when the tables are loaded, and passed over here. */
function createWalk(tables: Tables, domain: string, onStep: ((step: Step) => void) | undefined): Walk {
  const found = new Map<string, Destination>();
  let deferral: Reply | undefined;
  /** Keeps entries that several branches share from being walked again and again. */
  const seen = new Set<Entry>();
  const keepHere = (mailbox: Mailbox): void => {
    if (stays(tables, mailbox)) keep(inStore(tables, mailbox), undefined);
  };
  const keep = (mailbox: Mailbox, owner: Mailbox | undefined): void => {
    const key = renderMailbox({ localPart: mailbox.localPart, domain: asciiLower(mailbox.domain) });
    if (!found.has(key)) found.set(key, owner ? { mailbox, owner } : { mailbox });
  };

  const walk: Walk = {
    targets(entry, path, extension, outerOwner) {
      seen.add(entry);
      const owner = ownerOf(tables, domain, path.at(-1) ?? "") ?? outerOwner;
      for (const target of targetsOf(entry)) {
        if (target.kind === "refuse" && target.reply.code < 500) deferral ??= target.reply;
        if (target.kind === "local") keepHere({ localPart: target.user, domain });
        const local = localTarget(tables, target, domain);
        if (!local) {
          if (target.kind === "mailbox") keep(withExtension(tables, target.mailbox, extension), owner);
          continue;
        }
        const next = findEntry(tables, local);
        const found = next.kind === "entry" && !path.includes(next.key);
        if (!found) {
          // Sendmail's rule: an address that leads to itself stays, where there is somebody to keep its mail.
          const itself = next.kind !== "entry" || next.key === path.at(-1);
          if (itself) keepHere(local);
        } else if (path.length < MAX_NESTING && !seen.has(next.entry)) {
          onStep?.({ depth: path.length, key: next.key, entry: next.entry });
          walk.targets(next.entry, [...path, next.key], extension, owner);
        }
      }
    },
    destinations: () => [...found.values()],
    deferral: () => deferral,
  };
  return walk;
}

/** Where names are looked up: postmaster is asked for at our host name, too, where no other name is known. */
function homeDomain({ rules }: Tables, { domain }: Mailbox): string {
  if (isOurs(rules, domain)) return domain;
  const [first = domain] = rules.domains;
  return first;
}

/** The address of ours that a target is: by itself, or a name at the domain that was asked for. */
export function localTarget(tables: Tables, target: PlacedTarget, domain: string): Mailbox | undefined {
  if (target.kind === "name") return { localPart: target.name, domain };
  return target.kind === "mailbox" && isOurs(tables.rules, target.mailbox.domain)
    ? target.mailbox
    : undefined;
}

/** Has an address of ours, that is in no table, a server that keeps its mail? */
export function stays({ rules }: Tables, mailbox: Mailbox): boolean {
  return rules.staysAt(mainDomain(rules, mailbox.domain));
}

/** The mailbox at our end: of the domain that others are names of, without an extension. */
function inStore({ rules }: Tables, { localPart, domain }: Mailbox): Mailbox {
  return {
    localPart: localPart.slice(0, baseLength(rules, localPart)),
    domain: mainDomain(rules, domain),
  };
}

/** Nothing that the next hop might read as a route (RFC 5321 appendix C), and nothing that needs quotes. */
const PLAIN_EXTENSION = /^[A-Za-z0-9+=_.-]*[A-Za-z0-9]$/;

/** An extension that is not plain, or does not fit, is left out. */
function withExtension({ rules }: Tables, mailbox: Mailbox, extension: string): Mailbox {
  if (extension === "" || !rules.keepExtension) return mailbox;
  const localPart = mailbox.localPart + extension;
  const fits = localPart.length <= MAX_LOCAL_PART_OCTETS && !extension.includes("..");
  return fits && PLAIN_EXTENSION.test(extension) ? { localPart, domain: mailbox.domain } : mailbox;
}

/** aliases(5): mail to NAME leaves as from `owner-NAME`, where that is an alias too. */
function ownerOf(tables: Tables, domain: string, key: string): Mailbox | undefined {
  const owner = `owner-${key}`;
  if (!tables.aliases.has(key) || !tables.aliases.has(owner)) return undefined;
  return { localPart: owner, domain };
}
