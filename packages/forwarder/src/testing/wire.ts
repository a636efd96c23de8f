// A raw connection for tests, from either end. All are real sockets on 127.0.0.1, closed when the test that opened them
// ends. Used by the tests of SMTP in and, through smtp-peers.ts, of SMTP out.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { HostPort } from "../host-port.ts";

/** A bound for what must come, so that a test says what did not. Never a measure of speed. */
const PATIENCE_MS = 10_000;
// Taken now: a test may put its own clock in place of the global one.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

export function within<T>(awaited: Promise<T>, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = startTimer(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS);
  return Promise.race([awaited, promise]).finally(() => stopTimer(timer));
}

/** One end of a connection, octet by octet. Text is latin1: one character is one octet. */
export class Wire {
  readonly socket: Socket;
  #unread = "";
  #over = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("data", (text: string) => {
      this.#unread += text;
      this.#wake();
    });
    // A reset is an end like any other here.
    socket.on("error", () => {});
    for (const end of ["end", "close"]) {
      socket.on(end, () => {
        this.#over = true;
        this.#wake();
      });
    }
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** All up to and with `end`; undefined if the connection ends before. */
  async until(end: string): Promise<string | undefined> {
    for (;;) {
      const at = this.#unread.indexOf(end);
      if (at >= 0) return this.#take(at + end.length);
      if (this.#over) return undefined;
      await within(this.#changed.promise, `${JSON.stringify(end)} after ${JSON.stringify(this.#unread)}`);
    }
  }

  async line(): Promise<string | undefined> {
    return (await this.until("\r\n"))?.slice(0, -2);
  }

  /** A whole reply, its lines joined by LF; `closed` if the server ends the connection instead. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === undefined) return "closed";
      lines.push(line);
      if (!/^\d{3}-/.test(line)) return lines.join("\n");
    }
  }

  /** Sends one command and reads its reply. */
  ask(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return this.reply();
  }

  /** Resolves when the other side has closed; tells what it wrote until then. */
  async rest(): Promise<string> {
    while (!this.#over) await within(this.#changed.promise, "the end of the connection");
    return this.#take(this.#unread.length);
  }

  #take(length: number): string {
    const text = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return text;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Connects and reads nothing yet: the greeting is the first reply. */
export async function dial(t: TestContext, server: HostPort): Promise<Wire> {
  const socket = connect(server.port, server.host);
  t.after(() => socket.destroy());
  const wire = new Wire(socket);
  await within(once(socket, "connect"), "a connection");
  return wire;
}

/** A server that runs `session` with whoever connects. */
export async function serve(t: TestContext, session: (wire: Wire) => Promise<unknown>): Promise<HostPort> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    void session(new Wire(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}
