// The answer to the client's final dot, made of what became of each target (ADR 0013, the privacy rule). Class and
// enhanced code are the next hop's; the words are ours and name the address that the client used. Called by hand-over/.
import type { Reply } from "@homing/mail";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import type { Delivery } from "./deliver.ts";

type Failure = Extract<Delivery, { kind: "failed" }>;

/** Codes that make sense to our client. Others, such as 421 and 551 with its forward-path, stay with us. */
const CARRIED_CODES = new Set([450, 451, 452, 550, 552, 554]);

/**
 * 2xx once one target has the message. Else 4xx if any may take it later, so that the client comes again; else 5xx.
 * @param recipient as the client gave it: an alias or an SRS address
 */
export function answerFor(recipient: Mailbox, deliveries: readonly Delivery[]): Reply {
  const address = renderMailbox(recipient);
  if (deliveries.some((delivery) => delivery.kind === "delivered")) {
    return { code: 250, enhanced: "2.0.0", text: `<${address}>: passed on` };
  }
  const failures = deliveries.filter((delivery) => delivery.kind === "failed");
  const temporary = failures.find((failure) => failure.code < 500);
  if (temporary) return carried(temporary, `<${address}>: cannot be delivered just now, try again later`);
  const [refusal] = failures;
  if (refusal)
    return carried(refusal, `<${address}>: the mailbox behind this address did not take the message`);
  return { code: 451, enhanced: "4.3.5", text: `<${address}>: leads nowhere, try again later` };
}

function carried(failure: Failure, text: string): Reply {
  const plain = failure.code < 500 ? 451 : 550;
  return { code: CARRIED_CODES.has(failure.code) ? failure.code : plain, enhanced: failure.enhanced, text };
}
