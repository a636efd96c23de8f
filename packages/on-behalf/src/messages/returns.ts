// What comes back, and what our own attempts came to: statuses, events and suppressions, as facts for the transaction of whoever
// says so. Called by the forwarder.
import { asciiLower, looksLikeSrs, type Mailbox, renderMailbox } from "@homing/srs-core";
import type { Events, Returned, Returns, Settled, Sites } from "../on-behalf.ts";
import type { Fact, OnBehalfStore } from "../store.ts";
import { createEaten } from "./eaten.ts";
import { messageIdOf, outcomeFact } from "./message-record.ts";
import { findSent } from "./sent-facts.ts";
import { suppressionFact } from "./suppressions.ts";

export interface ReturnsOptions {
  readonly store: OnBehalfStore;
  readonly sites: Pick<Sites, "ofBounceDomain">;
  readonly events: Pick<Events, "fact">;
}

/** Bounces to it are eaten. */
export const NOBODY = "nobody";

/** Not `soft` or `delay`: a full mailbox is empty tomorrow. */
const SUPPRESSING: ReadonlySet<string> = new Set(["hard", "policy", "spam"]);

export function createReturns({ store, sites, events }: ReturnsOptions): Returns {
  const eat = createEaten({ store, events });

  const suppressed = (site: string, recipient: Mailbox, failure: Failure): readonly Fact[] => {
    if (!SUPPRESSING.has(failure.class)) return [];
    const address = renderMailbox(recipient);
    const { enhanced, now } = failure;
    return [
      suppressionFact(site, { address, reason: "bounce", since: now, enhanced }),
      events.fact(site, "recipient.suppressed", now, { recipient: address, reason: "bounce", enhanced }),
    ];
  };

  return {
    isNobody: (recipient) =>
      asciiLower(recipient.localPart) === NOBODY && sites.ofBounceDomain(recipient.domain) !== undefined,

    sentFor: (srs, now) => findSent(store, srs, now),

    returned(returned) {
      const { sent, enhanced, now } = returned;
      const site = sent?.site ?? sites.ofBounceDomain(returned.srs.domain)?.name;
      if (returned.action !== "failed" || site === undefined) return [];
      const event = events.fact(site, "bounce.returned", now, bounceData(returned));
      if (!sent) return [event];
      return [
        event,
        outcomeFact(sent.messageId, sent.recipient, "bounce", { status: "bounced", enhanced, at: now }),
        ...suppressed(site, sent.recipient, returned),
      ];
    },

    async eaten(recipient, now) {
      const site = sites.ofBounceDomain(recipient.domain);
      if (site) await eat(site.name, now);
    },

    settled({ queueId, reversePath, recipient }, outcome, now) {
      // Asked for all mail that leaves the forwarder.
      const site = sites.ofBounceDomain(reversePath.domain)?.name;
      if (site === undefined || !isReturnPath(reversePath)) return [];
      const messageId = messageIdOf(queueId);
      const data = { message: messageId, recipient: renderMailbox(recipient), ...failureData(outcome) };
      const status = outcome.kind === "delivered" ? "delivered" : "failed";
      const more = outcome.kind === "failed" ? { enhanced: outcome.enhanced } : {};
      return [
        outcomeFact(messageId, recipient, "attempt", { status, ...more, at: now }),
        events.fact(site, `message.${status}`, now, data),
        ...(outcome.kind === "failed" ? suppressed(site, recipient, { ...outcome, now }) : []),
      ];
    },
  };
}

interface Failure {
  readonly class: string;
  readonly enhanced: string;
  readonly now: number;
}

/** Other senders may be at a bounce domain, of sites that use it for more than it is meant for. */
function isReturnPath({ localPart }: Mailbox): boolean {
  return looksLikeSrs(localPart) || asciiLower(localPart) === NOBODY;
}

function bounceData({ sent, user, enhanced, class: kind }: Returned): Readonly<Record<string, string>> {
  return {
    ...(sent && { message: sent.messageId, recipient: renderMailbox(sent.recipient) }),
    ...(sent?.reference !== undefined && { reference: sent.reference }),
    user: renderMailbox(user),
    enhanced,
    class: kind,
  };
}

function failureData(outcome: Settled): Readonly<Record<string, string>> {
  return outcome.kind === "failed" ? { enhanced: outcome.enhanced, class: outcome.class } : {};
}
