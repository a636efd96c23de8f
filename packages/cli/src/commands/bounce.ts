// `homing bounce parse`: what a bounce says about whom, as the bounce handler reads it. `homing bounce reissue`: what the
// original sender would be told of it.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import process from "node:process";
import {
  type BounceReport,
  createBounceReader,
  type DiagnosticPolicy,
  reissue,
} from "@homing/bounce-handler";
import { looksLikeSrs, type Mailbox, parseDomain, parseMailbox } from "@homing/srs-core";
import { CommandFailure, EXIT, systemFailure } from "../failure.ts";
import { createOutput, negative, type Output } from "../output.ts";
import { safeText } from "../terminal-text.ts";
import { parseTime, unixNow } from "../time.ts";
import { nothingWords, reportLines } from "./bounce-words.ts";

export interface BounceOptions {
  readonly json?: true;
}

export interface ReissueCommandOptions extends BounceOptions {
  readonly to: string;
  readonly alias?: string;
  readonly diagnostic: DiagnosticPolicy;
  readonly hostname?: string;
  readonly at?: string;
}

/** @param file a path, or `-` for stdin. Returns the exit code: 1 where it is no bounce */
export async function parseBounce(file: string, options: BounceOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const report = await readReport(file);
  if (output.json) output.document({ ok: true, ...jsonOf(report) });
  else for (const line of reportLines(report)) output.data(line);
  return report.kind === "not-a-bounce" ? EXIT.negative : EXIT.ok;
}

/** Prints the DSN that the original sender would get. Returns the exit code: 1 where he would get none. */
export async function reissueBounce(file: string, options: ReissueCommandOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const settings = {
    to: senderOption(options.to, output),
    alias: options.alias === undefined ? undefined : mailboxOption("--alias", options.alias),
    now: options.at === undefined ? unixNow() : parseTime(options.at),
    diagnostic: options.diagnostic,
  };
  const hostname = hostnameOption(options.hostname, settings.alias);
  const seen = createHash("sha256").update(JSON.stringify([settings, hostname]));
  const report = await readReport(file, (piece) => seen.update(piece));
  // The same question has the same answer.
  const id = seen.digest("hex").slice(0, 16);
  const reissued = reissue({ ...settings, report, hostname, id });
  if (reissued.kind === "nothing") return negative(output, reissued.why, nothingWords(reissued.why));
  const { octets, action, enhanced, class: bounceClass } = reissued;
  const dsn = octets.toString();
  if (output.json)
    output.document({ ok: true, kind: report.kind, action, status: enhanced, class: bounceClass, dsn });
  else process.stdout.write(process.stdout.isTTY ? safeText(dsn) : octets);
  return EXIT.ok;
}

/** Another forwarder's SRS address can be the original sender; ours is a mistake. */
function senderOption(text: string, output: Output): Mailbox {
  if (text === "" || text === "<>")
    throw new CommandFailure("usage", "--to <>: nobody is told: write the original sender");
  const sender = mailboxOption("--to", text);
  if (looksLikeSrs(sender.localPart))
    output.talk(
      `homing: --to ${text}: this is an SRS address: if it is yours, homing reverse gives the sender in it`,
    );
  return sender;
}

function mailboxOption(name: string, text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (!parsed.ok) throw new CommandFailure("usage", `${name} ${text}: ${parsed.message}`);
  return parsed.mailbox;
}

function hostnameOption(text: string | undefined, alias: Mailbox | undefined): string {
  if (text === undefined) return alias?.domain ?? "localhost";
  const parsed = parseDomain(text);
  if (!parsed.ok) throw new CommandFailure("usage", `--hostname ${parsed.message}`);
  return parsed.domain;
}

/** Piece by piece: a bounce may hold the whole message. */
async function readReport(file: string, seen?: (piece: Buffer) => void): Promise<BounceReport> {
  const reader = createBounceReader();
  try {
    const pieces: AsyncIterable<Buffer> = file === "-" ? process.stdin : createReadStream(file);
    for await (const piece of pieces) {
      reader.take(piece);
      seen?.(piece);
    }
  } catch (error) {
    throw systemFailure(`bounce ${file}`, error);
  }
  return reader.end();
}

function jsonOf({
  kind,
  reportingMta,
  originalEnvelopeId,
  arrivalDate,
  recipients,
  truncated,
}: BounceReport) {
  return { kind, reportingMta, originalEnvelopeId, arrivalDate, truncated, recipients };
}
