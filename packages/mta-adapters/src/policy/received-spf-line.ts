// Received-SPF as one line: a policy service has no other way to say it, and Postfix does not fold what is prepended.
// Called by policy.ts.
import { receivedSpfField, type SpfAnswer, type SpfQuestion } from "@homing/spf";

/** RFC 5322 §2.1.1, without `PREPEND `. A longer line would be cut by the next server, in the middle of a quoted string. */
const MAX_LINE = 990;
/** Of each text that is a stranger's. Real ones are short; what is cut says so by its end. */
const LENGTHS = [320, 120, 40, 16];

export function receivedSpfLine(answer: SpfAnswer, question: SpfQuestion, hostname: string): string {
  for (const length of LENGTHS) {
    const line = unfolded(shortened(answer, question, { hostname, length }));
    if (line.length <= MAX_LINE) return line;
  }
  return `Received-SPF: ${answer.result}`;
}

interface Room {
  readonly hostname: string;
  readonly length: number;
}

function shortened(answer: SpfAnswer, question: SpfQuestion, { hostname, length }: Room): string {
  const { client, helo, sender } = question;
  const { domain, mechanism, problem } = answer;
  const short = (text: string): string => cut(text, length);
  return receivedSpfField(
    {
      ...answer,
      domain: short(domain),
      ...(mechanism === undefined ? {} : { mechanism: short(mechanism) }),
      ...(problem === undefined ? {} : { problem: short(problem) }),
    },
    { client, helo: short(helo), sender: short(sender) },
    hostname,
  );
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text;
}

/** RFC 5322 §2.2.3. */
function unfolded(field: string): string {
  return field.replace(/\r\n(?=[ \t])/g, "").trimEnd();
}
