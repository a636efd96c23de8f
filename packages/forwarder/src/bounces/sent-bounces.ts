// Bounces to mail that was sent from here for somebody: what is known of it. Called by bounce-desk.ts; and at the end of DATA for
// those that go to nobody.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import { bugText } from "../bug-text.ts";
import type { Report } from "../events.ts";
import type { Incoming } from "../hand-over/incoming.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import type { SrsDomains } from "../srs-domains.ts";
import type { SentMail, SentTo } from "./sent-mail.ts";

export interface SentBounces {
  /**
   * Undefined for an SRS address of mail that was forwarded.
   * @param srs the recipient of the bounce
   */
  find(unwrapped: UnwrappedSrs0, srs: Mailbox, now: UnixSeconds): Promise<SentBounce | undefined | "away">;
}

export interface SentBounce {
  /** Undefined where nothing is known of it: its DSN names nobody. */
  readonly to: SentTo | undefined;
  /** Of its DSN. */
  readonly foot: readonly string[];
}

export function createSentBounces(
  sentMail: Pick<SentMail, "recipientOf" | "foot">,
  { isReturnDomain }: Pick<SrsDomains, "isReturnDomain">,
): SentBounces {
  return {
    async find({ facts, to: user }, srs, now) {
      if (!isReturnDomain(facts.rewriter.domain)) return undefined;
      const to = await sentMail.recipientOf(srs, now);
      return to === "away" ? to : { to, foot: sentMail.foot?.(user, srs) ?? [] };
    },
  };
}

/** Counts what went to nobody. It is thrown away also where that fails: no bounce comes again for a counter. */
export async function countEaten(
  sentMail: Pick<SentMail, "isNobody" | "eaten">,
  { leads }: Pick<Incoming, "leads">,
  { now, report }: { readonly now: () => UnixSeconds; readonly report: Report },
): Promise<void> {
  for (const { recipient } of leads) {
    if (!sentMail.isNobody(recipient)) continue;
    try {
      await sentMail.eaten(recipient, now());
    } catch (error) {
      report({ event: "error", session: "", message: bugText(error) });
    }
  }
}
