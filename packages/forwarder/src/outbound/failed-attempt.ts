// Errors of nodemailer as values. Called by smtp-out.ts and out-connection.ts.
import { parseReply, type Reply } from "@homing/mail";
import type { Attempt, TlsOutcome } from "./attempt.ts";
import { errorCode, messageOf, responseOf } from "./library.ts";

export type FailedAttempt = Exclude<Attempt, { kind: "accepted" }>;

const NO_SUCH_SYNTAX: Reply = {
  code: 553,
  enhanced: "5.1.3",
  text: "the SMTP client cannot write this address",
};

export function failedAttempt(
  error: unknown,
  stage: "greeting" | "transaction",
  tls: TlsOutcome,
): FailedAttempt {
  const response = responseOf(error);
  const reply = parseReply(response);
  // A positive reply on an error is the dialogue out of step: nothing to rely on.
  if (reply && reply.code >= 400) return { kind: "answered", reply, stage, tls };
  // The library refuses angle brackets, which a quoted local part may hold.
  if (errorCode(error) === "EENVELOPE" && response === "")
    return { kind: "answered", reply: NO_SUCH_SYNTAX, stage, tls, ours: true };
  return { kind: "no-answer", cause: messageOf(error), stage };
}
