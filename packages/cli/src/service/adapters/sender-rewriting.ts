// The senders of maps and milter that do not fit into an address: `homing serve` keeps them, as its SMTP service does. Called by
// adapters.ts, with the state of the process where it has one.
import type { State } from "@homing/forwarder";
import type { RewritingContext, RewritingOutcome, SenderRewriting } from "@homing/mta-adapters";
import type { ReversePath, Rewriter, UnixSeconds } from "@homing/srs-core";

const NOT_KEPT: RewritingOutcome = {
  ok: false,
  reason: "not-kept",
  message: "the sender does not fit into an address, and cannot be kept now",
};

const NO_ROOM: RewritingOutcome = {
  ok: false,
  reason: "no-room",
  message: "the sender does not fit into an address, and there is no room to keep it now",
};

/** @param rewriter made with `keptSenders.store` */
export function createSenderRewriting(
  rewriter: Pick<Rewriter, "forward">,
  keptSenders: Pick<State["keptSenders"], "onBehalfOf" | "durable"> | undefined,
): SenderRewriting {
  if (!keptSenders) return { forward: (sender, now, context) => rewriter.forward(sender, now, context) };

  const keep = async (
    sender: ReversePath,
    now: UnixSeconds,
    context: RewritingContext | undefined,
  ): Promise<RewritingOutcome> => {
    const work = (): RewritingOutcome => rewriter.forward(sender, now, context);
    const outcome = keptSenders.onBehalfOf(context?.network, now, work);
    if (outcome === "no-room") return NO_ROOM;
    return !outcome.ok || (await keptSenders.durable()) ? outcome : NOT_KEPT;
  };

  return {
    forward(sender, now, context) {
      // Nobody pays here, so nothing is kept: nearly all senders fit, and need no second look.
      const outcome = rewriter.forward(sender, now, context);
      return outcome.ok || outcome.reason !== "too-long" ? outcome : keep(sender, now, context);
    },
  };
}
