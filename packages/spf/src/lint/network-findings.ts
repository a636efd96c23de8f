// What the networks of one record show: too wide, private, written oddly. Called by record-findings.ts.
import type { Mechanism } from "../record.ts";
import type { Finding } from "./finding.ts";
import type { TermNode } from "./look-up-tree.ts";
import { overlapFindings } from "./overlap-findings.ts";
import { hasHostBits, isPrivate, renderNetwork, widthOf } from "./ranges.ts";

export type NewFinding = Omit<Finding, "domain" | "term" | "column"> & { readonly at: TermNode };

/** @param terms that are reached, in their order */
export function networkFindings(terms: readonly TermNode[], included: boolean): readonly NewFinding[] {
  const wide = terms.flatMap((at) => widthFindings(at, included));
  if (included) return wide;
  const tooWide = new Set(wide.map(({ at }) => at));
  return [
    ...wide,
    ...terms.flatMap((at) => addressFindings(at, tooWide.has(at))),
    ...overlapFindings(terms, tooWide),
  ];
}

function widthFindings(at: TermNode, included: boolean): NewFinding[] {
  const { mechanism } = at;
  if (mechanism === undefined || mechanism.qualifier !== "+") return [];
  return lengthsOf(mechanism).flatMap(([length, family]) => {
    const width = widthOf(length, family);
    if (width === "narrow") return [];
    const size = `2^${(family === 4 ? 32 : 128) - length} IPv${family} addresses`;
    const found: Pick<NewFinding, "severity" | "name" | "message"> =
      width === "everybody"
        ? { severity: "error", name: "passes-everybody", message: `every IPv${family} client passes` }
        : { severity: WIDTHS[width], name: "wide-network", message: `/${length} lets ${size} pass` };
    const severity = included && width === "wide" ? "hint" : found.severity;
    return [{ ...found, at, severity, fix: "name the addresses that send, and no others" }];
  });
}

const WIDTHS = { reckless: "error", wide: "warning" } as const;

function lengthsOf(mechanism: Mechanism): [length: number, family: 4 | 6][] {
  switch (mechanism.name) {
    case "a":
    case "mx":
      return [
        [mechanism.length4, 4],
        [mechanism.length6, 6],
      ];
    case "ip4":
      return [[mechanism.network.length, 4]];
    case "ip6":
      return [[mechanism.network.length, 6]];
    default:
      return [];
  }
}

/** @param isTooWide nobody shall write it better: it is to go */
function addressFindings(at: TermNode, isTooWide: boolean): NewFinding[] {
  const { mechanism } = at;
  if (mechanism?.name !== "ip4" && mechanism?.name !== "ip6") return [];
  const { network } = mechanism;
  const findings: NewFinding[] = [];
  if (isPrivate(network)) {
    const message = `${renderNetwork(network)} is a private network: no client on the Internet comes from there`;
    findings.push({ at, severity: "hint", name: "private-network", message, fix: "take it out" });
  }
  if (hasHostBits(network) && !isTooWide) {
    const text = renderNetwork(network);
    const message = `the address is inside its network: ${text} is meant by it`;
    const one = text.slice(0, text.indexOf("/"));
    const fix = `write ${mechanism.name}:${text}, or the address without /${network.length}`;
    if (one !== text) findings.push({ at, severity: "hint", name: "host-bits", message, fix });
  }
  return findings;
}
