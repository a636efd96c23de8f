// An SPF answer in the three texts of Mail::SPF: for the client, for a header comment, and the Received-SPF field. Called by
// spfd.ts and by `homing spfquery`.
import { receivedSpfField, type SpfAnswer, type SpfQuestion } from "@homing/spf";

export interface SpfWords {
  /** What a client may be told. Of a fail, the words of the domain. */
  readonly reply: string;
  readonly comment: string;
  /** With its name, in one line. */
  readonly field: string;
}

/** What a fail is explained with where the domain does not. */
const DEFAULT_EXPLANATION = "refused by the sender domain's SPF record";

export function spfWords(
  answer: SpfAnswer,
  question: SpfQuestion,
  {
    receiver,
    explanation = DEFAULT_EXPLANATION,
  }: { readonly receiver: string; readonly explanation?: string },
): SpfWords {
  const field = receivedSpfField(answer, question, receiver).replaceAll("\r\n", "");
  const comment = commentOf(field);
  const reply = answer.result === "fail" ? (answer.explanation ?? explanation) : comment;
  return { reply, comment, field };
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
