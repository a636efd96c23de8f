// Who of several recipients was refused at RCPT, and how. Called by out-connection.ts.
import { parseReply, type Reply } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import type { AttemptOptions, RefusedRecipient } from "./attempt.ts";
import { type RejectedError, responseOf } from "./library.ts";

const UNREADABLE: Reply = { code: 451, enhanced: "4.5.0", text: "the server's answer is no reply" };

/** Undefined where nobody asked for more than one: that one's refusal is the transaction's. */
export function refusedRecipients(
  { envelope, alsoTo }: Pick<AttemptOptions, "envelope" | "alsoTo">,
  rejected: readonly RejectedError[] | undefined,
): { readonly refused: readonly RefusedRecipient[] } | undefined {
  if (!alsoTo) return undefined;
  const replies = new Map(
    rejected?.map((error) => [error.recipient, parseReply(responseOf(error)) ?? UNREADABLE]),
  );
  const refused = [envelope.recipient, ...alsoTo].flatMap((recipient) => {
    const reply = replies.get(renderMailbox(recipient));
    return reply ? [{ recipient, reply }] : [];
  });
  return { refused };
}
