// One client's connection: the library's, with our reading, replies, times and end of it. Each override is in ADR 0009. Made by
// server.ts.
import type { Socket } from "node:net";
import { isPositive, type Reply } from "@homing/mail";
import { isListed } from "../client-networks.ts";
import { AuthDialogue, type AuthState } from "../front/auth-dialogue.ts";
import type { AuthStep } from "../front/auth-exchange.ts";
import type { ClientInput } from "../front/client-input.ts";
import { hasUnknownParameter, verbOf } from "../front/commands.ts";
import type { Front } from "../front/front.ts";
import { guarded, libraryPath, offered, openedIn, parameterProblem } from "../front/library-handlers.ts";
import { GO_ON } from "../front/library-replies.ts";
import { withPlainAddress } from "../front/named-client.ts";
import { Presence } from "../front/presence.ts";
import type { MessageReader } from "../front/read-message.ts";
import { replyLine } from "../front/reply-line.ts";
import { Session } from "../front/session.ts";
import { LOCAL_ERROR } from "../front/transactions.ts";
import { gather, writeNow } from "../gathered-writes.ts";
import { SMTPConnection, type SMTPConnectionOptions, type SMTPServer, type SMTPStream } from "./library.ts";
import { type InputOwner, Parser } from "./parser.ts";
import { type Listed, NO_PLACE } from "./roster.ts";

const SHUTTING_DOWN = "4.3.2 shutting down";
/** RFC 4954 §4: the client has to read our answer before it says anything else. */
const BEHIND_AUTH = "5.5.0 nothing may come behind AUTH before its answer";

/** Here, where it refers to no connection. */
const nobodyHears = (): void => {};

/** Octets that have come by now are read first: sockets are read between one turn of the event loop and the next. */
function afterNextRead(call: () => void): void {
  setImmediate(() => setImmediate(call));
}

export class Connection extends SMTPConnection implements InputOwner, Listed {
  place = NO_PLACE;
  readonly #front: Front;
  readonly #talk: Session;
  readonly #authDialogue: AuthDialogue;
  readonly #presence = new Presence(() => this._closed || this._socket.destroyed);
  /** The TLS socket, as soon as there is one; the library keeps it to itself until the handshake is done. */
  #topSocket: Socket | undefined;
  /** What TLS runs over. */
  #plainSocket: Socket | undefined;

  constructor(server: SMTPServer, socket: Socket, options: SMTPConnectionOptions | undefined, front: Front) {
    super(server, socket, options);
    this.#front = front;
    this.#talk = new Session(front);
    this.#authDialogue = new AuthDialogue(front);
  }

  /** Without the library's fixed wait of 100 ms before the greeting. */
  override init(): void {
    const refusal = this.#talk.enter(this.remoteAddress, this._server.connections.size);
    if (refusal && this.needsUpgrade) {
      // A handshake costs more than the reply is worth.
      this._socket.on("error", nobodyHears);
      this.close();
      this._socket.destroy();
      return;
    }
    this._setListeners(() => {
      const delay = this.#front.options.greetDelayMs ?? 0;
      if (refusal) this.#turnAway(refusal);
      else if (delay > 0) setTimeout(() => this.#greet(), delay).unref();
      else afterNextRead(() => this.#greet());
    });
  }

  /** It is not waited for: who leaves his end open would hold one of the server's sockets, and we have not let him in. */
  #turnAway(refusal: Reply): void {
    this.#say(refusal);
    this._socket.destroySoon();
  }

  #greet(): void {
    if (this._closing || this._closed) return;
    // A client that came while the server closed would be greeted, and hold it up.
    if (this._server._closeTimeout) this.send(421, SHUTTING_DOWN);
    else this.connectionReady();
  }

  /** A client has its place among its network's until its socket is gone: it may keep its end open for seconds. */
  override close(): void {
    if (this._socket.destroyed) this.#talk.leave();
    super.close();
  }

  override _onClose(): void {
    this.#talk.leave();
    this.#input?.lost();
    super._onClose();
    this.#presence.leaves();
    this.#letGo();
  }

  /**
   * V8 takes a function that is written straight into a property for one that stays, and puts it into the old generation. Each
   * socket has one (Node's `WritableState.onwrite`), as long as Node's own code is not optimized, which takes some ten thousand
   * connections: such a socket stays until the whole heap is cleared, and must not lead to us (ADR 0031).
   */
  #letGo(): void {
    // They are closed, and say nothing any more; an error that nobody hears would end the service all the same.
    for (const socket of new Set([this._socket, this.#topSocket, this.#plainSocket]))
      socket?.removeAllListeners().on("error", nobodyHears);
  }

  hangUp(): void {
    this._socket.end();
  }

  /** Called while the library's constructor runs: nothing of ours is there before the first octet comes. */
  override _createParser(): SMTPStream {
    return new Parser(this) as unknown as SMTPStream;
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
    if (this.#authDialogue.isUnderWay) {
      this.#auth(command, callback);
      return;
    }
    const refusal = this.#talk.refusal(verb, command) ?? this.#authRefusal(verb);
    if (refusal) {
      this.#say(refusal);
      setImmediate(callback);
      return;
    }
    if (this.#authDialogue.isOffered && verb === "AUTH") {
      this.#auth(command, callback);
      return;
    }
    const isReady = this._ready && this.hostNameAppearsAs;
    if (!isReady || !this.#runUsual(verb, command, callback)) super._onCommand(command, callback);
  }

  /** Where nobody logs in, commands cost no more for it. */
  #authRefusal(verb: string): Reply | undefined {
    return this.#authDialogue.isOffered ? this.#authDialogue.refusal(verb, this.#authState) : undefined;
  }

  get #authState(): AuthState {
    return {
      isSecure: this.secure,
      saidEhlo: Boolean(this.hostNameAppearsAs) && this.openingCommand === "EHLO",
      isLoggedIn: Boolean(this.session.user),
    };
  }

  /** RFC 4954 §4. The library's own takes any base64, any identity, and lines of any length that it reads at all. */
  #auth(line: Buffer, callback: () => void): void {
    if (this.#refusedBehindAuth()) {
      callback();
      return;
    }
    const step = this.#authDialogue.take(line);
    switch (step.kind) {
      case "ask":
        this.#say({ code: 334, enhanced: "", text: step.challenge });
        this._whenWritable(callback);
        break;
      case "refuse":
        this.#say(step.reply);
        this._whenWritable(callback);
        break;
      case "log-in":
        this.#decideLogIn(step, callback);
    }
  }

  #decideLogIn(asked: Extract<AuthStep, { kind: "log-in" }>, callback: () => void): void {
    const client = { clientAddress: this.remoteAddress, session: this.id };
    this._handlerPending = true;
    this.#authDialogue.decide(asked, client, (reply, loggedIn) => {
      this._handlerPending = false;
      if (!this.#refusedBehindAuth()) {
        if (loggedIn) {
          this.session.user = loggedIn.submitter;
          this.session.transmissionType = this._transmissionType();
        }
        this.#say(reply);
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

  maxOctets(line: Buffer): number {
    return this.#authDialogue.maxOctets(line, this.secure);
  }

  commandTooLong(line: Buffer): void {
    const reply = this.#authDialogue.tooLong(line, this.secure);
    if (!reply) {
      this.send(421, "Command line too long");
      return;
    }
    this.#say(reply);
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
      super.send(code, data && offered(data, this.#authDialogue.offered(this.#authState)), context);
    } else this.#write(counted);
  }

  #say(reply: Reply): void {
    this.#write(this.#talk.counted(reply));
    if (this._server._closeTimeout && reply.code !== 421) setImmediate(() => this.leaveIfIdle());
  }

  #write(reply: Reply): void {
    const socket = this._socket;
    // Not by the library, which says nothing to a client that has closed its half: the next reply would be taken for this one.
    if (!this._upgrading && !socket.destroyed && socket.writable) {
      gather(socket);
      socket.write(replyLine(reply, this.session.envelope?.smtpUtf8 === true), "utf8");
    }
    if (reply.code === 421) this.close();
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
    if (hasUnknownParameter(command, parsed.args, this.#authDialogue.isOffered))
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

  messageEnded(message: MessageReader, done: () => void): void {
    const { transactions } = this.#front;
    const client = this.#presence;
    const onSettled = (call: () => void): void => client.onSettled(call);
    const data = (): Promise<Reply> =>
      transactions.data({ message, session: this.id, client, onSettled }, openedIn(this.session));
    guarded(this.#front, this.id, data, (reply = LOCAL_ERROR) => {
      if (isPositive(reply)) this.#talk.tookMessage();
      this.#say(reply);
      this._transactionCounter++;
      this._resetSession();
      const hasEnded = this._parser instanceof Parser && this._parser.isEnding;
      // TLS writes nothing for no octets, and learns nothing.
      if (hasEnded && isPositive(reply) && !this.secure && !client.isGone()) {
        client.settleBehindEnd(this._socket, done);
        return;
      }
      client.settle();
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
    this.#plainSocket = this._socket;
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
