// The aliases that the tables name, as blocks of texts that the tables hold already. What no table can list is not here:
// catch-alls, extensions, users with a .forward file. Called by alias-index.ts.
import type { Mailbox, Rewriter } from "@homing/srs-core";
import type { Tables } from "../tables/tables.ts";
import { isSelectable } from "./selectable.ts";

/** Aliases at one domain. */
export interface AliasBlock {
  readonly domain: string;
  /** Of mail to these aliases. */
  readonly rewriter: Rewriter;
  /** Local parts, or whole addresses of which the local part counts. */
  readonly texts: readonly string[];
}

/** The rewriter of mail to recipients at a domain of ours, in any of its names. */
export type RewriterFor = (domain: string) => Rewriter;

/** Between two yields, which let the caller do something else. */
const TEXTS_AT_ONCE = 500;
const POSTMASTER = "postmaster";

/** Whole addresses first, then the other names of their domains, then names without a domain at each domain that has them. */
export function* aliasBlocks(tables: Tables, rewriterFor: RewriterFor): Generator<void, AliasBlock[]> {
  const { rules } = tables;
  const blocks: AliasBlock[] = [];
  const add = (domain: string, texts: readonly string[]): void => {
    if (texts.length > 0) blocks.push({ domain, rewriter: rewriterFor(domain), texts });
  };
  const otherNames = Map.groupBy(rules.domainAliases, ([, domain]) => domain);
  const namesOf = (domain: string): readonly string[] => (otherNames.get(domain) ?? []).map(([name]) => name);

  const byDomain = yield* addressesByDomain(tables);
  for (const [domain, texts] of byDomain) add(domain, texts);
  for (const [domain, texts] of byDomain) for (const name of namesOf(domain)) add(name, texts);

  const names = yield* nameTexts(tables);
  const withNames = [...rules.nameDomains].flatMap((domain) => [domain, ...namesOf(domain)]);
  for (const domain of withNames) add(domain, names);
  // RFC 5321 §4.5.1: it is an address at all of them.
  if (tables.names.has(POSTMASTER) || tables.aliases.has(POSTMASTER)) {
    const others = new Set([...rules.domains, ...rules.domainAliases.keys(), ...rules.ownNames]);
    for (const domain of withNames) others.delete(domain);
    for (const domain of others) add(domain, [POSTMASTER]);
  }
  return blocks;
}

/** The alias at a place of a block, as the table has it; undefined where it can have no selector. */
export function aliasAt({ domain, texts }: AliasBlock, place: number): Mailbox | undefined {
  const text = texts[place];
  if (text === undefined) return undefined;
  const at = text.lastIndexOf("@");
  const alias = { localPart: at < 0 ? text : text.slice(0, at), domain };
  // Three octets for each character at most: the usual alias need not be measured.
  return text.length + domain.length <= 80 || isSelectable(alias) ? alias : undefined;
}

function* addressesByDomain({ addresses }: Tables): Generator<void, Map<string, string[]>> {
  const byDomain = new Map<string, string[]>();
  let count = 0;
  for (const text of addresses.keys()) {
    const domain = text.slice(text.lastIndexOf("@") + 1);
    const texts = byDomain.get(domain);
    if (texts) texts.push(text);
    else byDomain.set(domain, [text]);
    if (++count % TEXTS_AT_ONCE === 0) yield;
  }
  return byDomain;
}

/** Both tables' names. One of both is there twice: that is one alias. */
function* nameTexts({ names, aliases, rules }: Tables): Generator<void, string[]> {
  const [domain] = rules.nameDomains;
  const texts: string[] = [];
  if (domain === undefined) return texts;
  let count = 0;
  for (const table of [names, aliases]) {
    for (const name of table.keys()) {
      if (isSelectable({ localPart: name, domain })) texts.push(name);
      if (++count % TEXTS_AT_ONCE === 0) yield;
    }
  }
  return texts;
}
