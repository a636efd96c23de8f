// Which bounces share a budget, and what is kept for the notice about those beyond it. Called by the files beside this one.
import { type BounceClass, type SrsFacts, srsAddressKey } from "@homing/bounce-handler";
import { asciiLower, type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";

/** What of an SRS address makes it another one. */
export interface KeyFacts {
  readonly to: Mailbox;
  readonly facts: Pick<SrsFacts, "rewriter" | "selector" | "stamp">;
}

/** Of the original sender's SRS address. */
export function senderKey({ to, facts }: KeyFacts): string {
  const { rewriter, selector, stamp } = facts;
  return srsAddressKey({ srsDomain: rewriter.domain, sender: to, selector, stamp });
}

/** Who is told of what: none of them takes anything from another's budget, and a notice is about failures alone. */
export type ReturnSort = "failed" | "other" | "owner" | "owner-too" | "passed" | "passed-other" | "silent";

/**
 * @param alias where it is known. An SRS address without a selector is the same for every alias, and a notice names one: there
 *     the alias has a bucket of its own, for only the mark of a message that came to it says which it was
 */
export function returnKey(sort: ReturnSort, unwrapped: KeyFacts, alias: Mailbox | undefined): string {
  const named = unwrapped.facts.selector === undefined && alias ? ` ${asciiLower(renderMailbox(alias))}` : "";
  return `${sort} ${senderKey(unwrapped)}${named}`;
}

/** What a folded notice says beside its Message-IDs. */
export interface FoldedAbout {
  readonly to: Mailbox;
  /** The address of ours that bounces came to: the notice must not come there, too. */
  readonly srs?: Mailbox | undefined;
  readonly alias: Mailbox | undefined;
  readonly enhanced: string;
  readonly class?: BounceClass | undefined;
  /** It goes to the owner of the alias: the mail was not his. */
  readonly isForOwner: boolean;
  /** The log of failures has them already, or has them from another notice: of `both`, it counts what the sender is told. */
  readonly isCountedElsewhere: boolean;
}

interface Written extends Omit<FoldedAbout, "to" | "srs" | "alias"> {
  readonly to: string;
  readonly srs?: string | undefined;
  readonly alias?: string | undefined;
}

export function renderAbout(about: FoldedAbout): string {
  const { to, srs, alias } = about;
  const written: Written = {
    ...about,
    to: renderMailbox(to),
    srs: srs && renderMailbox(srs),
    alias: alias && renderMailbox(alias),
  };
  return JSON.stringify(written);
}

/** As `renderAbout` wrote it. Throws for anything else: that is a bug, or somebody wrote into the spool. */
export function parseAbout(text: string): FoldedAbout {
  const written = JSON.parse(text) as Written;
  const { to, srs, alias } = written;
  return {
    ...written,
    to: mailboxOf(to),
    srs: srs === undefined ? undefined : mailboxOf(srs),
    alias: alias === undefined ? undefined : mailboxOf(alias),
  };
}

function mailboxOf(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (!parsed.ok) throw new Error(`a bucket is about ${JSON.stringify(text)}, which is no address`);
  return parsed.mailbox;
}
