// SPF of one transaction's sender: asked once for each client that it may have come from. Called by sender-check.ts and
// check-message.ts.

import { checkSpf, type SpfAnswer } from "@homing/spf";
import { renderReversePath } from "@homing/srs-core";
import type { MailCommand } from "../smtp-session.ts";
import type { AuthenticationOptions } from "./authentication.ts";

/** Who came to us, or to a relay of ours. */
export interface Hop {
  readonly address: string;
  /** Hostile text. */
  readonly helo: string;
}

export type SpfOf = (hop: Hop) => Promise<SpfAnswer>;

/** RFC 7208 §4.6.4 wants 20 s at least. */
const SPF_SECONDS = 20;

export function createSpfOf(
  { resolver, timeLimit, now, hostname }: AuthenticationOptions,
  { reversePath }: Pick<MailCommand, "reversePath">,
): SpfOf {
  const asked = new Map<string, Promise<SpfAnswer>>();
  return ({ address, helo }) => {
    const before = asked.get(address);
    if (before) return before;
    const answer = checkSpf(
      { client: address, helo, sender: renderReversePath(reversePath) },
      { resolver, now, receiver: hostname, signal: timeLimit(SPF_SECONDS) },
    );
    asked.set(address, answer);
    return answer;
  };
}
