// At which domains a name of the tables is walked when they are checked: it may lead elsewhere at each, and to try all would
// take long where both are many. Called by check-tables.ts.
import { type Entry, eachLeaf, type IncludedList, targetsOf } from "./entry.ts";
import { hasOwnAddress, type Tables } from "./tables.ts";

/**
 * Domains that treat unknown names alike differ by their whole addresses alone. So each name is walked at one of them where
 * it is no whole address, and for each of its targets at one where that is none either: what is somebody there is somebody
 * everywhere. No more addresses are looked up than the table has.
 */
export function createNameDomains(tables: Tables): (name: string, entry: Entry) => Iterable<string> {
  const groups = groupsOf(tables).map((domains) => createGroup(tables, domains));
  const seen = new Set<IncludedList>();
  /** Of a list that several entries name, the first one's. */
  const isNew = (list: IncludedList): boolean => seen.size < seen.add(list).size;
  return (name, entry) => {
    const chosen = new Set<string>();
    const choosers = groups.map((group) => group(name));
    const choose = (target?: string): void => {
      for (const chooser of choosers) {
        const domain = chooser(target);
        if (domain !== undefined) chosen.add(domain);
      }
    };
    choose();
    eachLeaf({ file: entry.file, targets: targetsOf(entry) }, isNew, (target) => {
      if (target.kind === "name") choose(target.name);
    });
    return chosen;
  };
}

/** Those with the fewest addresses first: they have the fewest names. */
function groupsOf(tables: Tables): readonly (readonly string[])[] {
  const { nameDomains, staysAt, knowsUsers, userDomains } = tables.rules;
  const size = (domain: string): number => tables.addressCounts.get(domain) ?? 0;
  const traits = (domain: string): string =>
    [tables.catchAlls.has(domain), staysAt(domain), knowsUsers(domain), userDomains.has(domain)].join();
  const inOrder = [...nameDomains].toSorted((a, b) => size(a) - size(b));
  return [...Map.groupBy(inOrder, traits).values()];
}

/** Without a target: any domain for the name itself. */
type Chooser = (target?: string) => string | undefined;

function createGroup(tables: Tables, domains: readonly string[]): (name: string) => Chooser {
  const [any] = domains;
  /** Of a name: the first domain where it is no whole address. */
  const starts = new Map<string, number>();
  const startOf = (name: string): number => {
    const known = starts.get(name);
    if (known !== undefined) return known;
    const at = domains.findIndex((domain) => !hasOwnAddress(tables, name, domain));
    const start = at < 0 ? domains.length : at;
    starts.set(name, start);
    return start;
  };

  return (name) => {
    const first = domains[startOf(name)];
    let visible: readonly string[] | undefined;
    return (target) => {
      // A name that is hidden everywhere is walked all the same: its mistakes are mistakes.
      if (target === undefined) return first ?? any;
      const domain = domains[startOf(target)];
      if (domain === undefined || first === undefined) return undefined;
      if (domain === first) return first;
      visible ??= domains.filter((one) => !hasOwnAddress(tables, name, one));
      return visible.find((one) => !hasOwnAddress(tables, target, one));
    };
  };
}
