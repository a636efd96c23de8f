// A connection to a server that has greeted us: messages one after another, as long as nothing odd happens. Made by
// smtp-out.ts, used by it and by the pool.
import type { Socket } from "node:net";
import { type Content, type Envelope, parseReply, partsOf, type Reply } from "@homing/mail";
import { gather } from "../gathered-writes.ts";
import { whenAborted } from "../when-aborted.ts";
import type { Attempt, AttemptOptions, TlsOutcome } from "./attempt.ts";
import { failedAttempt } from "./failed-attempt.ts";
import type { Library, MessageSink, RejectedError } from "./library.ts";
import { asksSmtpUtf8, libraryEnvelope, NO_EIGHT_BIT, takes, unsendable } from "./library-envelope.ts";
import { refusedRecipients } from "./refused-recipients.ts";
import { writePieces, writeWhole } from "./write-message.ts";

/** One message at a time. */
export interface OutConnection {
  readonly tls: TlsOutcome;
  /** As in the server's answer to EHLO, of those that we know. */
  readonly extensions: readonly string[];
  /** Of SIZE; undefined where the server told none. */
  readonly maxOctets: number | undefined;
  /** Messages begun. */
  readonly messages: number;
  /** False as soon as anything odd happened: a loss, a time-out, a 421, an answer that nobody asked for. */
  readonly usable: boolean;
  /** Did the server take up the last message: was MAIL answered, and not by 421? */
  readonly tookUp: boolean;
  /** Called once, when the connection is over, whoever ended it. */
  onEnd: (() => void) | undefined;
  /** Never rejects. Without an answer to rely on the connection is closed. */
  send(options: AttemptOptions): Promise<Attempt>;
  /** RSET, for what a refusal has left behind. Resolves when the connection is usable again, or is over. */
  reset(): Promise<void>;
  /** QUIT. A server that does not answer it has had its message, and is left. */
  quit(): void;
  close(): void;
}

/** RFC 5321 §4.5.3.2.2–4: at least five minutes for MAIL and RCPT, two for DATA. */
const COMMAND_TIMEOUT_MS = 5 * 60_000;
/** §4.5.3.2.5, between pieces of the message. */
const BLOCK_TIMEOUT_MS = 3 * 60_000;
/** §4.5.3.2.6: the server may have the message. Whoever leaves now has it delivered twice. */
const FINAL_DOT_TIMEOUT_MS = 10 * 60_000;
const QUIT_TIMEOUT_MS = 5_000;

const TIME_IS_UP = "time is up";
const TOO_SOON = "the server took the message before it had all of it";

export interface OutConnectionOptions {
  readonly library: Library;
  readonly lmtp: boolean;
  readonly tls: TlsOutcome;
}

export function createOutConnection({ library, lmtp, tls }: OutConnectionOptions): OutConnection {
  /** The message under way. */
  let sending: { readonly options: AttemptOptions; readonly settle: (attempt: Attempt) => void } | undefined;
  let finalDot = false;
  /** Between DATA and the final dot: only the end of the connection ends the message. */
  let inMessage = false;
  let tookUp = false;
  let lastMoment: NodeJS.Timeout | undefined;
  let messages = 0;

  const finish = (attempt: Attempt): void => {
    const done = sending;
    // The library may report one loss twice.
    if (!done) return;
    sending = undefined;
    clearTimeout(lastMoment);
    // After an answer that nobody asked for, the next one might be taken for another command's.
    const outOfStep = library._responseQueue.length > 0 || library._remainder !== "";
    if (attempt.kind === "no-answer" || outOfStep || inMessage) library.close();
    done.settle(attempt);
  };
  const fail = (error: unknown): void => finish(failedAttempt(error, "transaction", tls));
  const refuse = (reply: Reply): void =>
    finish({ kind: "answered", reply, stage: "transaction", tls, ours: true });
  const dotSent = (): void => {
    inMessage = false;
    finalDot = true;
    setSilence(library, FINAL_DOT_TIMEOUT_MS);
    // In all: an answer that comes line by line is none for as long as it goes on.
    lastMoment = setTimeout(
      () => fail(new Error("no whole answer to the message in ten minutes")),
      FINAL_DOT_TIMEOUT_MS,
    );
    lastMoment.unref();
    sending?.options.onFinalDot?.();
  };

  overrideEnvelope(library, () => asksSmtpUtf8(sending?.options.envelope, library));
  overrideMail(library, {
    envelope: () => sending?.options.envelope,
    answered(answer) {
      tookUp = !answer.startsWith("421");
    },
  });
  overrideData(library, lmtp, (socket, message) => {
    const parts = partsOf(message);
    if (parts) {
      writeWhole(socket, parts);
      return dotSent();
    }
    const mine = sending;
    inMessage = true;
    setSilence(library, BLOCK_TIMEOUT_MS);
    void writePieces(socket, message, {
      stopped: () => sending !== mine || mine === undefined,
      takesEightBit: takes(library, "8BITMIME"),
      dotSent,
      eightBit: () => refuse(NO_EIGHT_BIT),
      failed: fail,
    });
  });
  library.on("error", fail);
  library.once("end", () => {
    // The library may have an error to tell still: its words say more.
    queueMicrotask(() => fail(new Error("the server closed the connection")));
    connection.onEnd?.();
  });

  const connection: OutConnection = {
    tls,
    extensions: library._supportedExtensions,
    maxOctets: library._maxAllowedSize || undefined,
    get messages() {
      return messages;
    },
    get usable() {
      return !library.destroyed && sending === undefined;
    },
    get tookUp() {
      return tookUp;
    },
    onEnd: undefined,
    send(options) {
      const { timeIsUp, message } = options;
      messages++;
      tookUp = false;
      finalDot = false;
      return new Promise((resolve) => {
        const abort = (): void => {
          if (!finalDot) fail(new Error(TIME_IS_UP));
        };
        let leave: (() => void) | undefined;
        sending = {
          options,
          settle(attempt) {
            leave?.();
            resolve(attempt);
          },
        };
        if (timeIsUp?.aborted) return abort();
        leave = timeIsUp && whenAborted(timeIsUp, abort);
        const refusal = unsendable(options, library);
        if (refusal) {
          tookUp = true;
          return refuse(refusal);
        }
        setSilence(library, COMMAND_TIMEOUT_MS);
        if (library._socket) gather(library._socket);
        library.send(libraryEnvelope(options), message, (error, info) => {
          const refused = refusedRecipients(options, error ? rejectedOf(error) : info.rejectedErrors);
          // A refusal after the dot of LMTP is no error to the library: it is one recipient's, and others might have none.
          const failure = error ?? (refused ? undefined : info.rejectedErrors?.[0]);
          if (failure) return finish({ ...failedAttempt(failure, "transaction", tls), ...refused });
          // It cannot mean a message that it does not have.
          if (inMessage) return fail(new Error(TOO_SOON));
          const reply = parseReply(info.response) ?? { code: 250, enhanced: "2.0.0", text: "" };
          finish({ kind: "accepted", reply, tls, ...refused });
        });
      });
    },
    reset() {
      return new Promise((resolve) => {
        if (library.destroyed) return resolve();
        const done = (): void => resolve();
        library.once("end", done);
        setSilence(library, COMMAND_TIMEOUT_MS);
        library.reset((error) => {
          library.off("end", done);
          if (error) library.close();
          resolve();
        });
      });
    },
    quit: () => leave(library),
    close: () => library.close(),
  };
  return connection;
}

/** Of an error that is about all recipients. */
function rejectedOf(error: Error): readonly RejectedError[] | undefined {
  return "rejectedErrors" in error ? (error.rejectedErrors as readonly RejectedError[]) : undefined;
}

export function leave(library: Library): void {
  if (library.destroyed) return;
  library.quit();
  const timer = setTimeout(() => library.close(), QUIT_TIMEOUT_MS).unref();
  library.once("end", () => clearTimeout(timer));
}

function setSilence({ _socket }: Library, ms: number): void {
  if (_socket && _socket.timeout !== ms) _socket.setTimeout(ms);
}

/** SMTPUTF8 as the client said, and an ear for the answer to MAIL. */
function overrideMail(
  library: Library,
  on: { readonly envelope: () => Envelope | undefined; readonly answered: (answer: string) => void },
): void {
  const sendCommand = library._sendCommand.bind(library);
  library._sendCommand = (command, logged) => {
    // The library adds the flag for UTF-8 addresses alone; the client asked for it, so header fields may hold UTF-8.
    const flag =
      command.startsWith("MAIL FROM:") &&
      asksSmtpUtf8(on.envelope(), library) &&
      !command.endsWith(" SMTPUTF8");
    sendCommand(flag && !command.includes("> SMTPUTF8") ? `${command} SMTPUTF8` : command, logged);
  };
  const actionMail = library._actionMAIL.bind(library);
  library._actionMAIL = (answer, done) => {
    on.answered(answer);
    actionMail(answer, done);
  };
}

/** In an address: what the library looks at more closely. */
const NOT_PLAIN = /[^!-;=?-~]/;

/**
 * MAIL, RCPT and DATA for one recipient in one write, where the server pipelines (RFC 2920). The library takes its time for
 * many recipients, in one write for each command. The answers are its own matter.
 */
function overrideEnvelope(library: Library, asksForUtf8: () => boolean): void {
  const setEnvelope = library._setEnvelope.bind(library);
  const sendCommand = library._sendCommand.bind(library);
  const pipelines = takes(library, "PIPELINING");
  library._setEnvelope = (envelope, done) => {
    const { from, to, size, use8BitMime } = envelope;
    if (
      !pipelines ||
      typeof to !== "string" ||
      to === "" ||
      envelope.dsn ||
      NOT_PLAIN.test(from) ||
      NOT_PLAIN.test(to)
    ) {
      setEnvelope(envelope, done);
      return;
    }
    library._envelope = { from, to: [to], rejected: [], rejectedErrors: [], accepted: [], pipelined: true };
    library._recipientQueue = [to];
    library._responseActions.push(
      (answer) => library._actionMAIL(answer, done),
      (answer) => library._actionRCPT(answer, done),
      (answer) => library._actionDATA(answer, done),
    );
    const body = use8BitMime && takes(library, "8BITMIME") ? " BODY=8BITMIME" : "";
    const octets = size > 0 && takes(library, "SIZE") ? ` SIZE=${size}` : "";
    const utf8 = asksForUtf8() ? " SMTPUTF8" : "";
    sendCommand(`MAIL FROM:<${from}>${body}${octets}${utf8}\r\nRCPT TO:<${to}>\r\nDATA`);
  };
}

/** The library's own stream doubles dots octet by octet: 360 µs for 100 KB, and its listeners come and go with it. */
function overrideData(
  library: Library,
  lmtp: boolean,
  write: (socket: Socket, message: Content) => void,
): void {
  library._createSendStream = (done): MessageSink => {
    const { accepted } = library._envelope;
    if (lmtp) {
      accepted.forEach((recipient, index) => {
        const final = index === accepted.length - 1;
        library._responseActions.push((answer) => library._actionLMTPStream(recipient, final, answer, done));
      });
    } else library._responseActions.push((answer) => library._actionSMTPStream(answer, done));
    return {
      outByteCount: 0,
      write(message) {
        if (library._socket) write(library._socket, message);
      },
      end() {},
    };
  };
}
