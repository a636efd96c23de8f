// What the forwarder asks about mail of sites that comes back, or has come to its end. Called by sites.ts.
import type { SentMail } from "@homing/forwarder";
import { addressKey, type OnBehalf } from "@homing/on-behalf";
import { type Mailbox, type Rewriter, renderMailbox } from "@homing/srs-core";

type Asked = Pick<OnBehalf, "returns" | "sites" | "manageUrl">;

export function sentMailOf(onBehalf: Asked, rewriters: Iterable<Rewriter>): SentMail {
  const { returns } = onBehalf;
  return {
    rewriters: [...rewriters],
    isNobody: (recipient) => returns.isNobody(recipient),
    eaten: (recipient, now) => returns.eaten(recipient, now),
    async recipientOf(srs, now) {
      const sent = await returns.sentFor(srs, now);
      if (sent === "away") return sent;
      return {
        recipient: sent?.recipient,
        returned: (report) => returns.returned({ ...report, srs, sent }),
      };
    },
    settled: ({ id, reversePath, recipient, outcome, now }) =>
      returns.settled({ queueId: id, reversePath, recipient }, outcome, now),
    foot: (sender, reversePath) => footFor(onBehalf, sender, reversePath),
  };
}

/** The user has no mail of the site's but what comes back: there stands his own link. A site has none. */
function footFor(
  { returns, sites, manageUrl }: Asked,
  sender: Mailbox,
  reversePath: Mailbox,
): readonly string[] {
  const site = sites.ofBounceDomain(reversePath.domain);
  if (!site || returns.isNobody(reversePath)) return [];
  const key = addressKey(sender);
  if (key === addressKey(site.from) || key === addressKey(site.returnTo)) return [];
  return [
    `You sent this through ${site.title}. To see or end what is sent in your name:`,
    manageUrl(renderMailbox(sender), site.name),
  ];
}
