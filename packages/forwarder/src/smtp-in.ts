// SMTP in: smtp-server behind our own contract. The only file that imports smtp-server, and the owner of the
// overrides that it needs (ADR 0009); each has a test in smtp-in*.test.ts that fails when an upgrade breaks it.
// Called by forwarder.ts and by the command line's built-in inbox.
import type { Socket } from "node:net";
import { isPositive, memoryContent, type Reply } from "@homing/mail";
import { parseMailbox, parseReversePath } from "@homing/srs-core";
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerEnvelope,
  type SMTPServerSession,
} from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import type { HostPort } from "./host-port.ts";
import { type BufferBudget, createBufferBudget, readMessage } from "./read-message.ts";
import { parsePathCommand } from "./smtp-path.ts";
import type { SmtpClient, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";

/** Where to listen; port 0 takes a free one. Or a TCP socket that somebody else has opened, as a service manager does. */
export type ListenPlace = HostPort | { readonly fd: number };

export type SmtpListenerOptions = ListenPlace & SmtpServerOptions;

export interface SmtpServerOptions {
  /** Our name in the greeting, in EHLO and behind a bare `postmaster`. */
  readonly hostname: string;
  readonly maxMessageOctets: number;
  readonly maxClients: number;
}

export interface SmtpListener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; idle clients get 421 at once, busy ones may finish within 30 s. */
  close(): Promise<void>;
}

/** RFC 5321 §4.5.3.2.7. */
const COMMAND_TIMEOUT_MS = 5 * 60_000;
const CLOSE_TIMEOUT_MS = 30_000;
/** RFC 5321 §4.5.3.1.4 asks for 512; extensions and long addresses need more, and Postfix allows this. */
const MAX_COMMAND_OCTETS = 2048;
/** Postfix's smtpd_hard_error_limit. Refusals only: a 452 to a further recipient is no error of the client. */
const MAX_REFUSALS = 20;
/**
 * Message bytes of all clients together; 452 makes them come again. While a message is passed on there are up to three
 * copies of it (as received, with its trace field, with dots stuffed), so memory is three times this.
 */
const BUFFER_BUDGET_OCTETS = 256 * 1024 * 1024;

const MAIL_PARAMETERS = new Set(["BODY", "SIZE", "SMTPUTF8"]);
const RCPT_PARAMETERS: ReadonlySet<string> = new Set();
const SHUTTING_DOWN = "4.3.2 shutting down";
const ENHANCED_FIRST = /^[245]\.\d{1,3}\.\d{1,3} /;

const NEEDS_SMTPUTF8: Reply = {
  code: 553,
  enhanced: "5.6.7",
  text: "an address with UTF-8 characters needs the SMTPUTF8 parameter",
};
const LOCAL_ERROR: Reply = { code: 451, enhanced: "4.3.0", text: "local error, try again later" };
const TOO_BIG: Reply = { code: 552, enhanced: "5.3.4", text: "the message is larger than this server takes" };
const NO_MEMORY: Reply = { code: 452, enhanced: "4.3.1", text: "too much mail at once, try again later" };

/** Starts an SMTP server. Rejects with the system's error (EADDRINUSE, EACCES …) where the port cannot be had. */
export async function listenSmtp(options: SmtpListenerOptions, handler: SmtpHandler): Promise<SmtpListener> {
  const server = new Server({
    name: options.hostname,
    banner: "Homing",
    heloResponse: "%s",
    size: options.maxMessageOctets,
    maxClients: options.maxClients,
    maxCommandLength: MAX_COMMAND_OCTETS,
    socketTimeout: COMMAND_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    // Off: TLS needs a certificate of ours (the library's own has a public key pair), the others nobody asked for.
    disabledCommands: ["AUTH", "STARTTLS", "XCLIENT", "XFORWARD", "WIZ", "SHELL", "KILL", "HELP"],
    logger: false,
    ...libraryHandlers(options, handler),
  });
  const place = "fd" in options ? { fd: options.fd } : { host: options.host, port: options.port };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // Without a listener, a client's reset would end the process.
  server.on("error", (error: Error) => {
    if (!("remoteAddress" in error)) handler.failed(error, "");
  });
  const taken = server.server.address();
  if (taken === null || typeof taken === "string") {
    await closeServer(server);
    throw new Error("the socket is not a TCP socket");
  }
  return { host: taken.address, port: taken.port, close: () => closeServer(server) };
}

class Server extends SMTPServer {
  override connect(socket: Socket, socketOptions?: Parameters<SMTPServer["connect"]>[1]): void {
    const connection = new Connection(this, socket, socketOptions);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this._onError(error));
    connection.on("connect", (info) => this._onClientConnect(info));
    connection.init();
  }
}

class Connection extends SMTPConnection {
  #refusals = 0;

  /** Without the library's fixed wait of 100 ms before the greeting. */
  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients && this._server.connections.size > maxClients) {
        this.send(421, "4.3.2 too many connections, try again later");
        return;
      }
      setImmediate(() => {
        // A client that came while the server closed would be greeted, and hold it up.
        if (this._server._closeTimeout) this.send(421, SHUTTING_DOWN);
        else this.connectionReady();
      });
    });
  }

  /** Our replies bring their own enhanced code: the library would write one of its own before it. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (context === "DATA_OK" && code === 250) this.#refusals = 0;
    if (code >= 500) this.#refusals++;
    if (this.#refusals > MAX_REFUSALS) {
      super.send(421, "4.7.0 too many errors", false);
      return;
    }
    const text = typeof data === "string" ? this.#readable(data) : data;
    const ours = typeof text === "string" && ENHANCED_FIRST.test(text);
    super.send(code, text, ours ? false : context);
    if (this._server._closeTimeout && code !== 421) setImmediate(() => this.leaveIfIdle());
  }

  /** While the server closes, a client that is done with its command is sent away. */
  leaveIfIdle(): void {
    const busy = this._handlerPending || this._dataStream;
    if (!busy && !this._closing && !this._closed) this.send(421, SHUTTING_DOWN);
  }

  /** One style for all replies. RFC 6531 §3.7.4.2: UTF-8 in a reply only for a client that asked for SMTPUTF8. */
  #readable(text: string): string {
    const words = text.replace(/^Error: /, "");
    return this.session.envelope?.smtpUtf8 ? words : words.replace(/[^ -~]/g, "?");
  }

  /** Quoted local parts, source routes and A-labels as RFC 5321 has them. */
  override _parseAddressCommand(
    name: string,
    command: Buffer | string,
  ): ReturnType<SMTPConnection["_parseAddressCommand"]> {
    const parsed = parsePathCommand(name, command.toString());
    if (!parsed.ok) return false;
    const args = parsed.parameters.size > 0 ? Object.fromEntries(parsed.parameters) : false;
    return { address: parsed.path, args, ...(parsed.duplicate ? { duplicate: parsed.duplicate } : {}) };
  }

  /** What a refused MAIL promised does not hold for the next one. */
  override _applyMailParams(parsed: Parameters<SMTPConnection["_applyMailParams"]>[0]): void {
    Object.assign(this.session.envelope, { bodyType: "7bit", smtpUtf8: false });
    super._applyMailParams(parsed);
  }

  /** RFC 5321 §4.1.1.11: a parameter that we did not offer is 555; the library would ignore it. */
  override _rejectInvalidParams(
    parsed: Parameters<SMTPConnection["_rejectInvalidParams"]>[0],
    keys: string[],
    callback: () => void,
  ): boolean {
    const known = keys.includes("BODY") ? MAIL_PARAMETERS : RCPT_PARAMETERS;
    const unknown = Object.keys(parsed.args || {}).find((key) => !known.has(key));
    if (unknown === undefined) return super._rejectInvalidParams(parsed, keys, callback);
    this.send(555, "5.5.4 unknown parameter");
    callback();
    return true;
  }
}

/** What the three handlers of a server share. */
interface Listening {
  readonly options: SmtpListenerOptions;
  readonly handler: SmtpHandler;
  /** The library begins a new envelope with each transaction. */
  readonly transactions: WeakMap<SMTPServerEnvelope, SmtpTransaction>;
  readonly budget: BufferBudget;
}

function libraryHandlers(options: SmtpListenerOptions, handler: SmtpHandler) {
  const budget = createBufferBudget(BUFFER_BUDGET_OCTETS);
  const listening: Listening = { options, handler, transactions: new WeakMap(), budget };
  const guarded = async (session: SMTPServerSession, answer: Promise<Reply>): Promise<Reply> => {
    try {
      return await answer;
    } catch (error) {
      handler.failed(error, session.id);
      return LOCAL_ERROR;
    }
  };

  return {
    onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
      void guarded(session, answerMail(listening, address.address, session)).then((reply) =>
        done(asError(reply)),
      );
    },
    onRcptTo(address: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
      void guarded(session, answerRcpt(listening, address.address, session)).then((reply) =>
        done(asError(reply)),
      );
    },
    onData(stream: SMTPServerDataStream, session: SMTPServerSession, done: DataDone): void {
      void guarded(session, answerData(listening, stream, session)).then((reply) => {
        done(asError(reply), `${reply.enhanced} ${reply.text}`);
      });
    },
  };
}

async function answerMail(listening: Listening, path: string, session: SMTPServerSession): Promise<Reply> {
  const { envelope } = session;
  const smtpUtf8 = envelope.smtpUtf8 === true;
  const sender = parseReversePath(path);
  if (!sender.ok) return { code: 553, enhanced: "5.1.7", text: sender.message };
  if (!smtpUtf8 && needsSmtpUtf8(path)) return NEEDS_SMTPUTF8;
  const outcome = await listening.handler.mail({
    client: clientOf(session, smtpUtf8),
    reversePath: sender.reversePath,
    eightBit: envelope.bodyType === "8bitmime",
    smtpUtf8,
  });
  if (outcome.kind === "refuse") return outcome.reply;
  listening.transactions.set(envelope, outcome.transaction);
  return ACCEPTED;
}

async function answerRcpt(listening: Listening, path: string, session: SMTPServerSession): Promise<Reply> {
  // RFC 5321 §4.1.1.3: a recipient without domain, for this one name.
  const address = path.toLowerCase() === "postmaster" ? `${path}@${listening.options.hostname}` : path;
  const recipient = parseMailbox(address);
  if (!recipient.ok) return { code: 553, enhanced: "5.1.3", text: recipient.message };
  if (!session.envelope.smtpUtf8 && needsSmtpUtf8(path)) return NEEDS_SMTPUTF8;
  return await openTransaction(listening, session).rcpt(recipient.mailbox);
}

async function answerData(
  listening: Listening,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<Reply> {
  const { budget, options } = listening;
  const transaction = openTransaction(listening, session);
  const read = await readMessage(stream, options.maxMessageOctets, budget);
  if (read.kind === "lost") return LOCAL_ERROR;
  if (read.kind !== "message") {
    const reply = read.kind === "too-big" ? TOO_BIG : NO_MEMORY;
    transaction.refused?.(reply, read.kind);
    return reply;
  }
  const content = memoryContent(read.message, () => budget.give(read.message.length));
  try {
    return await transaction.data(content);
  } finally {
    content.release();
  }
}

type Done = (error?: Error | null) => void;
type DataDone = (error?: Error | null, message?: string) => void;

const ACCEPTED: Reply = { code: 250, enhanced: "2.1.0", text: "ok" };

function openTransaction(listening: Listening, session: SMTPServerSession): SmtpTransaction {
  const transaction = listening.transactions.get(session.envelope);
  if (!transaction) throw new Error("RCPT or DATA without a transaction");
  return transaction;
}

/** The library takes refusals as errors with a code. */
function asError(reply: Reply): Error | null {
  if (isPositive(reply)) return null;
  return Object.assign(new Error(`${reply.enhanced} ${reply.text}`), { responseCode: reply.code });
}

function clientOf(session: SMTPServerSession, smtpUtf8: boolean): SmtpClient {
  return {
    session: session.id,
    address: session.remoteAddress,
    helo: session.hostNameAppearsAs,
    // RFC 6531 §4.3.
    protocol: smtpUtf8 ? "UTF8SMTP" : session.transmissionType,
  };
}

function needsSmtpUtf8(address: string): boolean {
  return /[^\0-\x7f]/.test(address);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const connection of server.connections) {
      if (connection instanceof Connection) connection.leaveIfIdle();
    }
  });
}
