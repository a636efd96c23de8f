// SMTP in: smtp-server behind our own contract. The only file that imports smtp-server, and the owner of the
// overrides that it needs (ADR 0009); each has a test in smtp-in*.test.ts that fails when an upgrade breaks it. What can
// be decided without the library is in front/. Called by forwarder.ts and by the command line's built-in inbox.
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { isPositive, type Reply } from "@homing/mail";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { isListed } from "./client-networks.ts";
import {
  AUTH_OFFERED,
  AUTH_TOO_LONG,
  type AuthStep,
  beginAuth,
  isAuthCommand,
  MAX_AUTH_OCTETS,
} from "./front/auth-exchange.ts";
import { ClientInput, type InputWatch } from "./front/client-input.ts";
import { hasUnknownParameter, verbOf } from "./front/commands.ts";
import {
  createFront,
  type Front,
  type SmtpListener,
  type SmtpListenerOptions,
  type TlsFiles,
} from "./front/front.ts";
import {
  guarded,
  libraryHandlers,
  libraryPath,
  offered,
  openedIn,
  parameterProblem,
} from "./front/library-handlers.ts";
import { GO_ON } from "./front/library-replies.ts";
import { MAX_COMMAND_OCTETS, STRESS_SHARE } from "./front/limits.ts";
import { withPlainAddress } from "./front/named-client.ts";
import type { MessageReader } from "./front/read-message.ts";
import { Session } from "./front/session.ts";
import { LOCAL_ERROR } from "./front/transactions.ts";
import { gather, writeNow } from "./gathered-writes.ts";
import type { ClientPresence, LoggedIn, SmtpHandler } from "./smtp-session.ts";

export type { ListenPlace, SmtpListener, SmtpListenerOptions, TlsFiles } from "./front/front.ts";

const CLOSE_TIMEOUT_MS = 30_000;
/** More than a round trip: so long a reply has to come back as a reset from a client that has closed both halves. */
const REFUSED_WITHIN_MS = 500;
/** The slow are looked for so often, all at once. */
const TICK_MS = 250;
// AUTH is ours (`#auth`), the others nobody asked for.
const NOT_OFFERED = ["AUTH", "WIZ", "SHELL", "KILL", "HELP"];
/** Our own end of a connection: the library would ask the system for it. */
const UNUSED = { localAddress: "-", localPort: 1 };
const SHUTTING_DOWN = "4.3.2 shutting down";
const LOGGED_IN: Reply = { code: 235, enhanced: "2.7.0", text: "logged in" };
const LOG_IN_FIRST: Reply = { code: 530, enhanced: "5.7.0", text: "log in first: AUTH" };
const TLS_FIRST: Reply = { code: 530, enhanced: "5.7.0", text: "begin with STARTTLS, then log in" };
/** RFC 4954 §6. */
const NO_PLAIN_AUTH: Reply = {
  code: 538,
  enhanced: "5.7.11",
  text: "a log-in needs encryption: begin with STARTTLS",
};
const EHLO_FIRST: Reply = { code: 503, enhanced: "5.5.1", text: "send EHLO first" };
const ONE_LOG_IN: Reply = { code: 503, enhanced: "5.5.1", text: "you have logged in already" };
/** RFC 4954 §4: the client has to read our answer before it says anything else. */
const BEHIND_AUTH = "5.5.0 nothing may come behind AUTH before its answer";
const NOT_PLAIN = /[^ -~]/;
const CONTROLS = /\p{Cc}/gu;

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

class Server extends SMTPServer {
  readonly #front: Front;
  readonly #ticks: NodeJS.Timeout;

  constructor(front: Front) {
    const { hostname, maxMessageOctets, maxClients, tls, implicitTls = false } = front.options;
    if (implicitTls && !tls) throw new Error("TLS from the first octet wants a certificate");
    super({
      name: hostname,
      banner: "Homing",
      heloResponse: "%s",
      size: maxMessageOctets,
      maxClients,
      maxRecipients: front.limits.recipients,
      maxCommandLength: MAX_COMMAND_OCTETS,
      closeTimeout: CLOSE_TIMEOUT_MS,
      // The library hands all of this to net.createServer, too: see Parser.end.
      ...{ allowHalfOpen: true },
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      hideDSN: false,
      // Without a certificate of ours the library would use its own, whose private key is public.
      disabledCommands: tls ? NOT_OFFERED : [...NOT_OFFERED, "STARTTLS"],
      minVersion: "TLSv1.2",
      ...tls,
      // Both: the handshake is the connection's own, as behind STARTTLS, with its limits and its time. Before a connection the
      // library has a timer of its own, which every octet starts again.
      ...(implicitTls ? { secure: true, needsUpgrade: true } : {}),
      logger: false,
      ...libraryHandlers(front),
    });
    this.#front = front;
    // The refused wait a moment for their reply; from then on nobody is even told.
    this.server.maxConnections = 2 * maxClients + 100;
    this.#ticks = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  override connect(socket: Socket, socketOptions?: SMTPConnectionOptions): void {
    const connection = new Connection(this, socket, socketOptions, this.#front);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this._onError(error));
    connection.on("connect", (info) => this._onClientConnect(info));
    connection.init();
  }

  /** Nobody is asked, so nobody is waited for. */
  override onConnect(_session: SMTPServerSession, done: () => void): void {
    done();
  }

  /** Without random octets of the library's own, one draw for each connection, where there is a name for sessions. */
  override _handleProxy(socket: Socket, done: Parameters<SMTPServer["_handleProxy"]>[1]): void {
    const { newId } = this.#front.options;
    if (!newId || this._expectsProxyHeader(socket)) super._handleProxy(socket, done);
    else done(null, { id: newId(), ...UNUSED });
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

class Connection extends SMTPConnection implements ClientPresence {
  readonly #front: Front;
  readonly #talk: Session;
  readonly #goneCalls = new Set<() => void>();
  /** Calls when a message is answered, and its client has the answer or is gone. */
  #settledCalls: (() => void)[] = [];
  /** The next line is of a log-in. */
  #authAnswer: ((line: Buffer) => AuthStep) | undefined;
  /** The TLS socket, as soon as there is one; the library keeps it to itself until the handshake is done. */
  #topSocket: Socket | undefined;

  constructor(server: Server, socket: Socket, options: SMTPConnectionOptions | undefined, front: Front) {
    super(server, socket, options);
    this.#front = front;
    this.#talk = new Session(front);
  }

  /** Without the library's fixed wait of 100 ms before the greeting. */
  override init(): void {
    const refusal = this.#talk.enter(this.remoteAddress, this._server.connections.size);
    if (refusal && this.needsUpgrade) {
      // A handshake costs more than the reply is worth.
      this._socket.on("error", () => {});
      this.close();
      this._socket.destroy();
      return;
    }
    this._setListeners(() => {
      const delay = this.#front.options.greetDelayMs ?? 0;
      if (refusal) this.#say(refusal);
      else if (delay > 0) setTimeout(() => this.#greet(), delay).unref();
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
    this.#talk.leave();
    super.close();
  }

  override _onClose(): void {
    this.#talk.leave();
    this.#input?.lost();
    super._onClose();
    for (const call of this.#goneCalls) call();
    this.#settled();
  }

  isGone(): boolean {
    return this._closed || this._socket.destroyed;
  }

  onGone(call: () => void): () => void {
    if (this.isGone()) call();
    else this.#goneCalls.add(call);
    return () => void this.#goneCalls.delete(call);
  }

  /** The answer to a message is out: whoever is lost from here on has had it. */
  #settled(): void {
    this.#goneCalls.clear();
    const calls = this.#settledCalls;
    this.#settledCalls = [];
    for (const call of calls) call();
  }

  /**
   * A client that has closed its half of the connection has perhaps closed both: the two look alike until its system
   * refuses what we write. Nothing is read any more, so a write tells; one without octets says nothing to who is there.
   */
  #settleBehindEnd(done: () => void): void {
    const goOn = (): void => {
      this.#settled();
      done();
    };
    setTimeout(() => {
      const socket = this._socket;
      // Who does not read is there, and could have this wait for ever.
      if (!socket.destroyed && socket.writableLength > 0) goOn();
      // After an error comes the end of the socket, which everybody is told of.
      else
        socket.write("", (error) => {
          if (!error) goOn();
        });
    }, REFUSED_WITHIN_MS).unref();
  }

  /** The client has closed its half, and we have nothing more to say. */
  hangUp(): void {
    this._socket.end();
  }

  /** Called while the library's constructor runs: nothing of ours is there before the first octet comes. */
  override _createParser(): SMTPStream {
    return new Parser(this);
  }

  get #input(): ClientInput | undefined {
    return this._parser instanceof Parser ? this._parser.input : undefined;
  }

  /** RFC 5321 §3.1: the server speaks first. Programs that only send do not wait. */
  mayTalk(): boolean {
    if (this._ready || this._closing) return true;
    this.#front.counts.talkedTooSoon++;
    this.send(554, "5.5.1 you spoke before you were greeted");
    this.close();
    return false;
  }

  override _onCommand(command: Buffer, callback: () => void): void {
    const verb = verbOf(command);
    // Ours are the errors in Conduct; the library's own count of ten would end the session before.
    this._unrecognizedCommands = 0;
    if (this._upgrading || this._server._closeTimeout) {
      super._onCommand(command, callback);
      return;
    }
    const answer = this.#authAnswer;
    if (answer) {
      this.#authAnswer = undefined;
      this.#auth(() => answer(command), callback);
      return;
    }
    const refusal = this.#talk.refusal(verb, command) ?? this.#logInRefusal(verb);
    if (refusal) {
      this.#say(refusal);
      setImmediate(callback);
      return;
    }
    if (this.#offersAuth && verb === "AUTH") {
      this.#auth(() => beginAuth(command), callback);
      return;
    }
    const isReady = this._ready && this.hostNameAppearsAs;
    if (!isReady || !this.#runUsual(verb, command, callback)) super._onCommand(command, callback);
  }

  get #offersAuth(): boolean {
    return this.#front.handler.logIn !== undefined;
  }

  /** Where people log in: what has to come before. */
  #logInRefusal(verb: string): Reply | undefined {
    if (!this.#offersAuth) return undefined;
    if (verb === "AUTH") {
      if (!this.secure) return NO_PLAIN_AUTH;
      if (this.session.user) return ONE_LOG_IN;
      return this.hostNameAppearsAs && this.openingCommand === "EHLO" ? undefined : EHLO_FIRST;
    }
    if (this.session.user) return verb === "XCLIENT" ? ONE_LOG_IN : undefined;
    const isMail = verb === "MAIL" || verb === "RCPT" || verb === "DATA";
    if (!isMail) return undefined;
    return this.secure ? LOG_IN_FIRST : TLS_FIRST;
  }

  /** RFC 4954 §4. The library's own takes any base64, any identity, and lines of any length that it reads at all. */
  #auth(step: () => AuthStep, callback: () => void): void {
    if (this.#refusedBehindAuth()) {
      callback();
      return;
    }
    const next = step();
    switch (next.kind) {
      case "ask":
        this.#authAnswer = next.next;
        this.#say({ code: 334, enhanced: "", text: next.challenge });
        this._whenWritable(callback);
        break;
      case "refuse":
        this.#say(next.reply);
        this._whenWritable(callback);
        break;
      case "log-in":
        this.#logIn(next, callback);
    }
  }

  #logIn({ name, password }: Extract<AuthStep, { kind: "log-in" }>, callback: () => void): void {
    const { handler } = this.#front;
    const clientAddress = this.remoteAddress;
    this._handlerPending = true;
    const decide = (): Promise<LoggedIn> | undefined =>
      handler.logIn?.({ name, password, clientAddress, session: this.id });
    guarded(this.#front, this.id, decide, (loggedIn) => {
      this._handlerPending = false;
      if (!this.#refusedBehindAuth()) {
        if (loggedIn?.kind === "in") {
          this.session.user = loggedIn.submitter;
          this.session.transmissionType = this._transmissionType();
        }
        this.#say(loggedIn?.kind === "in" ? LOGGED_IN : (loggedIn?.reply ?? LOCAL_ERROR));
      }
      this._whenWritable(callback);
    });
  }

  #refusedBehindAuth(): boolean {
    if (!this.#input?.hasMore) return false;
    this.#front.counts.pipelinedContent++;
    this.send(554, BEHIND_AUTH);
    this.close();
    return true;
  }

  /** Only a line of a log-in may be as long as that. */
  maxOctets(line: Buffer): number {
    const isLogIn = this.#authAnswer !== undefined || (this.#offersAuth && isAuthCommand(line));
    return isLogIn && this.secure ? MAX_AUTH_OCTETS : MAX_COMMAND_OCTETS;
  }

  commandTooLong(line: Buffer): void {
    if (this.maxOctets(line) === MAX_COMMAND_OCTETS) {
      this.send(421, "Command line too long");
      return;
    }
    this.#say(AUTH_TOO_LONG);
    this.close();
  }

  /** The commands of every message, without the library's search for a handler and its notes for a log that is off. */
  #runUsual(verb: string, command: Buffer, callback: () => void): boolean {
    let isDone = false;
    const done = (): void => {
      isDone = true;
      this._handlerPending = false;
      this._whenWritable(callback);
    };
    const isUsual = verb === "MAIL" || verb === "RCPT" || verb === "DATA";
    if (!isUsual) return false;
    this._handlerPending = true;
    try {
      if (verb === "MAIL") this.handler_MAIL(command, done);
      else if (verb === "RCPT") this.handler_RCPT(command, done);
      else this.handler_DATA(command, done);
    } catch (error) {
      this.#front.handler.failed(error, this.id);
      if (!isDone) {
        this.#say(LOCAL_ERROR);
        done();
      }
    }
    return true;
  }

  /** All that the library says. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (typeof data === "string") {
      const libraryCode = () => this._getEnhancedStatusCode(code, context);
      this.#say(this.#talk.replyOf(code, data, context, libraryCode));
      return;
    }
    // The answer to EHLO.
    const reply = { code, enhanced: "", text: "" };
    const counted = this.#talk.counted(reply);
    if (counted === reply) {
      gather(this._socket);
      super.send(code, data && offered(data, this.#moreOffered()), context);
    } else this.#write(counted);
  }

  /** RFC 4954 §4: not before it may be used, and not again. */
  #moreOffered(): readonly string[] {
    return this.#offersAuth && this.secure && !this.session.user ? [AUTH_OFFERED] : [];
  }

  #say(reply: Reply): void {
    this.#write(this.#talk.counted(reply));
    if (this._server._closeTimeout && reply.code !== 421) setImmediate(() => this.leaveIfIdle());
  }

  #write({ code, enhanced, text }: Reply): void {
    const words = this.#sayable(enhanced === "" ? text : `${enhanced} ${text}`);
    const socket = this._socket;
    // Not by the library, which says nothing to a client that has closed its half: the next reply would be taken for this one.
    if (!this._upgrading && !socket.destroyed && socket.writable) {
      gather(socket);
      socket.write(`${code} ${words}\r\n`, "utf8");
    }
    if (code === 421) this.close();
  }

  /** RFC 6531 §3.7.4.2: UTF-8 in a reply only for a client that asked for SMTPUTF8. A reply is one line for anybody. */
  #sayable(words: string): string {
    if (!NOT_PLAIN.test(words)) return words;
    const utf8 = this.session.envelope?.smtpUtf8 === true;
    return utf8 ? words.replace(CONTROLS, " ") : words.replace(/[^ -~]/g, "?");
  }

  /** While the server closes, a client that is done with its command is sent away. */
  leaveIfIdle(): void {
    const busy = this._handlerPending || this.#input?.inMessage;
    if (!busy && !this._closing && !this._closed) this.send(421, SHUTTING_DOWN);
  }

  /** Instead of the library's timer, which every octet starts again. */
  override _armTimeout(socket: Socket = this._socket): void {
    this.#topSocket = socket;
  }

  received(octets: number): void {
    this.#talk.received(octets);
  }

  /** So long again; if it is the client that we wait for. */
  waited(ms: number, underStress: boolean): void {
    if (this._closing || this._closed || this.#isOurTurn()) return;
    if (!this.#talk.waited(ms, underStress)) return;
    this.#front.counts.tooSlow++;
    if (this._upgrading) {
      // Nothing can be said now. From the top: a socket must not go while TLS runs over it.
      this.#topSocket?.destroy();
      return;
    }
    this.send(421, "4.4.2 timeout: too slow");
  }

  #isOurTurn(): boolean {
    const input = this.#input;
    return this._handlerPending || (input?.inMessage === true && input.isBusy);
  }

  /** Quoted local parts, source routes and A-labels as RFC 5321 has them. */
  override _parseAddressCommand(
    name: string,
    command: Buffer | string,
  ): ReturnType<SMTPConnection["_parseAddressCommand"]> {
    return libraryPath(name, command.toString());
  }

  /** What a refused MAIL promised does not hold for the next one. */
  override _applyMailParams(parsed: Parameters<SMTPConnection["_applyMailParams"]>[0]): void {
    Object.assign(this.session.envelope, { bodyType: "7bit", smtpUtf8: false });
    super._applyMailParams(parsed);
  }

  /** The library would ignore an unknown one, and is lax about those of the DSN extension. */
  override _rejectInvalidParams(
    parsed: Parameters<SMTPConnection["_rejectInvalidParams"]>[0],
    keys: string[],
    callback: () => void,
  ): boolean {
    if (!parsed.args) return false;
    const command = keys.includes("BODY") ? "MAIL" : "RCPT";
    if (hasUnknownParameter(command, parsed.args, this.#offersAuth))
      this.send(555, "5.5.4 unknown parameter");
    else {
      if (super._rejectInvalidParams(parsed, keys, callback)) return true;
      const problem = parameterProblem(command, parsed.args, this.session.envelope.smtpUtf8 === true);
      if (problem === undefined) return false;
      this.send(501, `5.5.4 ${problem}`);
    }
    callback();
    return true;
  }

  /**
   * RFC 2920 §3.1: DATA is the last of a group. What is behind it was written without our 354, perhaps not for us. The
   * content goes to a reader of ours, without the library's stream.
   */
  override handler_DATA(command: Buffer, callback: () => void): void {
    const input = this.#input;
    if (!input || (this.session.envelope.rcptTo.length === 0 && !input.hasMore)) {
      super.handler_DATA(command, callback);
      return;
    }
    if (input.hasMore) {
      this.#front.counts.pipelinedContent++;
      this.send(554, "5.5.0 the message came before it was asked for");
      this.close();
    } else {
      input.beginMessage(this.#front.transactions.newMessage());
      this.#say(GO_ON);
    }
    callback();
  }

  /** The final dot came. */
  messageEnded(message: MessageReader, done: () => void): void {
    const { transactions } = this.#front;
    const onSettled = (call: () => void) => void this.#settledCalls.push(call);
    const data = (): Promise<Reply> =>
      transactions.data({ message, session: this.id, client: this, onSettled }, openedIn(this.session));
    guarded(this.#front, this.id, data, (reply = LOCAL_ERROR) => {
      if (isPositive(reply)) this.#talk.tookMessage();
      this.#say(reply);
      this._transactionCounter++;
      this._resetSession();
      const hasEnded = this._parser instanceof Parser && this._parser.isEnding;
      // TLS writes nothing for no octets, and learns nothing.
      if (hasEnded && isPositive(reply) && !this.secure && !this.isGone()) {
        this.#settleBehindEnd(done);
        return;
      }
      this.#settled();
      done();
    });
  }

  /** Whoever says QUIT says no more: the end needs no answer of its, where ours is on its way. */
  override handler_QUIT(command: Buffer, callback: () => void): void {
    if (this.secure || this.#input?.hasMore) {
      super.handler_QUIT(command, callback);
      return;
    }
    this.send(221, "Bye");
    setImmediate(() => {
      if (this._socket.writableLength === 0) this._socket.destroy();
      this.close();
      callback();
    });
  }

  /** RFC 3207 §4.2. The library forgets what came behind STARTTLS in plain text; it is counted here. */
  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    if (this.#input?.hasMore) this.#front.counts.discardedAtStartTls++;
    super.handler_STARTTLS(command, callback);
  }

  /** Our 220 is plain text, and the last of it. @param then on a port where TLS begins at once */
  override upgrade(callback: () => void, then?: () => void): void {
    writeNow(this._socket);
    super.upgrade(callback, then);
    const top = this.#topSocket;
    // Who leaves in the middle of the handshake would be waited for: a socket of ours may be closed by halves.
    top?.once("end", () => {
      if (this._upgrading) top.destroy();
    });
  }

  /** The library knows single addresses, not networks. */
  override _proxyCommandAllowed(command: string): boolean {
    const listed = isListed(this.#front.options.xclientNetworks, this._originalRemoteAddress);
    return listed && !this._xClient.has("ADDR") && this._isSupported(command);
  }

  /** Without LOGIN: the library would believe it. */
  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    if (!/ LOGIN=/i.test(command.toString())) {
      super.handler_XCLIENT(withPlainAddress(command), callback);
      return;
    }
    this.send(501, "5.5.4 no such attribute");
    callback();
  }

  override handler_XFORWARD(command: Buffer, callback: () => void): void {
    super.handler_XFORWARD(withPlainAddress(command), callback);
  }

  /** To the library an unknown command; from one who is not listed it is a wish to be somebody else. */
  handler_PROXY(_command: Buffer, callback: () => void): void {
    this.send(550, "5.7.0 not allowed");
    callback();
  }
}

/** Between the library, which pipes a socket into it, and our own reading of what came. */
class Parser extends SMTPStream implements InputWatch {
  readonly input: ClientInput;
  readonly #connection: Connection;
  /** The client has closed its half, and what it sent before is not dealt with yet. */
  isEnding = false;
  #isFull = false;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
    this.input = new ClientInput(MAX_COMMAND_OCTETS, this);
  }

  override write(chunk: Buffer): boolean {
    this.#isFull = this.#connection.mayTalk() && !this.input.take(chunk);
    return !this.#isFull;
  }

  /**
   * Exim sends QUIT right behind the final dot and closes its half of the connection, and still waits for our answer. Who ends
   * without a word behind the dot is gone.
   */
  override end(): this {
    const { isBusy, inMessage, hasMore } = this.input;
    if (isBusy) this.isEnding = true;
    else super.end();
    if (!inMessage || !hasMore) this.#connection.hangUp();
    return this;
  }

  override _flushData(): void {
    this.input.end();
  }

  idle(): void {
    if (this.#isFull) this.emit("drain");
    this.#isFull = false;
    if (!this.isEnding) return;
    super.end();
    this.#connection.hangUp();
  }

  isOver(): boolean {
    return this.isClosed;
  }

  command(line: Buffer, done: () => void): void {
    this.#connection._onCommand(line, done);
  }

  maxOctets(line: Buffer): number {
    return this.#connection.maxOctets(line);
  }

  commandTooLong(line: Buffer): void {
    this.#connection.commandTooLong(line);
  }

  content(octets: number): void {
    this.#connection.received(octets);
  }

  messageEnded(message: MessageReader, done: () => void): void {
    this.#connection.messageEnded(message, done);
  }
}
