// How `homing sendmail` ends: the exit codes of sysexits(3), which PHP, cron and mailers read, and one line on stderr for each
// thing that went wrong. Called by `homing sendmail`.
import type { RecipientsAttempt, RefusedRecipient } from "@homing/forwarder/submit";
import { type Reply, renderReply } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import { CommandFailure } from "../failure.ts";
import { safe } from "../terminal-text.ts";
import { BadMessage } from "./message-input.ts";

export const SYSEXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  noUser: 67,
  unavailable: 69,
  temporary: 75,
  permission: 77,
  config: 78,
} as const;

export type Sysexit = (typeof SYSEXIT)[keyof typeof SYSEXIT];

export interface Told {
  readonly exit: Sysexit;
  /** What, why and what to do. */
  readonly lines: readonly string[];
}

const MAX_WORDS = 500;
/** The others may have it. */
const ALONE = ": send it again later, to this one alone: there is no queue here";

/** Of a failure before anything was sent. Undefined for a bug. */
export function toldFailure(error: unknown): Told | undefined {
  if (error instanceof BadMessage)
    return { exit: SYSEXIT.data, lines: [`the message ${error.message}: nothing was sent`] };
  if (!(error instanceof CommandFailure)) return undefined;
  const exit = error.reason === "negative" || error.reason === "software" ? "unavailable" : error.reason;
  return { exit: SYSEXIT[exit], lines: error.message.split("\n") };
}

export function toldAttempt(attempt: RecipientsAttempt, place: string): Told {
  if (attempt.kind === "no-answer") return { exit: SYSEXIT.temporary, lines: [noAnswer(attempt, place)] };
  const { refused } = attempt;
  if (attempt.kind === "accepted" || refused.length > 0)
    return { exit: exitOfRefusals(refused), lines: refused.map((one) => refusalLine(one, place)) };
  const { reply, ours, login } = attempt;
  if (login) return toldLogin(login, reply, place);
  const said = safe(renderReply(reply), MAX_WORDS);
  const line = ours
    ? `${place}: ${safe(reply.text, MAX_WORDS)}: nothing was sent`
    : `${place} ${reply.code < 500 ? "deferred" : "refused"} the message: ${said}: nothing was sent${later(reply)}`;
  return { exit: exitOf(reply), lines: [line] };
}

function toldLogin(login: Pick<Reply, "code" | "enhanced">, { text }: Reply, place: string): Told {
  const isFinal = login.code >= 500;
  const remedy = isFinal ? "look at name and passwordFile" : "try again later";
  return {
    exit: isFinal ? SYSEXIT.permission : SYSEXIT.temporary,
    lines: [`${place}: ${safe(text, MAX_WORDS)}: nothing was sent: ${remedy}`],
  };
}

function noAnswer(
  { cause, mayBeSent }: Extract<RecipientsAttempt, { kind: "no-answer" }>,
  place: string,
): string {
  const why = safe(cause, MAX_WORDS);
  return mayBeSent
    ? `no answer from ${place} to the whole message: ${why}: it may have been sent: sending it again may send it twice`
    : `no answer from ${place}: ${why}: nothing was sent: is a server running there? Send it again later: there is no queue here`;
}

function refusalLine({ recipient, reply }: RefusedRecipient, place: string): string {
  const said = safe(renderReply(reply), MAX_WORDS);
  return `${safe(renderMailbox(recipient))}: ${place} ${reply.code < 500 ? "defers" : "refuses"} this recipient: ${said}${reply.code < 500 ? ALONE : ""}`;
}

function later({ code }: Reply): string {
  return code < 500 ? ": send it again later: there is no queue here" : "";
}

/** Whoever is refused for good comes first: sending it again would give the others a second copy. */
function exitOfRefusals(refused: readonly RefusedRecipient[]): Sysexit {
  const exits = refused.map(({ reply }) => exitOf(reply, SYSEXIT.noUser));
  const order = [SYSEXIT.noUser, SYSEXIT.permission, SYSEXIT.data, SYSEXIT.unavailable, SYSEXIT.temporary];
  return order.find((exit) => exits.includes(exit)) ?? SYSEXIT.ok;
}

/** RFC 3463: 5.1 is about addresses, 5.6 about the content, 5.7 about permission. */
function exitOf({ code, enhanced }: Reply, otherwise: Sysexit = SYSEXIT.unavailable): Sysexit {
  if (code < 500) return SYSEXIT.temporary;
  if (enhanced.startsWith("5.7.")) return SYSEXIT.permission;
  if (enhanced.startsWith("5.1.")) return SYSEXIT.noUser;
  if (enhanced.startsWith("5.6.") || enhanced === "5.3.4" || enhanced === "5.2.3") return SYSEXIT.data;
  return otherwise;
}
