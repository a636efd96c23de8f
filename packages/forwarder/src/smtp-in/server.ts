// One listening SMTP server: its limits in the library's terms, and the clock of all its connections. Made by smtp-in.ts.
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { isListed } from "../client-networks.ts";
import type { Front, TlsFiles } from "../front/front.ts";
import { libraryHandlers } from "../front/library-handlers.ts";
import { MAX_COMMAND_OCTETS, STRESS_SHARE } from "../front/limits.ts";
import { Connection } from "./connection.ts";
import { type SMTPConnectionOptions, SMTPServer, type SMTPServerSession } from "./library.ts";
import { Roster } from "./roster.ts";

const CLOSE_TIMEOUT_MS = 30_000;
/** The slow are looked for so often, all at once. */
const TICK_MS = 250;
// AUTH is ours (front/auth-dialogue.ts), the others nobody asked for.
const NOT_OFFERED = ["AUTH", "WIZ", "SHELL", "KILL", "HELP"];
/** Our own end of a connection: the library would ask the system for it. */
const UNUSED = { localAddress: "-", localPort: 1 };

export class Server extends SMTPServer {
  readonly #front: Front;
  readonly #roster = new Roster<Connection>();
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
    this.connections = this.#roster as unknown as SMTPServer["connections"];
    // The refused wait a moment for their reply; from then on nobody is even told.
    this.server.maxConnections = 2 * maxClients + 100;
    this.#ticks = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  override connect(socket: Socket, socketOptions?: SMTPConnectionOptions): void {
    const connection = new Connection(this, socket, socketOptions, this.#front);
    this.#roster.add(connection);
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
      for (const connection of this.#roster) connection.leaveIfIdle();
    });
  }

  #tick(): void {
    const underStress = this.#roster.size > this.#front.options.maxClients * STRESS_SHARE;
    for (const connection of this.#roster) connection.waited(TICK_MS, underStress);
  }
}
