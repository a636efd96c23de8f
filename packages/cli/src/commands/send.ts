// `homing send`: one message through an SMTP server, with the dialogue. For trying a forwarder without another tool.
import { readFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { type Attempt, parseHostPort, submit } from "@homing/forwarder/submit";
import { forbiddenOctet, mailDate, memoryContent, renderReply } from "@homing/mail";
import {
  type Mailbox,
  parseMailbox,
  parseReversePath,
  type ReversePath,
  renderMailbox,
  renderReversePath,
} from "@homing/srs-core";
import { CommandFailure, EXIT, systemFailure } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { randomId } from "../system-world.ts";
import { unixNow } from "../time.ts";

export interface SendOptions {
  readonly to: string;
  readonly from?: string;
  readonly server: string;
  readonly json?: true;
}

/** @param file a path, `-` for stdin, or nothing for a short message of our own */
export async function send(file: string | undefined, options: SendOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const server = parseHostPort(options.server);
  if (!server)
    throw new CommandFailure("usage", `--server ${options.server}: write HOST:PORT, such as 127.0.0.1:2525`);
  const recipient = parseMailbox(options.to);
  if (!recipient.ok) throw new CommandFailure("usage", `--to: ${recipient.message}`);
  const from = parseReversePath(options.from ?? defaultSender());
  if (!from.ok) throw new CommandFailure("usage", `--from: ${from.message}`);
  const message = await readMessage(file, from.reversePath, recipient.mailbox);

  const transcript: string[] = [];
  const attempt = await submit({
    server,
    hostname: "localhost",
    envelope: {
      reversePath: from.reversePath,
      recipient: recipient.mailbox,
      eightBit: message.some((octet) => octet > 0x7f),
      smtpUtf8: false,
    },
    message: memoryContent(message),
    transcript(who, line) {
      const shown = `${who === "client" ? "→" : "←"} ${line}`;
      transcript.push(shown);
      if (!output.json) output.data(shown);
    },
  });
  return finish(output, attempt, transcript, options.server);
}

function finish(output: Output, attempt: Attempt, transcript: readonly string[], server: string): number {
  const accepted = attempt.kind === "accepted";
  if (output.json) {
    const answer =
      attempt.kind === "no-answer" ? { message: attempt.cause } : { reply: renderReply(attempt.reply) };
    output.document({ ok: accepted, ...answer, transcript });
  }
  if (attempt.kind === "accepted") return EXIT.ok;
  if (attempt.kind === "no-answer") {
    output.talk(`homing: no answer from ${server}: ${attempt.cause}: is a server running there?`);
    return EXIT.unavailable;
  }
  const temporary = attempt.reply.code < 500;
  output.talk(
    `homing: ${server} ${temporary ? "deferred" : "refused"} the message: ${renderReply(attempt.reply)}`,
  );
  return temporary ? EXIT.temporary : EXIT.negative;
}

async function readMessage(file: string | undefined, from: ReversePath, to: Mailbox): Promise<Buffer> {
  if (file === undefined) return sampleMessage(from, to);
  const content =
    file === "-"
      ? await buffer(process.stdin)
      : await readFile(file).catch((error: unknown) => {
          throw systemFailure(`message ${file}`, error);
        });
  const message = withCrlf(content);
  const octet = forbiddenOctet(message);
  if (octet)
    throw new CommandFailure("usage", `the message holds ${octet}, which mail cannot carry: take it out`);
  return message;
}

/** Files on this machine end lines with LF, mail with CRLF (RFC 5321 §2.3.8). */
function withCrlf(content: Buffer): Buffer {
  const text = content.toString("latin1").replace(/\r\n|\n/g, "\r\n");
  return Buffer.from(text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`, "latin1");
}

/** @param command who sends it: `homing spf selftest` does, too */
export function sampleMessage(from: ReversePath, to: Mailbox, command = "homing send"): Buffer {
  const now = unixNow();
  return Buffer.from(
    [
      `From: <${renderReversePath(from) || "postmaster@localhost"}>`,
      `To: <${renderMailbox(to)}>`,
      `Subject: A message from ${command}`,
      `Date: ${mailDate(now)}`,
      `Message-ID: <${randomId()}@homing.invalid>`,
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "Hello,",
      "this message was sent to try a forwarder.",
      "",
    ].join("\r\n"),
  );
}

export function defaultSender(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no passwd entry names.
    return "nobody";
  }
}
