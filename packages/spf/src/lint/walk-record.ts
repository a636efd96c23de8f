// Follows a record wherever it leads, as a receiver does whose client matches nothing. Called by lint.ts. It goes no deeper
// than the budget of records lasts, so strangers' records cannot keep it busy.
import { isSpfRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";
import type { MacroString, Mechanism } from "../record.ts";
import { askHosts, type HostWalk, hasMacro, NO_DOMAIN } from "./ask-hosts.ts";
import {
  NO_VOIDS,
  type RecordNode,
  type RecordOutcome,
  type TermFound,
  type TermNode,
  totals,
} from "./look-up-tree.ts";
import { columnFinder, readTerms } from "./read-terms.ts";
import { staticName } from "./static-name.ts";

/** Ten look-ups make a record wrong; so many are shown to whoever must mend it. */
export const MAX_RECORDS = 40;

export interface Walk extends HostWalk {
  /** What may still be asked for. */
  readonly budget: { records: number; terms: number };
}

interface Place {
  readonly domain: string;
  readonly depth: number;
  readonly role: RecordNode["role"];
  /** The domains above: whoever meets one of them again goes round. */
  readonly above: readonly string[];
}

export async function walkDomain(place: Place, walk: Walk): Promise<RecordNode> {
  const { domain, depth, role, above } = place;
  const node = (outcome: RecordOutcome): RecordNode => ({ domain, depth, role, outcome });
  if (above.includes(domain)) return node({ kind: "loop" });
  if (walk.resolver === undefined) return node({ kind: "not-followed", why: "DNS was not asked" });
  if (walk.budget.records <= 0) {
    return node({ kind: "not-followed", why: `more than ${MAX_RECORDS} records` });
  }
  walk.budget.records -= 1;
  const answer = await walk.resolver.txt(domain);
  if (answer.kind === "failed") return node({ kind: "failed", cause: printable(answer.cause) });
  if (answer.kind === "no-such-name") return node(answer);
  const texts = answer.records.filter(isSpfRecord);
  const [text] = texts;
  if (text === undefined) return node({ kind: "none", almost: answer.records.filter(isAlmost) });
  if (texts.length > 1) return node({ kind: "several", texts });
  return walkText(text, place, walk);
}

/** @param text that isSpfRecord took */
export async function walkText(text: string, place: Place, walk: Walk): Promise<RecordNode> {
  const { domain, depth, role } = place;
  const { record, faults } = readTerms(text);
  const below: Place = { ...place, depth: depth + 1, above: [...place.above, domain] };
  const terms: TermNode[] = [];
  const columnOf = columnFinder(text);
  let reached = true;
  for (const mechanism of record.mechanisms) {
    const column = columnOf(mechanism.text);
    terms.push(
      reached
        ? await mechanismNode(mechanism, column, below, walk)
        : {
            term: mechanism.text,
            column,
            mechanism,
            lookups: 0,
            voids: NO_VOIDS,
            found: { kind: "never-reached" },
          },
    );
    if (mechanism.name === "all") reached = false;
  }
  if (record.redirect !== undefined) {
    const { text: term, value } = record.redirect;
    const found: TermFound = reached ? await followed(value, below, walk) : { kind: "never-reached" };
    terms.push({ term, column: columnOf(term), ...cost(found, reached ? 1 : 0), found });
  }
  return { domain, depth, role, outcome: { kind: "record", text, record, faults, terms } };
}

async function mechanismNode(
  mechanism: Mechanism,
  column: number | undefined,
  below: Place,
  walk: Walk,
): Promise<TermNode> {
  const head = { term: mechanism.text, column, mechanism };
  switch (mechanism.name) {
    case "all":
    case "ip4":
    case "ip6":
      return { ...head, lookups: 0, voids: NO_VOIDS, found: { kind: "nothing-to-ask" } };
    case "ptr":
      return {
        ...head,
        lookups: 1,
        voids: NO_VOIDS,
        found: { kind: "varies", macro: "the client's address" },
      };
    case "include": {
      const found = await followed(mechanism.target, { ...below, role: "included" }, walk);
      return { ...head, ...cost(found, 1), found };
    }
    default:
      return { ...head, ...(await askHosts(mechanism, below.above.at(-1) ?? "", walk)) };
  }
}

async function followed(target: MacroString, below: Place, walk: Walk): Promise<TermFound> {
  const domain = below.above.at(-1) ?? "";
  const name = staticName(target, domain, walk.sender);
  if (name.kind === "varies") return name;
  if (domain === "" && hasMacro(target)) return NO_DOMAIN;
  return { kind: "record", node: await walkDomain({ ...below, domain: name.name }, walk) };
}

/** With what is below it. */
function cost(found: TermFound, own: number): Pick<TermNode, "lookups" | "voids"> {
  if (found.kind !== "record") return { lookups: own, voids: NO_VOIDS };
  const { lookups, voids } = totals(found.node);
  return { lookups: own + lookups, voids };
}

/** Written for SPF, and no record: quotes in it, a wrong version, no space. */
function isAlmost(text: string): boolean {
  return /^[\s"'\\]*(?:v\s?=\s?spf|spf1\b)/i.test(text);
}
