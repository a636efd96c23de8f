// Delivery of one message to one target, while the client waits: its next hops in turn until one answers.
// Called by receive.ts.
import type { Content, Envelope } from "@homing/mail";
import { renderHostPort } from "./host-port.ts";
import type { FindNextHops, NextHop } from "./next-hops.ts";
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
  /** Aborts when the client will not wait any longer. */
  readonly timeIsUp?: AbortSignal;
}

/** Never rejects for what the world does: every outcome is a value. */
export async function deliver(
  { findNextHops, ...options }: DeliverOptions,
  envelope: Envelope,
  message: Content,
): Promise<Delivery> {
  const found = await findNextHops(envelope.recipient.domain);
  if (found.kind === "none") return failed(550, found.enhanced, "", found.cause);
  if (found.kind === "unknown") return failed(451, found.enhanced, "", found.cause);

  let answer: Failure | undefined;
  for (const server of found.hosts) {
    // A server not asked yet might take it.
    if (options.timeIsUp?.aborted) return answer && answer.code < 500 ? answer : NO_TIME;
    const hop = hopName(server);
    const attempt = await submit({ ...options, server, envelope, message });
    if (attempt.kind === "accepted") return { kind: "delivered", hop, detail: attempt.reply.text };
    const failure = failureOf(attempt, hop);
    // Only a server that never took up the transaction leaves room for the next one: after that, a second copy or
    // a second opinion on the recipient would be wrong.
    if (attempt.stage === "transaction") return failure;
    // While one server may yet be reached, a refusal at another one's greeting is not the last word.
    if (!answer || answer.code >= 500 || failure.code < 500) answer = failure;
  }
  return answer ?? NO_HOST;
}

function failureOf(attempt: Exclude<Attempt, { kind: "accepted" }>, hop: string): Failure {
  if (attempt.kind === "answered") {
    const { code, enhanced, text } = attempt.reply;
    return failed(code, enhanced, hop, `${code} ${enhanced} ${text}`);
  }
  // RFC 3463: 4.4.1 no answer from host, 4.4.2 bad connection.
  return failed(451, attempt.stage === "greeting" ? "4.4.1" : "4.4.2", hop, attempt.cause);
}

function hopName(server: NextHop): string {
  const place = renderHostPort(server);
  return server.name === undefined ? place : `${server.name} (${place})`;
}

function failed(code: number, enhanced: string, hop: string, detail: string): Failure {
  return { kind: "failed", code, enhanced, hop, detail };
}

const NO_TIME = failed(451, "4.4.1", "", "no time left for an attempt");
const NO_HOST = failed(451, "4.4.4", "", "no server to try");
