// An answer of the readsocket protocol: one line, in the words of socketmap. Called by readsocket.ts.
import { renderReply } from "@homing/mail";
import type { MapAnswer } from "../maps/map-answer.ts";
import type { SenderVerdict } from "../senders/sender-checks.ts";

/** A question that makes no sense is a fault of whoever set it up, and no mail is lost for that: PERM is about the mail. */
const WORDS = { found: "OK", "not-found": "NOTFOUND", unfit: "PERM", later: "TEMP", wrong: "TEMP" } as const;

/** With its LF. */
export function renderMapAnswer(answer: MapAnswer): string {
  const text = answer.kind === "found" ? answer.value : answer.why;
  return `${WORDS[answer.kind]} ${text.replace(/\p{Cc}/gu, "?")}\n`;
}

/**
 * `OK RESULT` and then either the reply to give, which begins with its code, or the field to put on top: so an ACL looks at one
 * character to know what to do.
 */
export function verdictAnswer(verdict: SenderVerdict | undefined): MapAnswer {
  if (verdict === undefined) return { kind: "not-found", why: "nobody is checked here" };
  const { answer, field, reply } = verdict;
  const rest = reply ? renderReply(reply) : unfolded(field);
  return { kind: "found", value: `${answer.result} ${rest}` };
}

/** RFC 5322 §2.2.3. */
function unfolded(field: string): string {
  return field.replaceAll("\r\n", "");
}
