// Delivery of one message to one target: its next hops in turn until one answers. Called through mail-out.ts, while the client
// waits or from the queue.
import type { Content, Envelope, Reply } from "@homing/mail";
import { renderHostPort } from "./host-port.ts";
import type { FindNextHops, NextHop } from "./next-hops.ts";
import type { Attempt, AttemptHooks, TlsOutcome } from "./outbound/attempt.ts";
import type { Busy, Outbound, Patience } from "./outbound/outbound.ts";

/** What to tell about a target. `hop`, `detail`, `tls` and `sts` are for the log alone (ADR 0013). */
export type Delivery =
  | {
      readonly kind: "delivered";
      readonly hop: string;
      readonly detail: string;
      /** In the mail store of this site: there it ends. */
      readonly stored?: true;
      readonly tls?: TlsOutcome;
      readonly sts?: StsOutcome;
    }
  | {
      readonly kind: "failed";
      readonly code: number;
      readonly enhanced: string;
      readonly hop: string;
      readonly detail: string;
      /** The codes that a server said, where one did. */
      readonly reply?: Pick<Reply, "code" | "enhanced">;
    };

/** Under a policy in mode testing, `testing-failed` says that mode enforce would not have delivered (RFC 8461 §5). */
export type StsOutcome = "enforced" | "testing-passed" | "testing-failed";

/** What a client is told, and a queue notes, where nothing was free to try. RFC 3463: system not accepting messages just now. */
export const BUSY_STATUS = { code: 451, enhanced: "4.3.2" } as const;

type Failure = Extract<Delivery, { kind: "failed" }>;

export interface DeliverOptions extends AttemptHooks {
  readonly findNextHops: FindNextHops;
  readonly outbound: Outbound;
  readonly patience: Patience;
}

/** A hop, and how to try it. */
type Try = (hop: NextHop, patience: Patience) => Promise<Attempt | Busy>;

/** Never rejects for what the world does: every outcome is a value. `busy` where every hop was: nothing was tried. */
export async function deliver(
  { findNextHops, outbound, patience, timeIsUp, onFinalDot }: DeliverOptions,
  envelope: Envelope,
  message: Content,
): Promise<Delivery | Busy> {
  const found = await findNextHops(envelope.recipient.domain);
  if (found.kind === "none") return failed(550, found.enhanced, "", found.cause);
  if (found.kind === "unknown") return failed(451, found.enhanced, "", found.cause);

  let dotSent = false;
  const hooks = {
    ...(timeIsUp ? { timeIsUp } : {}),
    onFinalDot: () => {
      dotSent = true;
      onFinalDot?.();
    },
  };
  const tryHop: Try = (hop, patience) => outbound.submit({ hop, patience, envelope, message, ...hooks });
  return tryInTurn(found.hosts, tryHop, { patience, timeIsUp, mayHaveIt: () => dotSent });
}

async function tryInTurn(
  hops: readonly NextHop[],
  tryHop: Try,
  {
    patience,
    timeIsUp,
    mayHaveIt,
  }: {
    readonly patience: Patience;
    readonly timeIsUp: AbortSignal | undefined;
    /** The final dot of the last attempt is out. */
    readonly mayHaveIt: () => boolean;
  },
): Promise<Delivery | Busy> {
  let answer: Failure | undefined;
  let busy: Busy | undefined;
  let hasWaited = false;
  for (const server of hops) {
    // A server not asked yet might take it.
    if (timeIsUp?.aborted) return answer && answer.code < 500 ? answer : NO_TIME;
    // Whoever has waited in vain at one server does not wait at the next one, too.
    const attempt = await tryHop(server, hasWaited ? { ...patience, freeWithinMs: 0 } : patience);
    if (attempt.kind === "busy") {
      busy = attempt;
      hasWaited ||= attempt.hasWaited === true;
      continue;
    }
    const hop = hopName(server);
    if (attempt.kind === "accepted") return delivered(attempt, server, hop);
    const failure = failureOf(attempt, hop);
    // RFC 5321 §5.1: the next one, as long as this one cannot have the message and has not refused it for good.
    if (attempt.stage === "transaction" && (mayHaveIt() || failure.code >= 500)) return failure;
    // While one server may yet be reached, a refusal at another one's greeting is not the last word.
    if (!answer || answer.code >= 500 || failure.code < 500) answer = failure;
  }
  if (busy && (!answer || answer.code >= 500)) return busy;
  return answer ?? NO_HOST;
}

function delivered(
  { reply, tls }: Extract<Attempt, { kind: "accepted" }>,
  { sts }: NextHop,
  hop: string,
): Delivery {
  const outcome = sts && stsOutcome(sts, tls);
  return { kind: "delivered", hop, detail: reply.text, tls, ...(outcome ? { sts: outcome } : {}) };
}

function stsOutcome({ mode, matches }: NonNullable<NextHop["sts"]>, tls: TlsOutcome): StsOutcome {
  if (mode === "enforce") return "enforced";
  return matches && tls === "verified" ? "testing-passed" : "testing-failed";
}

function failureOf(attempt: Exclude<Attempt, { kind: "accepted" }>, hop: string): Failure {
  if (attempt.kind === "answered") {
    const { code, enhanced, text } = attempt.reply;
    const detail = `${code} ${enhanced} ${text}`;
    const reply = attempt.ours ? {} : { reply: { code, enhanced } };
    // Before MAIL a server speaks about us, or about itself: the mailbox did not say no, and tomorrow it may be another word.
    if (attempt.stage === "greeting" && code >= 500)
      return { ...failed(451, `4${enhanced.slice(1)}`, hop, detail), ...reply };
    return { ...failed(code, enhanced, hop, detail), ...reply };
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
