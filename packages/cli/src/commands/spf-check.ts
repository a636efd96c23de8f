// `homing spf check`: may this client send mail as this sender? RFC 7208, asked of DNS now.
import { checkSpf, type SpfAnswer, type SpfQuestion } from "@homing/spf";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { checkLines, traceLines } from "../spf/check-words.ts";
import { type QuestionOptions, receiverName, spfQuestion } from "../spf/question.ts";
import { SPFQUERY_EXIT, spfqueryLines } from "../spf/spfquery-lines.ts";
import { systemDns } from "../system-dns.ts";
import { unixNow } from "../time.ts";

export interface SpfCheckOptions extends QuestionOptions {
  readonly dns?: readonly string[];
  readonly receiver?: string;
  readonly strict?: true;
  readonly trace?: true;
  readonly json?: true;
  readonly spfquery?: true;
}

/** RFC 7208 §4.6.4: at least 20 seconds. */
const TIME_MS = 30_000;

export async function checkSpfOf(options: SpfCheckOptions): Promise<number> {
  if (options.spfquery && options.json) {
    throw new CommandFailure("usage", "--spfquery and --json: both say what is printed: keep one");
  }
  const output = createOutput(options.json === true);
  const question = spfQuestion(options);
  const answer = await answerTo(question, options);
  if (options.spfquery) return printSpfquery(output, question, answer, options);
  if (output.json) output.document(document(answer));
  else {
    for (const line of checkLines(answer, question.client)) output.data(line);
    if (options.trace) for (const line of traceLines(answer)) output.data(line);
  }
  return options.strict && answer.result === "fail" ? EXIT.negative : EXIT.ok;
}

async function answerTo(
  question: SpfQuestion,
  { dns: servers = [], receiver }: SpfCheckOptions,
): Promise<SpfAnswer> {
  const dns = systemDns(dnsServersOption(servers));
  try {
    return await checkSpf(question, {
      resolver: dns,
      now: unixNow,
      receiver: receiverName(receiver),
      signal: AbortSignal.timeout(TIME_MS),
    });
  } finally {
    dns.close();
  }
}

function printSpfquery(
  output: Output,
  question: SpfQuestion,
  answer: SpfAnswer,
  { receiver }: SpfCheckOptions,
): number {
  for (const line of spfqueryLines(answer, question, { receiver: receiverName(receiver) })) output.data(line);
  return SPFQUERY_EXIT[answer.result];
}

/** The contract of docs/cli.md: all keys, null where there is nothing. */
function document({
  result,
  explanation,
  mechanism,
  lookups,
  voidLookups,
  problem,
  trace,
}: SpfAnswer): object {
  return {
    result,
    explanation: explanation ?? null,
    mechanism: mechanism ?? null,
    lookups,
    voidLookups,
    problem: problem ?? null,
    trace,
  };
}
