// A message of ours about a bounce, as if the client that brought the bounce had brought it: without a queue it is delivered while
// that client waits, and has the answer. Called by bounces.ts.
import { NULL_PATH } from "@homing/srs-core";
import type { Incoming } from "../hand-over/incoming.ts";
import type { NewMessage } from "../spool/spool.ts";

export function deliverReturn(bounce: Incoming, message: NewMessage): Incoming {
  const { content, eightBit, smtpUtf8, recipients } = message;
  const trace = recipients[0]?.trace ?? "";
  return {
    id: bounce.id,
    command: { ...bounce.command, reversePath: NULL_PATH, eightBit, smtpUtf8 },
    client: bounce.client,
    content,
    leads: bounce.leads.map(({ recipient }) => ({
      recipient,
      copies: recipients.map(({ mailbox, reversePath, stays }) => ({ mailbox, reversePath, stays })),
      trace: () => trace,
    })),
  };
}
