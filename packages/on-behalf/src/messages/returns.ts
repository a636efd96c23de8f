// What comes back, and what our own attempts came to: statuses, events and suppressions, as facts for the transaction of whoever
// says so. Called by the forwarder.
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import type { Events, Returned, Returns, SentCopyFacts, Settled, Sites } from "../on-behalf.ts";
import { isNobody, isOwnReturnPath } from "../own-return-paths.ts";
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

/** Not `policy` or `spam`: they are of the message, or of our server, and say nothing of the recipient. Not `soft` or `delay`: a
 * full mailbox is empty tomorrow. */
const SUPPRESSING = "hard";

export function createReturns({ store, sites, events }: ReturnsOptions): Returns {
  const eat = createEaten({ store, events });

  const suppressed = (site: string, recipient: Mailbox, failure: Failure): readonly Fact[] => {
    if (failure.class !== SUPPRESSING) return [];
    const address = renderMailbox(recipient);
    const { enhanced, now } = failure;
    return [
      suppressionFact(site, { address, reason: "bounce", since: now, enhanced }),
      events.fact(site, "recipient.suppressed", now, { recipient: address, reason: "bounce", enhanced }),
    ];
  };

  return {
    isNobody: (recipient) => isNobody(sites, recipient),

    sentFor: (srs, now) => findSent(store, srs, now),

    returned(returned) {
      const { sent, enhanced, now } = returned;
      const site = sent?.site ?? sites.ofBounceDomain(returned.srs.domain)?.name;
      if (returned.action !== "failed" || site === undefined) return [];
      const about = aboutOf(returned);
      const event = events.fact(site, "bounce.returned", now, bounceData(returned, about));
      if (!about) return [event];
      const { messageId, recipient } = about;
      const outcome = { status: "bounced", enhanced, at: now } as const;
      return [
        event,
        ...(messageId === undefined ? [] : [outcomeFact(messageId, recipient, "bounce", outcome)]),
        ...suppressed(site, recipient, returned),
      ];
    },

    async eaten(recipient, now) {
      const site = sites.ofBounceDomain(recipient.domain);
      if (site) await eat(site.name, now);
    },

    settled({ queueId, reversePath, recipient }, outcome, now) {
      // Asked for all mail that leaves the forwarder; and other senders may be at a bounce domain, of sites that use it for more
      // than it is meant for.
      const site = sites.ofBounceDomain(reversePath.domain)?.name;
      if (site === undefined || !isOwnReturnPath(sites, reversePath)) return [];
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

/** What is known of the mail that came back. */
interface About extends Partial<SentCopyFacts> {
  readonly recipient: Mailbox;
}

/** Its return path says to whom it went; or the header of what came back does, which is believed of no other recipient. */
function aboutOf({ sent, recipient: proven }: Returned): About | undefined {
  const recipient = sent?.recipient ?? proven;
  if (!recipient) return undefined;
  const key = addressKey(recipient);
  return sent?.copies.find((copy) => addressKey(copy.recipient) === key) ?? { recipient };
}

function bounceData(
  { user, enhanced, class: kind }: Returned,
  about: About | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(about?.messageId !== undefined && { message: about.messageId }),
    ...(about && { recipient: renderMailbox(about.recipient) }),
    ...(about?.reference !== undefined && { reference: about.reference }),
    user: renderMailbox(user),
    enhanced,
    class: kind,
  };
}

function failureData(outcome: Settled): Readonly<Record<string, string>> {
  return outcome.kind === "failed" ? { enhanced: outcome.enhanced, class: outcome.class } : {};
}
