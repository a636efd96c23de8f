// One connection of a mail server: octets in, requests one after the other, answers out. It holds a bounded number of octets,
// whoever is at the other end. Called by listener.ts.
import type { Socket } from "node:net";
import {
  type LastWords,
  type Protocol,
  ProtocolFault,
  type RequestReader,
  type Said,
  type Session,
} from "./protocol.ts";

/** For a request that is begun: whoever begins one has all of it at hand. */
const REQUEST_SECONDS = 30;

export interface ConnectionOptions<Request> {
  readonly socket: Socket;
  readonly protocol: Protocol<Request>;
  /** For the log. */
  readonly peer: string;
  /** The client broke the protocol. */
  readonly onFault: (fault: string) => void;
  /** A bug of ours. */
  readonly onError: (error: unknown) => void;
}

/** Answers until the client or the protocol ends it. */
export function serveConnection<Request>(options: ConnectionOptions<Request>): void {
  const { socket, protocol, peer } = options;
  const session = protocol.createSession(peer);
  const connection = new Connection(options, session, protocol.createReader());
  socket.setNoDelay(true);
  socket.setTimeout(protocol.idleSeconds * 1000, () => socket.destroy());
  // Events and no iterator: most answers are there at once, and a promise for each would be a fifth of all time.
  socket.on("data", (chunk: Buffer) => connection.take(() => connection.read(chunk)));
  socket.on("end", () => connection.take(() => connection.readEnd()));
  socket.on("drain", () => connection.goOn());
  // A mail server that has gone in the middle of something is no news.
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    connection.close();
    session.end?.();
  });
}

class Connection<Request> {
  readonly #options: ConnectionOptions<Request>;
  readonly #session: Session<Request>;
  readonly #reader: RequestReader<Request>;
  /** Not answered yet: those of one chunk at most. */
  #waiting: readonly Request[] = [];
  /** `answering`: until then, nothing further is answered. `over`: what still comes is not looked at. */
  #state: "free" | "answering" | "over" = "free";
  /** The client has said all: the connection ends behind the last answer. */
  #hasEnded = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(
    options: ConnectionOptions<Request>,
    session: Session<Request>,
    reader: RequestReader<Request>,
  ) {
    this.#options = options;
    this.#session = session;
    this.#reader = reader;
  }

  /** What goes wrong ends this connection alone. */
  take(step: () => void): void {
    if (this.#state === "over") return;
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  read(chunk: Buffer): void {
    const requests = this.#reader.push(chunk);
    const isBegun = this.#reader.isBegun();
    if (requests.length > 0 || !isBegun) this.#forgetDeadline();
    // From the first octet on: one octet a second is no progress.
    if (isBegun) this.#deadline ??= setTimeout(() => this.take(tooLate), REQUEST_SECONDS * 1000);
    this.#answer(requests);
  }

  readEnd(): void {
    this.#hasEnded = true;
    this.#answer(this.#reader.end?.() ?? []);
  }

  /** The client has taken what it was told. */
  goOn(): void {
    if (this.#state === "free") this.take(() => this.#answer([]));
  }

  close(): void {
    this.#state = "over";
    this.#forgetDeadline();
    this.#waiting = [];
  }

  /** In their order. Answers that are there at once go out in one piece: a write for each would be a system call for each. */
  #answer(requests: readonly Request[]): void {
    const { socket } = this.#options;
    const waiting = this.#waiting.length === 0 ? requests : [...this.#waiting, ...requests];
    const said: (string | Uint8Array)[] = [];
    this.#waiting = waiting;
    if (this.#state === "answering") return;
    for (const [at, request] of waiting.entries()) {
      const answer = this.#session.answer(request);
      if (answer instanceof Promise) {
        write(socket, said);
        this.#await(answer, waiting.slice(at + 1));
        return;
      }
      if (isLast(answer)) {
        this.#end([...said, answer.last]);
        return;
      }
      said.push(answer);
    }
    this.#waiting = [];
    this.#rest(write(socket, said));
  }

  /** Nothing further is read from a client while an answer to it is not there. */
  #await(answering: Promise<Said>, behind: readonly Request[]): void {
    const { socket } = this.#options;
    this.#state = "answering";
    this.#waiting = behind;
    socket.pause();
    answering.then(
      (answer) => this.take(() => this.#answered(answer)),
      (error: unknown) => this.#fail(error),
    );
  }

  #answered(answer: Said): void {
    if (isLast(answer)) {
      this.#end([answer.last]);
      return;
    }
    this.#state = "free";
    write(this.#options.socket, [answer]);
    this.#answer([]);
  }

  /** Nor from one who does not take the answers. */
  #rest(isTaken: boolean): void {
    const { socket } = this.#options;
    if (!isTaken) socket.pause();
    else if (this.#hasEnded) socket.end();
    else if (socket.isPaused()) socket.resume();
  }

  #end(said: readonly (string | Uint8Array)[]): void {
    const { socket } = this.#options;
    this.close();
    write(socket, said);
    socket.destroySoon();
  }

  #fail(error: unknown): void {
    const { onFault, onError } = this.#options;
    if (this.#state === "over") return;
    if (error instanceof ProtocolFault) onFault(error.message);
    else onError(error);
    this.#end([]);
  }

  #forgetDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}

function tooLate(): never {
  throw new ProtocolFault(`a request was not whole after ${REQUEST_SECONDS} s`);
}

function isLast(answer: Said): answer is LastWords {
  return typeof answer === "object" && "last" in answer;
}

/** False where the client has to take something first. */
function write(socket: Socket, said: readonly (string | Uint8Array)[]): boolean {
  const [first, ...others] = said;
  if (first === undefined) return !socket.writableNeedDrain;
  if (others.length === 0) return first.length === 0 || socket.write(first);
  const isText = said.every((piece) => typeof piece === "string");
  const whole = isText ? said.join("") : Buffer.concat(said.map((piece) => Buffer.from(piece)));
  return whole.length === 0 || socket.write(whole);
}
