// What we answer to text, as a peer would: an address or a refusal. Called by the comparisons with other programs.

import type { UnixSeconds } from "../day-stamp.ts";
import { parseMailbox, renderMailbox } from "../mailbox.ts";
import { renderReversePath } from "../reverse-path.ts";
import { createRewriter, type Rewriter } from "../rewriter.ts";
import type { RewriterOptions } from "../rewriter-options.ts";

export type Answer = { readonly address: string } | { readonly refused: string };

/** Refusals begin with the reason; that of an option that we do not take is `bad-option`. */
export function ourForward(options: RewriterOptions, sender: string, now: UnixSeconds): Answer {
  const rewriter = orBadOption(() => createRewriter(options));
  return "refused" in rewriter ? rewriter : forwardText(rewriter, sender, now);
}

export function ourReverse(options: RewriterOptions, address: string, now: UnixSeconds): Answer {
  return reverseText(createRewriter(options), address, now);
}

export function forwardText(rewriter: Rewriter, sender: string, now: UnixSeconds): Answer {
  const parsed = parseMailbox(sender);
  if (!parsed.ok) return { refused: `${parsed.reason}: ${parsed.message}` };
  const outcome = rewriter.forward(parsed.mailbox, now);
  if (!outcome.ok) return { refused: `${outcome.reason}: ${outcome.message}` };
  return { address: renderReversePath(outcome.sender) };
}

export function reverseText(rewriter: Rewriter, address: string, now: UnixSeconds): Answer {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return { refused: `${parsed.reason}: ${parsed.message}` };
  const outcome = rewriter.reverse(parsed.mailbox, now);
  return outcome.ok ? { address: renderMailbox(outcome.address) } : { refused: outcome.reason };
}

function orBadOption<Value extends object>(make: () => Value): Value | { refused: string } {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      return { refused: `bad-option: ${error.message}` };
    throw error;
  }
}

/** A peer's answer in the same form. */
export function theirAnswer(answer: string | { readonly error: string }): Answer {
  return typeof answer === "string" ? { address: answer } : { refused: answer.error };
}

export function sameAnswer(ours: Answer, theirs: Answer): boolean {
  if ("address" in ours && "address" in theirs) return ours.address === theirs.address;
  return "refused" in ours && "refused" in theirs;
}
