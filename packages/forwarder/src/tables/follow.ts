// Follows an address through the tables to where its mail goes. Called by follow-users.ts for each recipient, and by
// `homing route`, which shows the steps.
import { MAX_LOCAL_PART_OCTETS, type Mailbox, renderMailbox } from "@homing/srs-core";
import {
  type Entry,
  eachLeaf,
  type FilePlace,
  type IncludedList,
  type LeafTarget,
  storedMailbox,
  targetsOf,
} from "./entry.ts";
import { createFindings, type Followed } from "./followed.ts";
import { type NextStep, nextStep, type Standing } from "./next-step.ts";
import {
  domainOfNames,
  findEntry,
  foundFor,
  isOurs,
  mainDomain,
  type Tables,
  unknownReply,
} from "./tables.ts";

/** One entry on the way, or a list that one names. */
export interface Step extends FilePlace {
  /** 0 for the entry that was found first. */
  readonly depth: number;
  /** As in a table; `~user`, or `:include:/path`. */
  readonly key: string;
  /** There is no such file. */
  readonly absent?: true;
}

type OnStep = (step: Step) => void;

/** Names inside names: deeper than this is a mistake. Sendmail's MaxAliasRecursion is 10. */
export const MAX_NESTING = 50;

/** @param onStep is told the way */
export function follow(tables: Tables, recipient: Mailbox, onStep?: OnStep): Followed {
  const { rules } = tables;
  const found = findEntry(tables, recipient);
  if (found.kind === "not-ours") return found;
  if (found.kind === "unknown") {
    if (!rules.storeKnowsUsers) return { kind: "unknown", reply: unknownReply(rules, recipient.domain) };
    return single({ localPart: recipient.localPart, domain: mainDomain(rules, recipient.domain) });
  }
  const { entry, key, extension } = found;
  onStep?.(stepOf(0, key, entry));
  // The usual case, in a large table: one address elsewhere.
  if (entry.away && typeof entry.targets === "string" && entry.owner === undefined) {
    const { file, line } = entry;
    const mailbox = withExtension(tables, storedMailbox(entry.targets), extension);
    return single(mailbox, onStep && { file, line });
  }
  const walk = createWalk(tables, onStep);
  // Postmaster is asked for at our host name, too, where no other name is known.
  const domain = isOurs(rules, recipient.domain)
    ? mainDomain(rules, recipient.domain)
    : domainOfNames(rules, "");
  const address = foundFor(tables, recipient, found);
  walk.follow({ entry, key, address, domain, depth: 0 }, extension, undefined);
  return walk.result();
}

function stepOf(depth: number, key: string, { file, line, absent }: Entry): Step {
  return absent ? { depth, key, file, line, absent } : { depth, key, file, line };
}

function single(mailbox: Mailbox, place?: FilePlace): Followed {
  return { kind: "destinations", destinations: [place ? { mailbox, place } : { mailbox }], dropped: [] };
}

interface Walk {
  follow(at: Standing, extension: string, owner: Mailbox | undefined): void;
  result(): Followed;
}

/** What goes along with a target. */
interface Carried {
  readonly extension: string;
  readonly owner: Mailbox | undefined;
  readonly place: FilePlace | undefined;
}

/** Most loops and names that lead nowhere are told when the tables are loaded; those of users' files are seen here. */
function createWalk(tables: Tables, onStep: OnStep | undefined): Walk {
  const found = createFindings();
  /** Keeps entries and lists that several branches share from being walked again and again. */
  const isNew = createSeen();

  const walk: Walk = {
    follow(at, extension, outerOwner) {
      const { entry, domain } = at;
      isNew(entry, domain);
      const owner = entry.owner === undefined ? outerOwner : { localPart: entry.owner, domain };
      const isNewList = (list: IncludedList, place: FilePlace): boolean => {
        if (!isNew(list, domain)) return false;
        onStep?.({ depth: at.depth + 1, key: `:include:${list.file}`, ...place });
        return true;
      };
      eachLeaf({ file: entry.file, targets: targetsOf(entry) }, isNewList, (target, file) => {
        if (target.kind === "discard") found.discard();
        else if (target.kind === "refuse") found.refuse(at.depth > 0 ? at.key : undefined, target.reply);
        else {
          const place = onStep && { file, line: target.line };
          step(nextStep(tables, target, at), target, { extension, owner, place });
        }
      });
    },
    result: found.result,
  };

  const step = (next: NextStep, target: LeafTarget, { extension, owner, place }: Carried): void => {
    switch (next.kind) {
      case "outside":
        found.keep(withExtension(tables, next.mailbox, extension), owner, place);
        break;
      case "stays":
        found.keep(next.mailbox, undefined, place);
        break;
      case "no-store":
        found.noStore(targetText(target));
        break;
      case "loop":
        found.drop(targetText(target), `loop: ${next.path.join(" → ")}`);
        break;
      case "unknown":
        found.drop(renderMailbox(next.address), "in no table");
        break;
      case "entry": {
        const { entry, key, depth, domain } = next.at;
        if (depth >= MAX_NESTING) found.drop(key, `nested more than ${MAX_NESTING} deep`);
        else if (isNew(entry, domain)) {
          onStep?.(stepOf(depth, key, entry));
          walk.follow(next.at, extension, owner);
        }
      }
    }
  };
  return walk;
}

/** Of one walk: has this been walked for this domain? */
function createSeen(): (what: Entry | IncludedList, domain: string) => boolean {
  const seen = new Map<Entry | IncludedList, Set<string>>();
  return (what, domain) => {
    const domains = seen.get(what) ?? new Set();
    seen.set(what, domains);
    return domains.size < domains.add(domain).size;
  };
}

function targetText(target: LeafTarget): string {
  switch (target.kind) {
    case "mailbox":
      return renderMailbox(target.mailbox);
    case "name":
      return target.name;
    case "local":
      return `\\${target.user}`;
    default:
      return target.kind;
  }
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
