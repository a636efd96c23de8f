// The copies of a message, one for each destination, and the envelope sender of each. Called by receive.ts at RCPT, because a
// sender that cannot leave must be refused there.
import type { Reply } from "@homing/mail";
import {
  type ForwardContext,
  type ForwardOutcome,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  type Rewriter,
  type UnixSeconds,
} from "@homing/srs-core";
import { isSelectable } from "./alias-index/selectable.ts";
import type { Route } from "./routes.ts";
import type { Destination } from "./tables/followed.ts";

/** One copy of a message, and the envelope sender that it has. */
export interface Copy {
  readonly mailbox: Mailbox;
  readonly reversePath: ReversePath;
  /** It stays on this site. */
  readonly stays: boolean;
  /** Of the list that led here: who hears of failures. */
  readonly owner?: Mailbox;
}

export interface CopyOptions {
  /** Rewrites the senders of mail to this recipient. */
  readonly rewriterFor: (recipient: Mailbox) => Rewriter;
  readonly isOurDomain: (domain: string) => boolean;
}

export type Copies =
  | { readonly ok: true; readonly copies: readonly Copy[] }
  | { readonly ok: false; readonly reason: string; readonly reply: Reply };

export interface Leading {
  readonly route: Extract<Route, { kind: "alias" | "bounce" }>;
  readonly recipient: Mailbox;
  /** The envelope sender that came. */
  readonly given: ReversePath;
  readonly now: UnixSeconds;
}

/**
 * Each with its envelope sender: mail of a list bounces to its owner, mail that stays on the site keeps its sender, however
 * long; all else is rewritten. A bounce has the null path: nothing may ever be returned to it.
 */
export function copiesOf(options: CopyOptions, { route, recipient, given, now }: Leading): Copies {
  const { isOurDomain } = options;
  const isNull = given === NULL_PATH || isBounce(route);
  const copies: Copy[] = [];
  let rewritten: ForwardOutcome | undefined;
  for (const { mailbox, owner } of route.destinations) {
    const stays = isOurDomain(mailbox.domain);
    const owned = owner === undefined ? {} : { owner };
    const kept = isNull ? NULL_PATH : stays ? given : owner;
    if (kept !== undefined) {
      copies.push({ mailbox, reversePath: kept, stays, ...owned });
      continue;
    }
    rewritten ??= rewriterOf(options, route, recipient).forward(given, now, contextOf(route, recipient));
    if (!rewritten.ok) return cannotLeave(rewritten);
    copies.push({ mailbox, reversePath: rewritten.sender, stays });
  }
  return { ok: true, copies };
}

/** Of mail that was sent from here for somebody: what comes back is known by its sender, who stays. A list's owner hears first. */
export function copiesOfSent(
  destinations: readonly Destination[],
  reversePath: ReversePath,
  isOurDomain: (domain: string) => boolean,
): readonly Copy[] {
  return destinations.map(({ mailbox, owner }) => {
    const stays = isOurDomain(mailbox.domain);
    if (!owner || reversePath === NULL_PATH) return { mailbox, reversePath, stays };
    return { mailbox, reversePath: stays ? reversePath : owner, stays, owner };
  });
}

function isBounce(route: Leading["route"]): boolean {
  return route.kind === "bounce" && !(route.unwrapped.srs === "srs0" && route.unwrapped.isAnswer);
}

/** An automatic answer leaves as the mail came that it answers. */
function rewriterOf({ rewriterFor }: CopyOptions, route: Leading["route"], recipient: Mailbox): Rewriter {
  const isWrapped = route.kind === "bounce" && route.unwrapped.srs === "srs0";
  return isWrapped ? route.unwrapped.facts.rewriter : rewriterFor(recipient);
}

/**
 * The alias is the address that the sender used, with its extension, at the domain that he wrote: a bounce is told in those
 * words. One that stands in no table (an extension, a catch-all) is found by no selector later, only by the header mark.
 */
function contextOf(route: Leading["route"], recipient: Mailbox): ForwardContext {
  return route.kind === "alias" && isSelectable(recipient) ? { alias: recipient } : {};
}

function cannotLeave({ reason, message }: Extract<ForwardOutcome, { ok: false }>): Copies {
  const text = `the sender address cannot be forwarded: ${message}`;
  return { ok: false, reason: `sender-${reason}`, reply: { code: 550, enhanced: "5.1.7", text } };
}
