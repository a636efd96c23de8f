// The milter: SPF and SRS for Postfix and Sendmail over one connection. Version 6, and down to 2. Made by the composition root,
// served by wire/listener.ts.
import type { Protocol } from "../wire/protocol.ts";
import { createFrameReader, type Frame } from "./frames.ts";
import type { MilterOptions } from "./milter-options.ts";
import type { Agreed } from "./negotiation.ts";
import { createMilterSession, type Lacking } from "./session.ts";

/** While a client sends a large message, nothing is said here: as long as libmilter waits. */
const IDLE_SECONDS = 7210;

export function milterProtocol(options: MilterOptions): Protocol<Frame> {
  const lacking = createLacking(options);
  return {
    idleSeconds: IDLE_SECONDS,
    createReader: createFrameReader,
    createSession: () => createMilterSession(options, lacking),
  };
}

function createLacking({ rewrite, bounces, senders, report }: MilterOptions): Lacking {
  const told = new Set<string>();
  return (agreed: Agreed) => {
    const lacking = [
      ...(rewrite === "never" || agreed.mayChangeSender ? [] : ["changed senders: none is rewritten"]),
      ...(bounces === "keep" || agreed.mayChangeRecipients
        ? []
        : ["changed recipients: bounces are not unwrapped"]),
      ...(!senders || agreed.mayAddHeaders ? [] : ["added header fields: results of SPF are not told"]),
    ];
    for (const what of lacking) {
      if (told.has(what)) continue;
      told.add(what);
      const message = `the mail server does not take ${what}. Sendmail before 8.14 is too old`;
      report({ event: "adapter-limited", adapter: "milter", message });
    }
  };
}
