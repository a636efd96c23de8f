// SMTP and LMTP out: one delivery attempt to one server. The only file that imports nodemailer, and the owner of the
// overrides that it needs (ADR 0009), each with a test in smtp-out*.test.ts. Called by deliver.ts, local-delivery.ts
// and by `homing send`.
import { connect } from "node:net";
import { Readable } from "node:stream";
import { type Content, type Envelope, isInMemory, parseReply, type Reply } from "@homing/mail";
import { printable, renderMailbox, renderReversePath } from "@homing/srs-core";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { NextHop } from "./next-hops.ts";

/** A server on this machine that listens on a UNIX socket. */
export interface SocketPath {
  readonly path: string;
}

export interface Submission {
  readonly server: NextHop | SocketPath;
  /** LMTP (RFC 2033) says LHLO, and its server may not queue: its answer is the mailbox's. Default: SMTP. */
  readonly protocol?: "smtp" | "lmtp";
  /** Our name in EHLO or LHLO. */
  readonly hostname: string;
  readonly envelope: Envelope;
  /** CRLF lines; the caller has refused bare CR, bare LF and NUL, which nodemailer would change or let through. */
  readonly message: Content;
  /** Aborts the attempt: whoever waits for it does not wait any longer. */
  readonly timeIsUp?: AbortSignal;
  /** Hears every line of the dialogue but the message. */
  readonly transcript?: (from: "client" | "server", line: string) => void;
}

/** What became of an attempt. The server's words are for the log alone (ADR 0013): they may name a private address. */
export type Attempt =
  | { readonly kind: "accepted"; readonly reply: Reply }
  /** A refusal, at the greeting or in the transaction. */
  | { readonly kind: "answered"; readonly reply: Reply; readonly stage: "greeting" | "transaction" }
  /** No answer: cannot connect, connection lost, time is up. Nobody holds the message for sure. */
  | { readonly kind: "no-answer"; readonly cause: string; readonly stage: "greeting" | "transaction" };

/** For the connection and the greeting. RFC 5321 §4.5.3.2.1 asks for five minutes, but our own client waits meanwhile. */
const GREETING_TIMEOUT_MS = 60_000;
/**
 * Silence of the server, also after the final dot. RFC 5321 §4.5.3.2.6 asks for ten minutes there, but our client
 * waits ten minutes for us: it must hear 451 before it gives up.
 */
const SILENCE_TIMEOUT_MS = 4 * 60_000;
/** A server that does not answer QUIT has had its message: its connection goes. */
const QUIT_TIMEOUT_MS = 5_000;

/** Parts of nodemailer's connection that its types leave out. */
interface Wire {
  _supportedExtensions: string[];
  /** Of the SIZE extension; false where none was told. */
  _maxAllowedSize: number | false;
  _sendCommand(command: string, logged?: string): void;
}

/** A server may say anything, and somebody's terminal shows it. */
const MAX_TRANSCRIPT_LINE = 1_000;

const NO_SMTPUTF8: Reply = { code: 550, enhanced: "5.6.7", text: "the next hop does not take SMTPUTF8" };

const TOO_BIG: Reply = { code: 552, enhanced: "5.3.4", text: "larger than the next hop takes" };
const NO_SUCH_SYNTAX: Reply = {
  code: 553,
  enhanced: "5.1.3",
  text: "the SMTP client cannot write this address",
};

const TIME_IS_UP = "time is up";

/** Delivers one message to one recipient. Never rejects. */
export function submit(submission: Submission): Promise<Attempt> {
  return submitWith(submission, "opportunistic");
}

function submitWith(submission: Submission, tls: "opportunistic" | "none"): Promise<Attempt> {
  const { timeIsUp } = submission;
  // A signal tells of its abort once: who comes later hears nothing.
  if (timeIsUp?.aborted) return Promise.resolve({ kind: "no-answer", cause: TIME_IS_UP, stage: "greeting" });
  const connection = new SMTPConnection({
    ...placeOf(submission.server, tls),
    lmtp: submission.protocol === "lmtp",
    name: submission.hostname,
    // Opportunistic, as between all mail servers: an unverified certificate is better than none.
    opportunisticTLS: true,
    // The library would speak TLS from the start on port 465.
    secure: false,
    connectionTimeout: GREETING_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    ...(submission.transcript ? { logger: transcriber(submission.transcript), transactionLog: true } : {}),
  });
  const wire = connection as unknown as Wire;

  return new Promise((resolve) => {
    let stage: "greeting" | "transaction" = "greeting";
    let settled = false;
    // The library may report one loss twice.
    const settle = (attempt: () => Attempt | Promise<Attempt>): void => {
      if (!settled) resolve(attempt());
      settled = true;
      timeIsUp?.removeEventListener("abort", abort);
    };
    const fail = (error: unknown): void => {
      // RFC 7435: a server whose TLS is broken gets its mail as one without TLS does. A socket that fails in the
      // handshake is reported by its own error, not by ETLS.
      const brokenTls = errorCode(error) === "ETLS" || connection.upgrading === true;
      const retry = brokenTls && tls === "opportunistic" && stage === "greeting" && !timeIsUp?.aborted;
      connection.close();
      settle(() => (retry ? submitWith(submission, "none") : failedAttempt(error, stage)));
    };
    const abort = (): void => fail(new Error(TIME_IS_UP));
    timeIsUp?.addEventListener("abort", abort);
    connection.on("error", fail);
    connection.connect((error) => {
      if (error) return fail(error);
      stage = "transaction";
      const refusal = unsendable(submission, wire);
      if (refusal) {
        settle(() => ({ kind: "answered", reply: refusal, stage }));
        return leave(connection);
      }
      if (submission.envelope.smtpUtf8) flagSmtpUtf8(wire);
      connection.send(libraryEnvelope(submission), octetsOf(submission.message), (error, info) => {
        // A refusal after the dot of LMTP is no error to the library: it is one recipient's, and others might have none.
        const failure = error ?? info.rejectedErrors?.[0];
        if (failure) return fail(failure);
        const reply = parseReply(info.response) ?? { code: 250, enhanced: "2.0.0", text: "" };
        settle(() => ({ kind: "accepted", reply }));
        leave(connection);
      });
    });
  });
}

/** Where to connect. Nothing between two processes of one machine can be listened to: no TLS on a UNIX socket. */
function placeOf(server: NextHop | SocketPath, tls: "opportunistic" | "none") {
  // The library knows no socket paths. It takes a socket that is not connected yet, and hears its errors.
  if ("path" in server) return { connection: connect({ path: server.path }), ignoreTLS: true };
  const servername = server.name === undefined ? {} : { servername: server.name };
  return {
    host: server.host,
    port: server.port,
    ignoreTLS: tls === "none",
    tls: { rejectUnauthorized: false, ...servername },
  };
}

function leave(connection: SMTPConnection): void {
  connection.quit();
  setTimeout(() => connection.close(), QUIT_TIMEOUT_MS).unref();
}

/** What the server's offers rule out. The library would send it anyway, or fail without a reply to carry. */
function unsendable({ envelope, message }: Submission, wire: Wire): Reply | undefined {
  if (needsSmtpUtf8(envelope) && !wire._supportedExtensions.includes("SMTPUTF8")) return NO_SMTPUTF8;
  return wire._maxAllowedSize && message.octets > wire._maxAllowedSize ? TOO_BIG : undefined;
}

function octetsOf(message: Content): Buffer | Readable {
  return isInMemory(message) ? message.start : Readable.from(message.pieces(), { objectMode: false });
}

function libraryEnvelope({ envelope, message }: Submission) {
  return {
    from: renderReversePath(envelope.reversePath),
    to: renderMailbox(envelope.recipient),
    size: message.octets,
    use8BitMime: envelope.eightBit,
  };
}

function needsSmtpUtf8(envelope: Envelope): boolean {
  const addresses = renderReversePath(envelope.reversePath) + renderMailbox(envelope.recipient);
  return envelope.smtpUtf8 || /[^\0-\x7f]/.test(addresses);
}

/** The library adds the flag for UTF-8 addresses alone; the client asked for it, so header fields may hold UTF-8. */
function flagSmtpUtf8(wire: Wire): void {
  const sendCommand = wire._sendCommand.bind(wire);
  wire._sendCommand = (command, logged) => {
    const flagged =
      command.startsWith("MAIL FROM:") && !command.includes(" SMTPUTF8") ? `${command} SMTPUTF8` : command;
    sendCommand(flagged, logged);
  };
}

function failedAttempt(error: unknown, stage: "greeting" | "transaction"): Attempt {
  const response = error instanceof Error && "response" in error ? String(error.response) : "";
  const reply = parseReply(response);
  // A positive reply on an error is the dialogue out of step: nothing to rely on.
  if (reply && reply.code >= 400) return { kind: "answered", reply, stage };
  // The library refuses angle brackets, which a quoted local part may hold.
  if (errorCode(error) === "EENVELOPE" && response === "")
    return { kind: "answered", reply: NO_SUCH_SYNTAX, stage };
  return { kind: "no-answer", cause: error instanceof Error ? error.message : String(error), stage };
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The library's logger contract: a bunyan-like object; entries of the dialogue carry `tnx`. */
function transcriber(hear: NonNullable<Submission["transcript"]>) {
  const entry = (data: { tnx?: string }, ...texts: unknown[]): void => {
    if (data.tnx !== "client" && data.tnx !== "server") return;
    for (const line of String(texts[0] ?? "").split(/\r?\n/))
      hear(data.tnx, printable(line, MAX_TRANSCRIPT_LINE));
  };
  return { trace: entry, debug: entry, info: entry, warn: entry, error: entry, fatal: entry };
}
