// A raw connection for tests, from either end: real sockets on 127.0.0.1, closed by the `using` of whoever opened them
// (or by its `t.after`). Used by the tests of SMTP in and, through smtp-peers.ts, of SMTP out and by the stories.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { HostPort } from "../host-port.ts";

/** A bound for what must come, so that a test says what did not. Never a measure of speed. */
const PATIENCE_MS = 15_000;
// Taken now: a test may put its own clock in place of the global one.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

export function within<T>(awaited: Promise<T>, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = startTimer(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS);
  return Promise.race([awaited, promise]).finally(() => stopTimer(timer));
}

/** One end of a connection, octet by octet. Text is latin1: one character is one octet. */
export class Wire implements Disposable {
  readonly socket: Socket;
  #heard = "";
  /** How much of it has been read. */
  #read = 0;
  #over = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("data", (text: string) => {
      this.#heard += text;
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
      const at = this.#heard.indexOf(end, this.#read);
      if (at >= 0) return this.#readTo(at + end.length);
      if (this.#over) return undefined;
      const unread = JSON.stringify(this.#heard.slice(this.#read));
      await within(this.#changed.promise, `${JSON.stringify(end)} after ${unread}`);
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
    return this.#readTo(this.#heard.length);
  }

  /** Every octet from the other side until now, read or not. */
  heard(): Buffer {
    return Buffer.from(this.#heard, "latin1");
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #readTo(end: number): string {
    const text = this.#heard.slice(this.#read, end);
    this.#read = end;
    return text;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Where to connect: on this machine unless told. */
export type Place = Pick<HostPort, "port"> & Partial<HostPort>;

/** Connects and reads nothing yet: the greeting is the first reply. */
export async function dial({ host = "127.0.0.1", port }: Place): Promise<Wire> {
  const wire = new Wire(connect(port, host));
  await within(once(wire.socket, "connect"), "a connection");
  return wire;
}

export interface Server extends HostPort, AsyncDisposable {}

/** A server that runs `session` with whoever connects. */
export async function serve(session: (wire: Wire) => Promise<unknown>): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    void session(new Wire(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
