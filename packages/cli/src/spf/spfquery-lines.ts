// An answer as Debian's spfquery prints it, for scripts that were written for that: result, comment for the SMTP reply, comment
// for the header, Received-SPF field; and its exit codes. Called by `homing spfquery` and `homing spf check --spfquery`.
import { spfWords } from "@homing/mta-adapters/spfquery";
import type { SpfAnswer, SpfQuestion, SpfResult } from "@homing/spf";

export const SPFQUERY_EXIT: Readonly<Record<SpfResult, number>> = {
  pass: 0,
  fail: 1,
  softfail: 2,
  neutral: 3,
  permerror: 4,
  temperror: 5,
  none: 6,
};

export function spfqueryLines(
  answer: SpfAnswer,
  question: SpfQuestion,
  our: { readonly receiver: string; readonly explanation?: string },
): readonly string[] {
  const { reply, comment, field } = spfWords(answer, question, our);
  return [answer.result, reply, comment, field];
}
