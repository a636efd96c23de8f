// `homing spfquery`: Debian's spfquery for scripts that call it, with its options, four lines of output and exit codes.
// docs/spfd.md. The contract of the other commands for output and exit codes does not hold here.
import { createReadStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Dns } from "@homing/forwarder";
import { parseSpfRequest, type SpfRequest } from "@homing/mta-adapters/spfquery";
import { checkSpf } from "@homing/spf";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, systemFailure } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { receiverName } from "../spf/question.ts";
import { parseSpfqueryArguments, type SpfqueryAsked } from "../spf/spfquery-arguments.ts";
import { SPFQUERY_EXIT, spfqueryLines } from "../spf/spfquery-lines.ts";
import { systemDns } from "../system-dns.ts";
import { safe } from "../terminal-text.ts";
import { unixNow } from "../time.ts";

const USAGE = `Usage:
  homing spfquery [--scope mfrom|helo] --id IDENTITY --ip ADDRESS [--helo-id NAME] [OPTIONS]
  homing spfquery [--scope mfrom|helo] --file FILE|- [OPTIONS]     lines: ADDRESS IDENTITY [NAME]
  homing spfquery --mfrom SENDER --ip ADDRESS | --helo NAME --ip ADDRESS     as before 2006
Options:
  --versions 1            of SPF records
  --default-explanation TEXT   of a fail, where its domain has none
  --hostname NAME         of this host
  --keep-comments         print the comments of the file, too
  --dns ADDRESS[:PORT]    the DNS server to ask (not in Debian's spfquery)`;
const ERROR = 255;
/** RFC 7208 §4.6.4: at least 20 seconds. */
const TIME_MS = 30_000;

type Asked = Extract<SpfqueryAsked, { readonly request: unknown }>;

/** @param args as they are: they are read as Perl reads them. Returns the exit code. */
export async function spfquery(args: readonly string[]): Promise<number> {
  const output = createOutput(false);
  const asked = parseSpfqueryArguments(args, (message) => output.talk(safe(message)));
  switch (asked.kind) {
    case "help":
      output.data(USAGE);
      return 0;
    case "version":
      output.data("spfquery version 2.501 (as homing spfquery)");
      return 0;
    case "usage":
      output.talk(USAGE);
      return problem(output, asked.problem);
    case "problem":
      return problem(output, asked.problem);
    default:
      return await answer(output, asked);
  }
}

function problem(output: Output, text: string): number {
  output.talk(`Error: ${safe(text)}.`);
  return ERROR;
}

async function answer(output: Output, asked: Asked): Promise<number> {
  let dns: Dns | undefined;
  try {
    dns = systemDns(dnsServersOption(asked.dns === undefined ? [] : [asked.dns]));
    const querying = { output, asked, dns };
    return asked.kind === "file" ? await answerFile(querying) : await answerOne(querying, asked.request);
  } catch (error) {
    if (error instanceof CommandFailure) return problem(output, error.message);
    throw error;
  } finally {
    dns?.close();
  }
}

interface Querying {
  readonly output: Output;
  readonly asked: Asked;
  readonly dns: Dns;
}

async function answerOne({ output, asked, dns }: Querying, request: SpfRequest): Promise<number> {
  const parsed = parseSpfRequest(request);
  if (!parsed.ok) return problem(output, parsed.problem);
  const receiver = receiverName(asked.hostname);
  const signal = AbortSignal.timeout(TIME_MS);
  const answer = await checkSpf(parsed.question, { resolver: dns, now: unixNow, receiver, signal });
  const our = { receiver, ...(asked.explanation === undefined ? {} : { explanation: asked.explanation }) };
  for (const line of spfqueryLines(answer, parsed.question, our)) output.data(line);
  return SPFQUERY_EXIT[answer.result];
}

/** The first result that is no pass is the exit code. A line that cannot be read ends it. */
async function answerFile(querying: Querying): Promise<number> {
  const { asked, output } = querying;
  const input = asked.file === "-" ? process.stdin : createReadStream(asked.file);
  const opened = new Promise<never>((_, reject) =>
    input.once("error", (error: Error) => reject(systemFailure(asked.file, error))),
  );
  let exit = 0;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const { done, value: line = "" } = await Promise.race([lines.next(), opened]);
    if (done) return exit;
    const words = line.trimStart();
    if (words.startsWith("#") && asked.keepComments) output.data(words);
    if (words === "" || words.startsWith("#")) continue;
    const [client, identity, helo] = words.trimEnd().split(/\s+/);
    const code = await answerOne(
      querying,
      new Map([...asked.request, ["ip_address", client], ["identity", identity], ["helo_identity", helo]]),
    );
    if (code === ERROR) return ERROR;
    exit ||= code;
  }
}
