// `homing sendmail`: the program that PHP, cron and mailers call to send a message. It takes all of it first, and hands it to a
// server with AUTH over TLS, in one transaction. There is no queue here: the exit code says at once what became of it.
import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import process from "node:process";
import { type SubmissionToAll, submitToAll } from "@homing/forwarder/submit";
import { type Content, countedHolds, memoryContent } from "@homing/mail";
import {
  asciiLower,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  renderMailbox,
  renderReversePath,
} from "@homing/srs-core";
import { CommandFailure } from "../failure.ts";
import { createOutput } from "../output.ts";
import { parseSendmailArguments, type SendmailArguments } from "../sendmail/arguments.ts";
import { SENDMAIL_HELP } from "../sendmail/help.ts";
import { BadMessage, type MessageInput, readMessage } from "../sendmail/message-input.ts";
import { SYSEXIT, type Told, toldAttempt, toldFailure } from "../sendmail/outcome.ts";
import { prepareMessage, readRecipients } from "../sendmail/prepare.ts";
import { DEFAULT_SETTINGS_FILE, readSettings, type SendmailSettings } from "../sendmail/settings.ts";
import { safe } from "../terminal-text.ts";
import { unixNow } from "../time.ts";

interface Ended extends Told {
  /** For --json: who has it. */
  readonly accepted?: readonly Mailbox[];
}

/** Until the final dot: then the server has ten minutes more, since it may have the message. */
const SEND_MS = 5 * 60_000;

/** @param argv what stands behind `sendmail` */
export async function sendmail(argv: readonly string[]): Promise<number> {
  const parsed = parseSendmailArguments(argv);
  if (parsed.kind === "help") {
    process.stdout.write(SENDMAIL_HELP);
    return SYSEXIT.ok;
  }
  if (parsed.kind === "done") {
    process.stdout.write(`${parsed.message}\n`);
    return SYSEXIT.ok;
  }
  if (parsed.kind === "mistake")
    return tell({ exit: SYSEXIT.usage, lines: [parsed.message] }, argv.includes("--json"));
  const { arguments: asked } = parsed;
  const ended = await run(asked);
  // Whatever was not read: the writer hears that nobody does.
  process.stdin.destroy();
  const exit = tell(ended, asked.json);
  return asked.final && exit === SYSEXIT.temporary ? SYSEXIT.unavailable : exit;
}

async function run(asked: SendmailArguments): Promise<Ended> {
  try {
    const file = asked.config ?? process.env.HOMING_SENDMAIL_CONFIG ?? DEFAULT_SETTINGS_FILE;
    return await sendAs(asked, await readSettings(file));
  } catch (error) {
    const told = toldFailure(error);
    if (told) return told;
    throw error;
  }
}

async function sendAs(asked: SendmailArguments, settings: SendmailSettings): Promise<Ended> {
  const { domain } = settings;
  const addressed = addressesOf(asked, settings);
  if ("exit" in addressed) return addressed;
  const { sender, named } = addressed;
  await using input = await readStdin(asked, settings);
  const { header, bodyStart, recipients } = prepareMessage({
    ...{ start: input.start, isAll: input.whole !== undefined, sender, domain },
    ...{ fullName: asked.fullName, fromHeader: asked.fromHeader, now: unixNow(), newId: randomUUID },
  });
  const all = withoutTwins([...named, ...recipients]);
  if (all.length === 0) throw new BadMessage("names nobody in To, Cc or Bcc: write whom it is for");
  const attempt = await submitToAll({
    ...{
      server: settings.server,
      ca: settings.ca,
      hostname: hostname(),
      timeIsUp: AbortSignal.timeout(SEND_MS),
    },
    ...{ reversePath: sender, recipients: all, eightBit: input.eightBit, smtpUtf8: isUtf8([sender, ...all]) },
    ...(asked.dsn ? { dsn: asked.dsn } : {}),
    ...(asked.verbose ? { transcript } : {}),
    message: contentOf(input, header, bodyStart),
  });
  const told = toldAttempt(attempt, settings.place);
  return attempt.kind === "accepted" ? { ...told, accepted: attempt.accepted } : told;
}

/** Of the command line: before stdin is read, so that a mistake is told at once. */
function addressesOf(
  asked: SendmailArguments,
  settings: SendmailSettings,
): { readonly sender: ReversePath; readonly named: readonly Mailbox[] } | Told {
  try {
    const named = asked.recipients.flatMap((text) => readRecipients(text, settings.domain, safe(text)));
    if (named.length === 0 && !asked.fromHeader)
      return mistake(
        "nobody is named to send the message to: write addresses, or -t to take those of the header",
      );
    return { sender: senderOf(asked.sender, settings), named };
  } catch (error) {
    if (error instanceof BadMessage)
      return mistake(`${error.message}: write addresses such as ann@home.example`);
    throw error;
  }
}

function mistake(message: string): Told {
  return { exit: SYSEXIT.usage, lines: [message] };
}

function senderOf(text: string | undefined, { from, domain }: SendmailSettings): ReversePath {
  if (text === undefined) return from ?? oneMailbox(userName(), domain);
  const isNull = text.trim() === "" || text.trim() === "<>";
  return isNull ? NULL_PATH : oneMailbox(text, domain);
}

function oneMailbox(text: string, domain: string): Mailbox {
  const [mailbox, ...others] = readRecipients(text, domain, `-f ${safe(text)}`);
  if (!mailbox || others.length > 0) throw new BadMessage(`-f ${safe(text)}: not one address`);
  return mailbox;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no passwd entry names.
    return "nobody";
  }
}

async function readStdin(asked: SendmailArguments, settings: SendmailSettings): Promise<MessageInput> {
  const rules = { dotEnds: asked.dotEnds, maxOctets: settings.maxMessageOctets };
  return await readMessage(process.stdin, rules).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error)) throw error;
    // A reader's EIO, or a disk that is full.
    const message = `the message cannot be read: ${error.message}: nothing was sent: send it again`;
    throw new CommandFailure("temporary", message);
  });
}

function contentOf(input: MessageInput, header: Buffer, bodyStart: number): Content {
  if (input.whole) return memoryContent([header, input.whole.subarray(bodyStart)]);
  return {
    octets: header.length + input.octets - bodyStart,
    start: header,
    async *pieces() {
      yield header;
      yield* input.from(bodyStart);
    },
    ...countedHolds(undefined),
  };
}

/** The domain in any case; the local part is its server's matter. */
function withoutTwins(mailboxes: readonly Mailbox[]): Mailbox[] {
  const seen = new Map<string, Mailbox>();
  for (const mailbox of mailboxes) {
    const key = `${mailbox.localPart}@${asciiLower(mailbox.domain)}`;
    if (!seen.has(key)) seen.set(key, mailbox);
  }
  return [...seen.values()];
}

function isUtf8(paths: readonly ReversePath[]): boolean {
  return paths.some((path) => /[^ -~]/.test(renderReversePath(path)));
}

const transcript: NonNullable<SubmissionToAll["transcript"]> = (who, line) => {
  process.stderr.write(`${who === "client" ? "→" : "←"} ${safe(line, 500)}\n`);
};

function tell({ exit, lines, accepted = [] }: Ended, json: boolean): number {
  if (json)
    createOutput(true).document({
      ok: exit === SYSEXIT.ok,
      accepted: accepted.map(renderMailbox),
      messages: lines,
    });
  for (const line of lines) process.stderr.write(`homing sendmail: ${line}\n`);
  return exit;
}
