// SMTP in: smtp-server behind our own contract. The only file that imports smtp-server, and the owner of the
// overrides that it needs (ADR 0009); each has a test in smtp-in*.test.ts that fails when an upgrade breaks it. What can
// be decided without the library is in front/. Called by forwarder.ts and by the command line's built-in inbox.
import type { BlockList, Socket } from "node:net";
import type { Readable } from "node:stream";
import { createSecureContext } from "node:tls";
import { isPositive, type Reply } from "@homing/mail";
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerEnvelope,
  type SMTPServerSession,
} from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { type BufferBudget, createBufferBudget } from "./front/budget.ts";
import { type ClientCounts, createClientCounts, isListed } from "./front/client-counts.ts";
import { Conduct } from "./front/conduct.ts";
import { createContentReader } from "./front/content-reader.ts";
import { createDiskSpace } from "./front/disk-space.ts";
import { isForbiddenVerb, replyInstead } from "./front/library-replies.ts";
import { DEFAULT_LIMITS, MAX_COMMAND_OCTETS, type SmtpLimits, STRESS_SHARE } from "./front/limits.ts";
import { Patience } from "./front/patience.ts";
import { createTransactions, LOCAL_ERROR, type Transactions } from "./front/transactions.ts";
import type { HostPort } from "./host-port.ts";
import { parsePathCommand } from "./smtp-path.ts";
import type { SmtpClient, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";

/** Where to listen; port 0 takes a free one. Or a TCP socket that somebody else has opened, as a service manager does. */
export type ListenPlace = HostPort | { readonly fd: number };

export type SmtpListenerOptions = ListenPlace & SmtpServerOptions;

/** PEM. */
export interface TlsFiles {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface SmtpServerOptions {
  /** Our name in the greeting, in EHLO and behind a bare `postmaster`. */
  readonly hostname: string;
  readonly maxMessageOctets: number;
  readonly maxClients: number;
  /** Where messages above 256 KiB wait, in files without a name; without it, in memory. On a disk, never in tmpfs. */
  readonly stateFolder?: string | undefined;
  /** What is left free on its disk. Default 64 MiB. */
  readonly minFreeOctets?: number | undefined;
  /** Offers STARTTLS, TLS 1.2 and later. */
  readonly tls?: TlsFiles | undefined;
  /** Clients that are not counted by network. */
  readonly trusted?: BlockList | undefined;
  /** From these every connection begins with a PROXY header, version 1. */
  readonly proxyNetworks?: BlockList | undefined;
  /** These may use XCLIENT and XFORWARD: who they speak for is then the client. */
  readonly xclientNetworks?: BlockList | undefined;
  /** Greets later, to catch clients that do not wait. Default 0: those who spoke already are caught at once. */
  readonly greetDelayMs?: number | undefined;
  readonly limits?: Partial<SmtpLimits> | undefined;
}

/** Since the start, for metrics. */
export interface SmtpCounts {
  /** Connections that are served now. */
  readonly clients: number;
  /** Of messages in memory now. */
  readonly bufferedOctets: number;
  readonly turnedAway: number;
  readonly talkedTooSoon: number;
  readonly tooSlow: number;
  readonly pipelinedContent: number;
  /** STARTTLS with something behind it in plain text, which was thrown away. */
  readonly discardedAtStartTls: number;
}

export interface SmtpListener {
  readonly host: string;
  readonly port: number;
  counts(): SmtpCounts;
  /** For handshakes from now on. Begins to offer STARTTLS where it was not. Throws where they do not fit together. */
  replaceTls(tls: TlsFiles): void;
  /** Stops accepting; idle clients get 421 at once, busy ones may finish within 30 s. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 30_000;
/** The slow are looked for so often, all at once. */
const TICK_MS = 250;
/**
 * Message bytes in memory of all clients together; 452 makes them come again. While a message is passed on there are up
 * to three copies of it (as received, with its trace field, with dots stuffed), so memory is three times this.
 */
const BUFFER_BUDGET_OCTETS = 256 * 1024 * 1024;
const MIN_FREE_OCTETS = 64 * 1024 * 1024;

const MAIL_PARAMETERS = new Set(["BODY", "SIZE", "SMTPUTF8"]);
const RCPT_PARAMETERS: ReadonlySet<string> = new Set();
// AUTH comes with a list of users; the others nobody asked for.
const NOT_OFFERED = ["AUTH", "WIZ", "SHELL", "KILL", "HELP"];
/** The path's own check has the better code for what is wrong with an address. */
const HAS_A_PATH = new Set(["MAIL", "RCPT"]);
const SHUTTING_DOWN = "4.3.2 shutting down";
const ENHANCED_FIRST = /^([245]\.\d{1,3}\.\d{1,3}) /;

/** Starts an SMTP server. Rejects with the system's error (EADDRINUSE, EACCES …) where the port cannot be had. */
export async function listenSmtp(options: SmtpListenerOptions, handler: SmtpHandler): Promise<SmtpListener> {
  const front = createFront(options, handler);
  const server = new Server(front);
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
    await server.end();
    throw new Error("the socket is not a TCP socket");
  }
  return {
    host: taken.address,
    port: taken.port,
    counts: () => ({
      ...front.counts,
      clients: server.connections.size,
      bufferedOctets: front.budget.taken(),
    }),
    replaceTls: (tls) => server.replaceTls(tls),
    close: () => server.end(),
  };
}

/** What the connections of one server share. */
interface Front {
  readonly options: SmtpServerOptions;
  readonly limits: SmtpLimits;
  readonly handler: SmtpHandler;
  readonly transactions: Transactions;
  readonly budget: BufferBudget;
  readonly clients: ClientCounts;
  readonly counts: { -readonly [name in keyof Omit<SmtpCounts, "clients" | "bufferedOctets">]: number };
}

function createFront(options: SmtpServerOptions, handler: SmtpHandler): Front {
  const { hostname, maxMessageOctets, stateFolder: folder, minFreeOctets = MIN_FREE_OCTETS } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const budget = createBufferBudget(BUFFER_BUDGET_OCTETS);
  const now = (): number => performance.now();
  const disk =
    folder === undefined ? undefined : { folder, space: createDiskSpace({ folder, minFreeOctets, now }) };
  return {
    options,
    limits,
    handler,
    budget,
    transactions: createTransactions({ hostname, maxMessageOctets, storage: { budget, disk }, handler }),
    clients: createClientCounts(limits.clientsPerNetwork, options.trusted),
    counts: { turnedAway: 0, talkedTooSoon: 0, tooSlow: 0, pipelinedContent: 0, discardedAtStartTls: 0 },
  };
}

class Server extends SMTPServer {
  readonly #front: Front;
  readonly #ticks: NodeJS.Timeout;

  constructor(front: Front) {
    const { hostname, maxMessageOctets, maxClients, tls } = front.options;
    super({
      name: hostname,
      banner: "Homing",
      heloResponse: "%s",
      size: maxMessageOctets,
      maxClients,
      maxRecipients: front.limits.recipients,
      maxCommandLength: MAX_COMMAND_OCTETS,
      closeTimeout: CLOSE_TIMEOUT_MS,
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      // Without a certificate of ours the library would use its own, whose private key is public.
      disabledCommands: tls ? NOT_OFFERED : [...NOT_OFFERED, "STARTTLS"],
      minVersion: "TLSv1.2",
      ...tls,
      logger: false,
      ...libraryHandlers(front),
    });
    this.#front = front;
    // The refused wait a moment for their reply; from then on nobody is even told.
    this.server.maxConnections = 2 * maxClients + 100;
    this.#ticks = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  override connect(socket: Socket, socketOptions?: Parameters<SMTPServer["connect"]>[1]): void {
    const connection = new Connection(this, socket, socketOptions, this.#front);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this._onError(error));
    connection.on("connect", (info) => this._onClientConnect(info));
    connection.init();
  }

  /** The library knows single addresses, not networks. */
  override _expectsProxyHeader(socket: Socket): boolean {
    return isListed(this.#front.options.proxyNetworks, socket.remoteAddress);
  }

  replaceTls({ key, cert }: TlsFiles): void {
    // Throws before anything changes; the library would be left without any.
    createSecureContext({ key, cert });
    this.updateSecureContext({ key, cert });
    this.options.disabledCommands = NOT_OFFERED;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.close(() => {
        clearInterval(this.#ticks);
        resolve();
      });
      for (const connection of this.connections) {
        if (connection instanceof Connection) connection.leaveIfIdle();
      }
    });
  }

  #tick(): void {
    const underStress = this.connections.size > this.#front.options.maxClients * STRESS_SHARE;
    for (const connection of this.connections) {
      if (connection instanceof Connection) connection.waited(TICK_MS, underStress);
    }
  }
}

class Connection extends SMTPConnection {
  readonly #front: Front;
  readonly #conduct: Conduct;
  readonly #patience: Patience;
  /** The TLS socket, as soon as there is one; the library keeps it to itself until the handshake is done. */
  #topSocket: Socket | undefined;
  #leave: (() => void) | undefined;
  #verb = "";

  constructor(
    server: Server,
    socket: Socket,
    socketOptions: Parameters<SMTPServer["connect"]>[1],
    front: Front,
  ) {
    super(server, socket, socketOptions);
    this.#front = front;
    this.#conduct = new Conduct(front.limits);
    this.#patience = new Patience(front.limits);
  }

  /** Without the library's fixed wait of 100 ms before the greeting. */
  override init(): void {
    const { options, clients, counts } = this.#front;
    this._setListeners(() => {
      if (this._server.connections.size > options.maxClients) {
        counts.turnedAway++;
        this.send(421, "4.3.2 too many connections, try again later");
        return;
      }
      const isProxy = isListed(options.xclientNetworks, this.remoteAddress);
      this.#leave = isProxy ? () => {} : clients.enter(this.remoteAddress);
      if (!this.#leave) {
        counts.turnedAway++;
        this.send(421, "4.7.0 too many connections from your network, try again later");
        return;
      }
      const delay = options.greetDelayMs ?? 0;
      if (delay > 0) setTimeout(() => this.#greet(), delay).unref();
      else setImmediate(() => this.#greet());
    });
  }

  #greet(): void {
    if (this._closing || this._closed) return;
    // A client that came while the server closed would be greeted, and hold it up.
    if (this._server._closeTimeout) this.send(421, SHUTTING_DOWN);
    else this.connectionReady();
  }

  override close(): void {
    this.#leave?.();
    super.close();
  }

  override _onClose(): void {
    this.#leave?.();
    super._onClose();
  }

  /** Called while the library's constructor runs: nothing of ours is there before the first octet comes. */
  override _createParser(): SMTPStream {
    const parser = new Parser({
      mayTalk: () => this.#mayTalk(),
      content: (octets) => this.#patience.received(octets),
    });
    parser.oncommand = (command, callback) => {
      parser.passed(command);
      this._onCommand(command, callback);
    };
    parser.on("error", (error) => this.send(421, error.message));
    return parser;
  }

  /** RFC 5321 §3.1: the server speaks first. Programs that only send do not wait. */
  #mayTalk(): boolean {
    if (this._ready || this._closing) return true;
    this.#front.counts.talkedTooSoon++;
    this.send(554, "5.5.1 you spoke before you were greeted");
    this.close();
    return false;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.#verb = verbOf(command);
    // Ours are the errors in Conduct; the library's own count of ten would end the session before.
    this._unrecognizedCommands = 0;
    if (this._upgrading || this._server._closeTimeout) {
      super._onCommand(command, callback);
      return;
    }
    this.#conduct.command(this.#verb);
    if (isForbiddenVerb(this.#verb)) {
      this.send(421, "4.7.0 this is a mail server");
      return;
    }
    // RFC 5321 §2.3.8: a CR alone must not be sent. What reads commands behind us may take it for a line end.
    if (!HAS_A_PATH.has(this.#verb) && hasControls(command)) {
      this.send(500, "5.5.2 a command has no control characters");
      if (callback) setImmediate(callback);
      return;
    }
    super._onCommand(command, callback);
  }

  /** Our replies bring their own enhanced code: the library would write one of its own before it. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (code === 250 && context === "DATA_OK") this.#conduct.tookMessage();
    if (typeof data === "string") {
      const text = this.#readable(data);
      const instead = replyInstead(text, this.#verb);
      if (instead) this.#say(instead.code, `${instead.enhanced} ${instead.text}`, false);
      else this.#say(code, text, ENHANCED_FIRST.test(text) ? false : context);
    } else this.#say(code, data?.map(offered), context);
    if (this._server._closeTimeout && code !== 421) setImmediate(() => this.leaveIfIdle());
  }

  #say(code: number, text: string | string[] | undefined, context: string | false | undefined): void {
    const own = typeof text === "string" ? ENHANCED_FIRST.exec(text)?.[1] : undefined;
    this.#conduct.replied(code, own ?? this._getEnhancedStatusCode(code, context));
    const isEnd = code === 421 || code === 221;
    if (!isEnd && this.#conduct.isEnough()) super.send(421, "4.7.0 too many errors", false);
    else super.send(code, text, context);
    if (code === 354) this.#patience.dataBegins();
    else this.#patience.replied();
  }

  /** While the server closes, a client that is done with its command is sent away. */
  leaveIfIdle(): void {
    const busy = this._handlerPending || this._dataStream;
    if (!busy && !this._closing && !this._closed) this.send(421, SHUTTING_DOWN);
  }

  /** Instead of the library's timer, which every octet starts again. */
  override _armTimeout(socket: Socket = this._socket): void {
    this.#topSocket = socket;
  }

  /** So long again; if it is the client that we wait for. */
  waited(ms: number, underStress: boolean): void {
    if (this._closing || this._closed || this.#isOurTurn()) return;
    if (!this.#patience.waited(ms, underStress)) return;
    this.#front.counts.tooSlow++;
    if (this._upgrading) {
      // Nothing can be said now. From the top: a socket must not go while TLS runs over it.
      this.#topSocket?.destroy();
      return;
    }
    this.send(421, "4.4.2 timeout: too slow");
  }

  #isOurTurn(): boolean {
    if (this._handlerPending) return true;
    const stream = this._dataStream;
    return stream ? stream.writableEnded || stream.writableNeedDrain : false;
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

  /** RFC 2920 §3.1: DATA is the last of a group. What is behind it was written without our 354, perhaps not for us. */
  override handler_DATA(command: Buffer, callback: () => void): void {
    if (!this.#hasMore()) {
      super.handler_DATA(command, callback);
      return;
    }
    this.#front.counts.pipelinedContent++;
    this.send(554, "5.5.0 the message came before it was asked for");
    this.close();
    callback();
  }

  /** RFC 3207 §4.2. The library forgets what came behind STARTTLS in plain text; it is counted here. */
  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    if (this.#hasMore()) this.#front.counts.discardedAtStartTls++;
    super.handler_STARTTLS(command, callback);
  }

  #hasMore(): boolean {
    return this._parser instanceof Parser && this._parser.hasMore;
  }

  /** The library knows single addresses, not networks. */
  override _proxyCommandAllowed(command: string): boolean {
    const listed = isListed(this.#front.options.xclientNetworks, this._originalRemoteAddress);
    return listed && !this._xClient.has("ADDR") && this._isSupported(command);
  }

  /** Without LOGIN: the library would believe it. */
  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    if (!/ LOGIN=/i.test(command.toString())) {
      super.handler_XCLIENT(command, callback);
      return;
    }
    this.send(501, "5.5.4 no such attribute");
    callback();
  }

  /** To the library an unknown command; from one who is not listed it is a wish to be somebody else. */
  handler_PROXY(_command: Buffer, callback: () => void): void {
    this.send(550, "5.7.0 not allowed");
    callback();
  }
}

/** What the parser asks and tells the connection. */
interface ParserWatch {
  mayTalk(): boolean;
  /** So many octets of a message came in. */
  content(octets: number): void;
}

/** Commands are read by the library; what is behind a command is looked at here, and the content is read by us. */
class Parser extends SMTPStream {
  readonly #watch: ParserWatch;
  /** The octets from the socket that are being read, and as text where they are commands. */
  #reading = 0;
  #commands = "";
  #at = 0;
  #content = createContentReader();

  constructor(watch: ParserWatch) {
    super({ maxCommandLength: MAX_COMMAND_OCTETS });
    this.#watch = watch;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding | "buffer", next: Next): void {
    if (this.#reading > 0) {
      // The library comes back with what is left of the chunk.
      this.#follow(chunk);
      super._write(chunk, encoding, next);
      return;
    }
    if (!this.#watch.mayTalk()) {
      next();
      return;
    }
    this.#reading = chunk.length;
    this.#follow(chunk);
    super._write(chunk, encoding, (error) => {
      this.#reading = 0;
      this.#commands = "";
      next(error);
    });
  }

  #follow(chunk: Buffer): void {
    this.#commands = this._dataMode ? "" : this._remainder + chunk.toString("latin1");
    this.#at = 0;
  }

  /** This command is about to run. */
  passed(command: Buffer): void {
    this.#at += command.length;
    this.#at += this.#commands.startsWith("\r\n", this.#at) ? 2 : 1;
  }

  /** Has the client sent anything behind the command that runs? */
  get hasMore(): boolean {
    return this.#at < this.#commands.length || this.writableLength > this.#reading;
  }

  override startDataMode(maxBytes?: number | string | null): SMTPServerDataStream {
    this.#content = createContentReader();
    return super.startDataMode(maxBytes);
  }

  /** The library yields to the event loop at each line that begins with a dot: 18 times the work for 100 KB of them. */
  override _feedDataStream(chunk: Buffer, done: Next): void {
    this.#watch.content(chunk.length);
    const stream = this._dataStream;
    const { content, rest } = this.#content.read(chunk);
    this._countDataBytes(content.length);
    if (rest) this._endDataMode(content, rest, done);
    else if (!stream?.writable || content.length === 0 || stream.write(content)) done();
    else whenDrained(stream, done);
  }
}

type Next = (error?: Error | null) => void;

/** A stream that was destroyed never drains, it only closes. */
function whenDrained(stream: SMTPServerDataStream, done: Next): void {
  const go = (): void => {
    stream.off("drain", go).off("close", go);
    done();
  };
  stream.on("drain", go).on("close", go);
}

function libraryHandlers({ handler, transactions }: Front) {
  /** The library begins a new envelope with each transaction. */
  const open = new WeakMap<SMTPServerEnvelope, SmtpTransaction>();
  const opened = ({ envelope }: SMTPServerSession): SmtpTransaction => {
    const transaction = open.get(envelope);
    if (!transaction) throw new Error("RCPT or DATA without a transaction");
    return transaction;
  };
  const guarded = async (session: SMTPServerSession, decide: () => Promise<Reply>): Promise<Reply> => {
    try {
      return await decide();
    } catch (error) {
      handler.failed(error, session.id);
      return LOCAL_ERROR;
    }
  };

  return {
    onMailFrom({ address, args }: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
      const { envelope } = session;
      const smtpUtf8 = envelope.smtpUtf8 === true;
      const promised = {
        smtpUtf8,
        eightBit: envelope.bodyType === "8bitmime",
        octets: args && typeof args.SIZE === "string" ? Number(args.SIZE) : undefined,
      };
      const decide = async (): Promise<Reply> => {
        const { reply, transaction } = await transactions.mail(
          address,
          clientOf(session, smtpUtf8),
          promised,
        );
        if (transaction) open.set(envelope, transaction);
        return reply;
      };
      void guarded(session, decide).then((reply) => done(asError(reply)));
    },

    onRcptTo({ address }: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
      const smtpUtf8 = session.envelope.smtpUtf8 === true;
      const decide = async () => transactions.rcpt(address, smtpUtf8, opened(session));
      void guarded(session, decide).then((reply) => done(asError(reply)));
    },

    onData(stream: Readable, session: SMTPServerSession, done: DataDone): void {
      const decide = async () => transactions.data(stream, session.id, opened(session));
      void guarded(session, decide).then((reply) => {
        done(asError(reply), `${reply.enhanced} ${reply.text}`);
      });
    },
  };
}

type Done = (error?: Error | null) => void;
type DataDone = (error?: Error | null, message?: string) => void;

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
    protocol: smtpUtf8 ? `UTF8SMTP${session.secure ? "S" : ""}` : session.transmissionType,
  };
}

function verbOf(command: Buffer): string {
  const end = command.indexOf(0x20);
  return command.toString("latin1", 0, end < 0 ? command.length : end).toUpperCase();
}

function hasControls(command: Buffer): boolean {
  for (const octet of command) {
    if ((octet < 0x20 && octet !== 0x09) || octet === 0x7f) return true;
  }
  return false;
}

/** EHLO: XCLIENT without what the library does not use, and without LOGIN. */
function offered(line: string): string {
  return line.startsWith("XCLIENT ") ? "XCLIENT NAME ADDR PORT" : line;
}
