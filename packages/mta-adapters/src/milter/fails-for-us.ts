// Lazy rewriting: would a sender fail SPF, were his mail to go out as it is? Made by the composition root, asked by
// judge-recipient.ts once for each message.
import { checkSpf, type SpfResolver } from "@homing/spf";
import { type Mailbox, renderMailbox } from "@homing/srs-core";

export interface FailsForUsOptions {
  /** From which this site sends. */
  readonly addresses: readonly string[];
  /** What it says in HELO. */
  readonly hostname: string;
  readonly resolver: SpfResolver;
  /** Unix seconds. */
  readonly now: () => number;
  /** A signal that aborts after so many seconds. */
  readonly timeLimit: (seconds: number) => AbortSignal;
}

/** RFC 7208 §4.6.4 asks for 20 s at least; the client waits for its RCPT. */
const SECONDS = 20;

/** Whoever does not pass from each of our addresses is rewritten: nobody knows by which one the mail leaves. */
export function createFailsForUs(options: FailsForUsOptions): (sender: Mailbox) => Promise<boolean> {
  const { addresses, hostname, resolver, now, timeLimit } = options;
  return async (sender) => {
    const signal = timeLimit(SECONDS);
    const answers = await Promise.all(
      addresses.map((client) =>
        checkSpf(
          { client, helo: hostname, sender: renderMailbox(sender) },
          { resolver, now, receiver: hostname, signal },
        ),
      ),
    );
    return answers.length === 0 || answers.some(({ result }) => result !== "pass");
  };
}
