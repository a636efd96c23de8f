// Terms that do what others do: twice there, inside one another, hosts whose addresses are named already. Called by
// network-findings.ts.
import { printable } from "../printable.ts";
import type { Network } from "../record.ts";
import type { TermNode } from "./look-up-tree.ts";
import type { NewFinding } from "./network-findings.ts";
import { contains, isSame, networkOfAddress } from "./ranges.ts";

/** A network that a term names or, for `a` and `mx`, leads to. */
interface Range {
  readonly network: Network;
  readonly written: boolean;
}

interface Term {
  readonly at: TermNode;
  readonly index: number;
  readonly ranges: readonly Range[];
}

/**
 * Terms that match nothing that others do not match with the same result, or before them.
 * @param tooWide those are to go themselves: what is inside one of them stays
 */
export function overlapFindings(nodes: readonly TermNode[], tooWide: ReadonlySet<TermNode>): NewFinding[] {
  const terms = nodes.map((at, index): Term => ({ at, index, ranges: rangesOf(at) }));
  const findings: NewFinding[] = [];
  /** Without those that were found: of two that do the same, one stays. */
  const left = new Set(terms);
  for (const term of terms) {
    const others = [...left].filter((other) => other !== term);
    const keeps = others.filter(({ at }) => !tooWide.has(at));
    const twin = others.find((other) => other.index < term.index && sameTerm(other.at, term.at));
    const finding =
      twin === undefined ? overlap(term, keeps, nodes) : doubled(term.at, [twin.at], "is there twice");
    if (finding === undefined) continue;
    left.delete(term);
    findings.push(finding);
  }
  return findings;
}

function overlap(term: Term, others: readonly Term[], nodes: readonly TermNode[]): NewFinding | undefined {
  if (term.ranges.length === 0) return undefined;
  const before = others.filter(({ index }) => index < term.index);
  const end = endOfRun(nodes, term.index);
  const qualifier = term.at.mechanism?.qualifier;
  const equal = others.filter(({ at, index }) => index < end && at.mechanism?.qualifier === qualifier);
  const does = covering(term, equal);
  if (does.length > 0) return doubled(term.at, does, insideWords(term.at, does));
  const takes = covering(term, before);
  return takes.length > 0 ? beaten(term.at, takes) : undefined;
}

/** The next term with another result: what it takes is an exception from those behind it. */
function endOfRun(nodes: readonly TermNode[], start: number): number {
  const qualifier = nodes[start]?.mechanism?.qualifier;
  const end = nodes.findIndex((node, index) => index > start && node.mechanism?.qualifier !== qualifier);
  return end < 0 ? nodes.length : end;
}

/** The terms whose networks hold all that this one matches; none where something is left. */
function covering(term: Term, others: readonly Term[]): readonly TermNode[] {
  const outers = new Set<TermNode>();
  for (const inner of term.ranges) {
    const outer = others.find(({ ranges, index }) =>
      ranges.some(
        (range) =>
          range.written &&
          contains(range.network, inner.network) &&
          // Two equal ones that are written would each be found in the other.
          (index < term.index || !inner.written || !isSame(range.network, inner.network)),
      ),
    );
    if (outer === undefined) return [];
    outers.add(outer.at);
  }
  return [...outers];
}

function sameTerm(a: TermNode, b: TermNode): boolean {
  return a.mechanism !== undefined && b.mechanism !== undefined && bare(a.term) === bare(b.term);
}

function bare(term: string): string {
  return term.toLowerCase().replace(/^\+/, "");
}

function doubled(at: TermNode, outers: readonly TermNode[], what: string): NewFinding {
  const cost = at.lookups === 1 ? "a look-up" : `${at.lookups} look-ups`;
  const message = at.lookups > 0 ? `${what}, and costs ${cost}` : what;
  const does = outers.length > 1 ? "do" : "does";
  const fix = `take it out: ${shown(outers)} ${does} it`;
  return { at, severity: "warning", name: "redundant", message, fix };
}

function insideWords(at: TermNode, outers: readonly TermNode[]): string {
  const inside = `inside ${shown(outers)}`;
  return at.found.kind === "hosts" ? `its addresses are all ${inside}` : `is ${inside}`;
}

function beaten(at: TermNode, outers: readonly TermNode[]): NewFinding {
  const message = `never matches: ${shown(outers)} in front takes all of it`;
  return { at, severity: "warning", name: "never-matches", message, fix: "put it in front, or take it out" };
}

function shown(terms: readonly TermNode[]): string {
  return printable(terms.map(({ term }) => term).join(" and "));
}

function rangesOf(at: TermNode): Range[] {
  const { mechanism, found } = at;
  if (mechanism?.name === "ip4" || mechanism?.name === "ip6") {
    return [{ network: mechanism.network, written: true }];
  }
  if ((mechanism?.name !== "a" && mechanism?.name !== "mx") || found.kind !== "hosts") return [];
  if (found.hosts.some(({ failed, addresses }) => failed !== undefined || addresses.length === 0)) return [];
  return found.hosts.flatMap(({ addresses }) =>
    addresses.flatMap((address) => {
      const host = networkOfAddress(address);
      if (host === undefined) return [];
      const length = host.octets.length === 4 ? mechanism.length4 : mechanism.length6;
      return [{ network: { ...host, length }, written: false }];
    }),
  );
}
