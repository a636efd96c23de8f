// `homing pipe`: a program that mail is forwarded through, from .forward, aliases, .qmail and procmail. It asks the daemon for the
// rewritten sender, and hands the message to the site's own mail server. Its exit code decides what becomes of the message:
// nothing here may end with another one.
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { parseHostPort } from "@homing/forwarder/host-port";
import {
  type Conventions,
  conventionsOf,
  DATA_ERROR,
  exitCode,
  localRecipient,
  type PipeOutcome,
  pipeSender,
  readLetterTop,
  renderRewritingQuestion,
  UNAVAILABLE,
} from "@homing/mta-adapters/pipe";
import { type Mailbox, parseMailbox, parseReversePath } from "@homing/srs-core";
import { createOutput } from "../output.ts";
import { type PipeArguments, parsePipeArguments } from "../pipe/arguments.ts";
import { askDaemon } from "../pipe/ask-daemon.ts";
import { defaultSendmail, runSendmail, submitTo } from "../pipe/hand-over.ts";
import { type LetterFile, readHeader, withCrlf, writeLetter } from "../pipe/letter-file.ts";

interface Ended {
  readonly outcome: PipeOutcome;
  /** Of a failure: one line, which becomes the text of a bounce or stands in the mail server's log. */
  readonly why: string;
  /** The new one; undefined where there was none to tell. */
  readonly sender?: string | undefined;
  readonly recipients?: readonly string[];
}

/** What a forwarder says of its own mistakes: the message waits until they are mended. */
const RETRY: PipeOutcome = { kind: "retry" };
const NO_SENDER =
  "nobody says who sent the message: it has no From line and no Return-Path, and SENDER is not set: pass -f SENDER";

const UNFIT = "one that is only too long could be kept: run homing serve with a stateDirectory";

/** @param argv what stands behind `pipe` */
export async function pipe(argv: readonly string[]): Promise<number> {
  const parsed = parsePipeArguments(argv);
  const asked = parsed.ok ? parsed.arguments : undefined;
  const conventions = asked?.conventions ?? conventionsOf(process.env);
  const ended = await pass(parsed, conventions).catch(
    (error: unknown): Ended => ({
      outcome: RETRY,
      why: error instanceof Error ? error.message : String(error),
    }),
  );
  // Whatever was not read: the writer hears that nobody does.
  process.stdin.destroy();
  tell(ended, asked?.json ?? argv.includes("--json"));
  return exitCode(ended.outcome, conventions);
}

async function pass(parsed: ReturnType<typeof parsePipeArguments>, conventions: Conventions): Promise<Ended> {
  if (!parsed.ok) return retry(parsed.message);
  const options = await withFileOfRecipients(parsed.arguments);
  if (options.recipients.length === 0 && !options.fromHeader) return retry("nobody is named in that file");
  return options.fromHeader ? await passOwn(options, conventions) : await forward(options, conventions);
}

/** Mail of the site, as from any program that calls sendmail. */
async function passOwn(options: PipeArguments, conventions: Conventions): Promise<Ended> {
  const { sender, recipients, fullName } = options;
  await using letter = await writeLetter(tmpdir(), process.stdin);
  const program = options.sendmail ?? defaultSendmail(conventions);
  const call = { program, conventions, sender, fullName, fromHeader: true, recipients };
  return { ...(await runSendmail(letter, call)), sender, recipients };
}

async function forward(options: PipeArguments, conventions: Conventions): Promise<Ended> {
  const input = await readHeader(process.stdin);
  if (input === "too-long") return hard(DATA_ERROR, "the header of the message has over a megabyte");
  const top = readLetterTop(input.start);
  const { SENDER, RECIPIENT, ORIGINAL_RECIPIENT, DTLINE } = process.env;
  const found = pipeSender({ option: options.sender, variable: SENDER, conventions, top });
  if (found.kind === "malformed") return hard(DATA_ERROR, "the sender of the message is no address");
  if (found.kind === "unknown") return retry(NO_SENDER);
  const variables = { RECIPIENT, ORIGINAL_RECIPIENT, DTLINE };
  const recipient = localRecipient(variables, top, { conventions, alias: options.alias });
  if (recipient.kind === "loop") return hard(UNAVAILABLE, "the message was here before: a mail loop");

  const rewritten = await rewrittenSender(options.socket, found.sender, recipient.alias);
  if (typeof rewritten !== "string") return rewritten;
  const added = recipient.deliveredTo === undefined ? "" : recipient.deliveredTo + top.lineEnd;
  await using letter = await writeLetter(
    tmpdir(),
    forWhom(options, piecesOfLetter(added, input.start.subarray(top.start), input.rest)),
  );
  return await handOver(letter, rewritten, { options, conventions });
}

async function rewrittenSender(
  socket: string,
  sender: string,
  alias: string | undefined,
): Promise<string | Ended> {
  if (sender === "") return sender;
  const answer = await askDaemon(socket, renderRewritingQuestion(sender, alias));
  if (answer.kind === "rewritten") return answer.sender;
  if (answer.kind === "as-it-is") return sender;
  if (answer.kind === "unfit")
    return hard(DATA_ERROR, `the sender cannot be rewritten: ${answer.why}: ${UNFIT}`);
  const remedy =
    answer.kind === "later" ? "is homing running, and may this user connect?" : "name its readsocket";
  return retry(`no answer from the daemon at ${socket}: ${answer.why}: ${remedy}`);
}

async function* piecesOfLetter(
  added: string,
  start: Buffer,
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  yield Buffer.from(added);
  yield start;
  yield* rest;
}

/** A sendmail program takes lines as this system ends them, or as mail does. */
function forWhom({ server }: PipeArguments, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return server === undefined ? pieces : withCrlf(pieces);
}

async function handOver(
  letter: LetterFile,
  sender: string,
  { options, conventions }: { readonly options: PipeArguments; readonly conventions: Conventions },
): Promise<Ended> {
  const { recipients, stop } = options;
  const handed =
    options.server === undefined
      ? await runSendmail(letter, {
          program: options.sendmail ?? defaultSendmail(conventions),
          ...{ conventions, sender, fromHeader: false, recipients },
        })
      : await overSmtp(letter, sender, { server: options.server, recipients });
  const isDone = handed.outcome.kind === "done";
  return { ...handed, outcome: isDone && stop ? { kind: "done-stop" } : handed.outcome, sender, recipients };
}

async function overSmtp(
  letter: LetterFile,
  sender: string,
  { server: place, recipients: texts }: { readonly server: string; readonly recipients: readonly string[] },
): Promise<Ended> {
  const server = parseHostPort(place);
  if (!server) return retry(`--server ${place}: write HOST:PORT, such as 127.0.0.1:25`);
  const path = parseReversePath(sender);
  if (!path.ok) return retry("a sender without a domain goes through a sendmail program, not over SMTP");
  const recipients: Mailbox[] = [];
  for (const text of texts) {
    const parsed = parseMailbox(text);
    if (!parsed.ok) return retry(`a recipient for --server: ${parsed.message}`);
    recipients.push(parsed.mailbox);
  }
  return await submitTo(letter, { server, sender: path.reversePath, recipients });
}

/** The command line stands in the bounces that Postfix and Sendmail write: who hides an address keeps it in a file. */
async function withFileOfRecipients(options: PipeArguments): Promise<PipeArguments> {
  const { recipientsFile, recipients } = options;
  if (recipientsFile === undefined) return options;
  const lines = (await readFile(recipientsFile, "utf8")).split("\n").map((line) => line.trim());
  const named = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return { ...options, recipients: [...recipients, ...named] };
}

function tell({ outcome, why, sender, recipients }: Ended, json: boolean): void {
  const ok = outcome.kind === "done" || outcome.kind === "done-stop";
  const output = createOutput(json);
  if (json)
    output.document(
      ok ? { ok, sender: sender ?? null, recipients } : { ok, reason: outcome.kind, message: why },
    );
  else if (!ok) output.talk(`homing pipe: ${why}`);
}

function retry(why: string): Ended {
  return { outcome: RETRY, why };
}

function hard(code: Extract<PipeOutcome, { kind: "hard" }>["code"], why: string): Ended {
  return { outcome: { kind: "hard", code }, why };
}
