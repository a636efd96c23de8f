// An answer as Debian's spfquery prints it, for scripts that were written for that: result, comment for the SMTP reply, comment
// for the header, Received-SPF field; and its exit codes. Called by `homing spf check --spfquery`.
import { receivedSpfField, type SpfAnswer, type SpfQuestion, type SpfResult } from "@homing/spf";

export const SPFQUERY_EXIT: Readonly<Record<SpfResult, number>> = {
  pass: 0,
  fail: 1,
  softfail: 2,
  neutral: 3,
  permerror: 4,
  temperror: 5,
  none: 6,
};

export function spfqueryLines(answer: SpfAnswer, question: SpfQuestion, receiver: string): readonly string[] {
  const field = receivedSpfField(answer, question, receiver).replaceAll("\r\n", "");
  const comment = commentOf(field);
  const reply =
    answer.result === "fail" ? (answer.explanation ?? "refused by the sender domain's SPF record") : comment;
  return [answer.result, reply, comment, field];
}

/** Between the first parenthesis and its partner; quoted pairs (RFC 5322 §3.2.1) are taken apart. */
function commentOf(field: string): string {
  let comment = "";
  for (let at = field.indexOf("(") + 1; at > 0 && at < field.length && field[at] !== ")"; at += 1) {
    if (field[at] === "\\") at += 1;
    comment += field[at] ?? "";
  }
  return comment;
}
