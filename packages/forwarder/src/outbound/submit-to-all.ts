// One message to several recipients over a connection of its own, in as few transactions as the server allows. Called by
// `homing sendmail`.
import type { Content, Reply } from "@homing/mail";
import { type Mailbox, printable, type ReversePath } from "@homing/srs-core";
import { type ConnectionOptions, openConnection } from "../smtp-out.ts";
import type { Attempt, DsnRequest, RefusedRecipient } from "./attempt.ts";
import type { OutConnection } from "./out-connection.ts";

export interface SubmissionToAll extends ConnectionOptions {
  readonly reversePath: ReversePath;
  /** At least one. */
  readonly recipients: readonly Mailbox[];
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
  readonly dsn?: DsnRequest;
  readonly message: Content;
}

export type RecipientsAttempt =
  | {
      readonly kind: "accepted";
      /** At least one. */
      readonly accepted: readonly Mailbox[];
      readonly refused: readonly RefusedRecipient[];
    }
  /** Nobody has it. */
  | (Omit<Extract<Attempt, { kind: "answered" }>, "refused"> & {
      /** None where the refusal is about the session, the sender or the message. */
      readonly refused: readonly RefusedRecipient[];
    })
  | {
      readonly kind: "no-answer";
      readonly cause: string;
      /** The final dot was sent, and the server may have the message. */
      readonly mayBeSent: boolean;
    };

const LOST = { code: 451, enhanced: "4.4.2" };
const MAX_TEXT = 500;

/** Never rejects. */
export async function submitToAll(submission: SubmissionToAll): Promise<RecipientsAttempt> {
  const opened = await openConnection(submission);
  if (opened.kind === "no-answer") return { ...opened, mayBeSent: false };
  if (opened.kind === "answered") return { ...opened, refused: [] };
  const { connection } = opened;
  const outcome = await inTransactions(connection, submission);
  connection.quit();
  return outcome;
}

async function inTransactions(
  connection: OutConnection,
  submission: SubmissionToAll,
): Promise<RecipientsAttempt> {
  const accepted: Mailbox[] = [];
  const refused: RefusedRecipient[] = [];
  let waiting = submission.recipients;
  for (;;) {
    const { attempt, mayBeSent } = await oneTransaction(connection, submission, waiting);
    if (attempt.kind !== "accepted") {
      if (accepted.length === 0) return asFailed(attempt, mayBeSent);
      return { kind: "accepted", accepted, refused: [...refused, ...failedAll(attempt, waiting)] };
    }
    const answers = new Map(attempt.refused?.map(({ recipient, reply }) => [recipient, reply]));
    accepted.push(...waiting.filter((recipient) => !answers.has(recipient)));
    const later: Mailbox[] = [];
    for (const [recipient, reply] of answers) {
      if (isTooMany(reply) && connection.usable) later.push(recipient);
      else refused.push({ recipient, reply });
    }
    if (later.length === 0) return { kind: "accepted", accepted, refused };
    waiting = later;
  }
}

async function oneTransaction(
  connection: OutConnection,
  { reversePath, eightBit, smtpUtf8, dsn, message, timeIsUp }: SubmissionToAll,
  recipients: readonly Mailbox[],
): Promise<{ readonly attempt: Attempt; readonly mayBeSent: boolean }> {
  const [recipient, ...alsoTo] = recipients;
  if (!recipient) throw new Error("a submission to nobody");
  let mayBeSent = false;
  const attempt = await connection.send({
    envelope: { reversePath, recipient, eightBit, smtpUtf8 },
    ...{ alsoTo, message },
    ...(dsn ? { dsn } : {}),
    ...(timeIsUp ? { timeIsUp } : {}),
    onFinalDot() {
      mayBeSent = true;
    },
  });
  return { attempt, mayBeSent };
}

/** RFC 5321 §4.5.3.1.10: what one transaction has no room for goes in the next. */
function isTooMany({ code, enhanced }: Reply): boolean {
  return code === 452 && (enhanced === "4.5.3" || enhanced === "4.0.0");
}

type Failed = Exclude<Attempt, { kind: "accepted" }>;

function asFailed(attempt: Failed, mayBeSent: boolean): RecipientsAttempt {
  if (attempt.kind === "no-answer") return { kind: "no-answer", cause: attempt.cause, mayBeSent };
  return { ...attempt, refused: attempt.refused ?? [] };
}

function failedAll(attempt: Failed, recipients: readonly Mailbox[]): readonly RefusedRecipient[] {
  if (attempt.kind === "answered" && attempt.refused && attempt.refused.length > 0) return attempt.refused;
  const reply =
    attempt.kind === "answered"
      ? attempt.reply
      : { ...LOST, text: printable(`no answer: ${attempt.cause}`, MAX_TEXT) };
  return recipients.map((recipient) => ({ recipient, reply }));
}
