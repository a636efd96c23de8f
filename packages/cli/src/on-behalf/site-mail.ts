// What the forwarder asks about mail of sites that comes back, or has come to its end. Called by sites.ts.
import type { SentMail } from "@homing/forwarder";
import type { OnBehalf } from "@homing/on-behalf";
import type { Rewriter } from "@homing/srs-core";

export function sentMailOf({ returns }: Pick<OnBehalf, "returns">, rewriters: Iterable<Rewriter>): SentMail {
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
  };
}
