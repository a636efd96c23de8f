// Who gives the sender that forwarded mail leaves with. Asked by srs-maps.ts and by the milter; made by the composition root: a
// plain rewriter is one, and one that keeps senders which do not fit into an address is another.
import type { ForwardContext, ForwardOutcome, ReversePath, UnixSeconds } from "@homing/srs-core";

export interface SenderRewriting {
  /** A promise only where something is kept: 200,000 questions a second do not wait for a disk. Never rejects. */
  forward(
    sender: ReversePath,
    now: UnixSeconds,
    context?: RewritingContext,
  ): RewritingOutcome | Promise<RewritingOutcome>;
}

export interface RewritingContext extends ForwardContext {
  /** The client network that pays for what is kept; without it a server of our own, which pays nothing. */
  readonly network?: string | undefined;
}

export type RewritingOutcome =
  | ForwardOutcome
  /** It would have been kept, and is not on the disk, or there is no room: the client comes again. */
  | { readonly ok: false; readonly reason: "not-kept" | "no-room"; readonly message: string };
