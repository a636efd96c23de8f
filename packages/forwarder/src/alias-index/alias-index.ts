// From the selector in an SRS tag to the alias that it names: whom a bounce is about, without a search for the address that
// the bounce names. Built over the tables when somebody asks, in slices on the main thread. Called for each bounce that is
// re-issued.
import { asciiLower, type Mailbox, type Rewriter, renderMailbox } from "@homing/srs-core";
import type { Tables } from "../tables/tables.ts";
import { type AliasBlock, aliasAt, aliasBlocks, type RewriterFor } from "./alias-list.ts";
import { inSlices } from "./in-slices.ts";
import { createSelectorTable, type SelectorTable, selectorNumber } from "./selector-table.ts";

export interface AliasIndex {
  /**
   * The alias, in lower case, at the domain that the sender used. Undefined where no table names it, where two have this
   * selector, and where it belongs to another SRS domain: the bounce is neutral then.
   * @param rewriter that verified the tag
   * @param secretIndex with which of its secrets: under another one the selector is somebody else's
   */
  aliasOf(selector: string, rewriter: Rewriter, secretIndex: number): Promise<Mailbox | undefined>;
}

export interface AliasIndexOptions {
  /** Asked each time: a reload swaps them. */
  readonly tables: () => Tables;
  readonly rewriterFor: RewriterFor;
  /** Told of each index. */
  readonly built?: (facts: AliasIndexFacts) => void;
  /** Beyond so many, aliases are left out. */
  readonly maxSelectors?: number;
}

export interface AliasIndexFacts {
  /** Once for each secret. */
  readonly selectors: number;
  /** Aliases beyond `maxSelectors`: names at so many domains. */
  readonly leftOut: number;
  readonly ms: number;
}

/** Names are aliases at each domain: many of both would fill any memory. So many take some 100 MB. */
const MAX_SELECTORS = 8_000_000;
const ALIASES_AT_ONCE = 50;

export function createAliasIndex(options: AliasIndexOptions): AliasIndex {
  const { tables, rewriterFor, built, maxSelectors = MAX_SELECTORS } = options;
  let current: { readonly of: Tables; readonly index: Promise<Index | undefined> } | undefined;

  /** Undefined where the tables were swapped meanwhile. */
  const indexOf = (of: Tables): Promise<Index | undefined> => {
    if (current?.of === of) return current.index;
    const start = performance.now();
    const work = build(of, rewriterFor, maxSelectors);
    const index = inSlices(work, () => of === tables()).then((done) => {
      if (!done) return undefined;
      const { selectors, leftOut } = done;
      built?.({ selectors, leftOut, ms: performance.now() - start });
      return done;
    });
    current = { of, index };
    // Whoever asks next may have more luck.
    index.catch(() => {
      if (current?.index === index) current = undefined;
    });
    return index;
  };

  return {
    async aliasOf(selector, rewriter, secretIndex) {
      const number = selectorNumber(selector);
      if (number === undefined) return undefined;
      for (;;) {
        const index = await indexOf(tables());
        if (index) return find(index, number, { selector, rewriter, secretIndex });
      }
    },
  };
}

interface Index {
  readonly blocks: readonly PlacedBlock[];
  readonly table: SelectorTable;
  readonly selectors: number;
  readonly leftOut: number;
}

interface PlacedBlock extends AliasBlock {
  /** The place of its first alias among all. */
  readonly start: number;
  readonly srsDomain: string;
}

function* build(tables: Tables, rewriterFor: RewriterFor, maxSelectors: number): Generator<void, Index> {
  const all = yield* aliasBlocks(tables, rewriterFor);
  const { blocks, selectors, leftOut } = placed(all, maxSelectors);
  const table = createSelectorTable(selectors);
  for (const block of blocks) {
    for (let place = 0; place < block.texts.length; place += ALIASES_AT_ONCE) {
      addAliases(table, block, place);
      yield;
    }
  }
  return { blocks, table, selectors, leftOut };
}

/** A function of its own: inside the generator it took half as long again. */
function addAliases(table: SelectorTable, block: PlacedBlock, from: number): void {
  const to = Math.min(from + ALIASES_AT_ONCE, block.texts.length);
  for (let place = from; place < to; place++) {
    const alias = aliasAt(block, place);
    if (!alias) continue;
    for (const selector of block.rewriter.selectorsOf(alias)) {
      const number = selectorNumber(selector);
      if (number !== undefined) table.add(number, block.start + place);
    }
  }
}

/** One after the other, until they are too many: then by whole blocks, so that it does not matter who stands where in one. */
function placed(
  blocks: readonly AliasBlock[],
  maxSelectors: number,
): Pick<Index, "selectors" | "leftOut"> & { readonly blocks: PlacedBlock[] } {
  const taken: PlacedBlock[] = [];
  let [start, selectors, leftOut] = [0, 0, 0];
  for (const block of blocks) {
    const { rewriter, texts } = block;
    const secrets = rewriter.selectorsOf({ localPart: "x", domain: rewriter.domain }).length;
    if (selectors + secrets * texts.length > maxSelectors) {
      leftOut += texts.length;
      continue;
    }
    taken.push({ ...block, start, srsDomain: asciiLower(rewriter.domain) });
    start += texts.length;
    selectors += secrets * texts.length;
  }
  return { blocks: taken, selectors, leftOut };
}

interface Wanted {
  readonly selector: string;
  readonly rewriter: Rewriter;
  readonly secretIndex: number;
}

function find({ blocks, table }: Index, number: number, wanted: Wanted): Mailbox | undefined {
  const { selector, rewriter, secretIndex } = wanted;
  const srsDomain = asciiLower(rewriter.domain);
  let found: Mailbox | undefined;
  for (const place of table.placesOf(number)) {
    const block = blockAt(blocks, place);
    const alias =
      block?.srsDomain === srsDomain ? inLowerCase(aliasAt(block, place - block.start)) : undefined;
    if (!alias || rewriter.selectorsOf(alias)[secretIndex] !== selector) continue;
    if (found && renderMailbox(found) !== renderMailbox(alias)) return undefined;
    found ??= alias;
  }
  return found;
}

/** Here and not for each alias of the index: selectors are of folded addresses anyhow. */
function inLowerCase(alias: Mailbox | undefined): Mailbox | undefined {
  return alias && { ...alias, localPart: asciiLower(alias.localPart) };
}

/** The last one that begins at the place or before it. */
function blockAt(blocks: readonly PlacedBlock[], place: number): PlacedBlock | undefined {
  let [from, to] = [0, blocks.length];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if ((blocks[middle]?.start ?? 0) <= place) from = middle;
    else to = middle;
  }
  return blocks[from];
}
