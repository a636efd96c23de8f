// The last step of `homing pipe`: the message to the site's own mail server, by its sendmail program or over SMTP. Each failure
// is told without an address: its words go into the bounce, and the sender must not read where the mail was to go.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { Attempt, HostPort } from "@homing/forwarder/submit";
import { type Content, createOctetScan, type Envelope, type ForbiddenOctet } from "@homing/mail";
import {
  type Conventions,
  DATA_ERROR,
  outcomeOf,
  type PipeOutcome,
  UNAVAILABLE,
} from "@homing/mta-adapters/pipe";
import { type Mailbox, type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import { type LetterFile, piecesOf } from "./letter-file.ts";

export interface HandedOver {
  readonly outcome: PipeOutcome;
  /** Of a failure; one line. */
  readonly why: string;
}

export interface SendmailCall {
  readonly program: string;
  readonly conventions: Conventions;
  /** "" is the null sender; undefined: whoever runs this, as of mail of the site's own. */
  readonly sender: string | undefined;
  readonly fullName?: string | undefined;
  /** The program reads the header itself, and takes Bcc out as it does for everybody. */
  readonly fromHeader: boolean;
  readonly recipients: readonly string[];
}

const MAX_WORDS = 2000;
const QMAIL_SENDMAIL = "/var/qmail/bin/sendmail";

export function defaultSendmail(conventions: Conventions): string {
  return conventions === "qmail" && existsSync(QMAIL_SENDMAIL) ? QMAIL_SENDMAIL : "/usr/sbin/sendmail";
}

export function sendmailArguments(call: Omit<SendmailCall, "program">): string[] {
  const { conventions, sender, fullName, fromHeader, recipients } = call;
  // Sendmail takes an empty -f for none, qmail-inject takes <> for an address.
  const nullSender = conventions === "qmail" ? "" : "<>";
  return [
    "-i",
    ...(fromHeader ? ["-t"] : []),
    ...(fullName === undefined ? [] : ["-F", fullName]),
    ...(sender === undefined ? [] : ["-f", sender === "" ? nullSender : sender]),
    ...(recipients.length === 0 ? [] : ["--", ...recipients]),
  ];
}

/** Never rejects. */
export async function runSendmail(letter: LetterFile, call: SendmailCall): Promise<HandedOver> {
  const child = spawn(call.program, sendmailArguments(call), { stdio: [letter.file.fd, "ignore", "pipe"] });
  let words = "";
  child.stderr?.on("data", (piece: Buffer) => {
    if (words.length < MAX_WORDS) words += piece.toString("latin1");
  });
  try {
    const [code] = (await once(child, "close")) as [number | null];
    const outcome = outcomeOf(code);
    const end = code === null ? "was ended by a signal" : `ended with ${code}`;
    return { outcome, why: `${call.program} ${end}${lastWords(words)}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { outcome: { kind: "retry" }, why: `${call.program} cannot be run: ${code ?? message}` };
  }
}

/** The last line, without addresses. */
function lastWords(text: string): string {
  const line = text.slice(0, MAX_WORDS).trimEnd().split("\n").at(-1) ?? "";
  return line === "" ? "" : `: ${withoutAddresses(line)}`;
}

export function withoutAddresses(line: string): string {
  const words = line.split(" ").map((word) => (word.includes("@") ? "…" : word));
  return words.join(" ").replace(/[^ -~…]/g, "?");
}

export interface Submission {
  readonly server: HostPort;
  readonly sender: ReversePath;
  readonly recipients: readonly Mailbox[];
}

/**
 * One recipient after the other. What fails for one is tried again for all: those who have it get it twice. Rejects only where
 * our own code cannot be loaded.
 */
export async function submitTo(
  letter: LetterFile,
  { server, sender, recipients }: Submission,
): Promise<HandedOver> {
  const addresses = [renderReversePath(sender), ...recipients.map(renderMailbox)];
  const smtpUtf8 = addresses.some((address) => /[^ -~]/.test(address));
  const octet = await forbiddenIn(letter);
  if (octet) return { outcome: { kind: "hard", code: DATA_ERROR }, why: `the message holds ${octet}` };
  const message = await contentOf(letter);
  // Only here: the program starts for every message, and mostly runs sendmail.
  const { submit } = await import("@homing/forwarder/submit");
  for (const recipient of recipients) {
    const envelope: Envelope = { reversePath: sender, recipient, eightBit: letter.eightBit, smtpUtf8 };
    const attempt = await submit({ server, hostname: hostname(), envelope, message });
    if (attempt.kind !== "accepted") return failed(attempt);
  }
  return { outcome: { kind: "done" }, why: "" };
}

/** Some servers end DATA at a bare CR: what follows would run as commands of ours. */
async function forbiddenIn({ file }: LetterFile): Promise<ForbiddenOctet | undefined> {
  const octets = createOctetScan();
  for await (const piece of piecesOf(file)) {
    if (octets.scan(piece)) break;
  }
  return octets.end();
}

function failed(attempt: Exclude<Attempt, { kind: "accepted" }>): HandedOver {
  if (attempt.kind === "no-answer")
    return { outcome: { kind: "retry" }, why: `the mail server did not answer: ${attempt.cause}` };
  const { code, enhanced } = attempt.reply;
  const outcome: PipeOutcome = code >= 500 ? { kind: "hard", code: UNAVAILABLE } : { kind: "retry" };
  return { outcome, why: `the mail server said ${code} ${enhanced}` };
}

/** Its header is in memory, with some of the rest; no piece is larger. */
async function contentOf({ file, octets }: LetterFile): Promise<Content> {
  const first = await piecesOf(file).next();
  return {
    octets,
    start: first.value ?? Buffer.alloc(0),
    pieces: () => piecesOf(file),
    hold() {},
    release() {},
  };
}
