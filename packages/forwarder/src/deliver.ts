// Delivery of one message to one target, while the client waits: its next hops in turn until one answers.
// Called by receive.ts.
import type { Envelope } from "@homing/mail";
import { renderHostPort } from "./host-port.ts";
import type { FindNextHops } from "./next-hops.ts";
import { type Attempt, submit } from "./smtp-out.ts";

/** What to tell about a target. `hop` and `detail` are for the log alone (ADR 0013). */
export type Delivery =
  | { readonly kind: "delivered"; readonly hop: string; readonly detail: string }
  | {
      readonly kind: "failed";
      readonly code: number;
      readonly enhanced: string;
      readonly hop: string;
      readonly detail: string;
    };

type Failure = Extract<Delivery, { kind: "failed" }>;

export interface DeliverOptions {
  readonly findNextHops: FindNextHops;
  readonly hostname: string;
  /** Is there time for one more attempt? Default: always. */
  readonly mayStart?: () => boolean;
}

/** Never rejects for what the world does: every outcome is a value. */
export async function deliver(
  options: DeliverOptions,
  envelope: Envelope,
  message: Buffer,
): Promise<Delivery> {
  const found = await options.findNextHops(envelope.recipient.domain);
  if (found.kind === "none") return failed(550, found.enhanced, "", found.cause);
  if (found.kind === "unknown") return failed(451, "4.4.3", "", found.cause);

  let answer: Failure | undefined;
  for (const server of found.hosts) {
    if (options.mayStart?.() === false) return failed(451, "4.4.1", "", "no time left for an attempt");
    const attempt = await submit({ server, hostname: options.hostname, envelope, message });
    const delivery = outcome(attempt, renderHostPort(server));
    // Only a server that never took up the transaction leaves room for the next one: after that, a second copy or
    // a second opinion on the recipient would be wrong.
    if (delivery.kind === "delivered" || attempt.kind === "accepted" || attempt.stage === "transaction")
      return delivery;
    // While one server may yet be reached, a refusal at another one's greeting is not the last word.
    if (!answer || answer.code >= 500 || delivery.code < 500) answer = delivery;
  }
  return answer ?? failed(451, "4.4.1", "", "no next hop");
}

function outcome(attempt: Attempt, hop: string): Delivery {
  if (attempt.kind === "accepted") return { kind: "delivered", hop, detail: attempt.reply.text };
  if (attempt.kind === "answered") {
    const { code, enhanced, text } = attempt.reply;
    return failed(code, enhanced, hop, `${code} ${enhanced} ${text}`);
  }
  // RFC 3463: 4.4.1 no answer from host, 4.4.2 bad connection.
  return failed(451, attempt.stage === "greeting" ? "4.4.1" : "4.4.2", hop, attempt.cause);
}

function failed(code: number, enhanced: string, hop: string, detail: string): Failure {
  return { kind: "failed", code, enhanced, hop, detail };
}
