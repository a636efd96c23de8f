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

/** For the first request, and for one that is begun: whoever begins one has all of it at hand. */
const REQUEST_SECONDS = 30;
/** Answers that are there at once go out in pieces of this size: a write for each would be a system call for each. */
const PIECE_OCTETS = 16 * 1024;
/** Requests are much larger than their octets: those of so many are taken at a time, and the rest of a chunk stays octets. */
const SLICE_OCTETS = 4 * 1024;
const NOTHING = Buffer.alloc(0);

export interface ConnectionOptions<Request> {
  readonly socket: Socket;
  readonly protocol: Protocol<Request>;
  /** The client broke the protocol. */
  readonly onFault: (fault: string) => void;
  /** A bug of ours. */
  readonly onError: (error: unknown) => void;
}

/** Answers until the client or the protocol ends it. */
export function serveConnection<Request>(options: ConnectionOptions<Request>): void {
  const { socket } = options;
  const connection = new Connection(options);
  socket.setNoDelay(true);
  // A connection without a word holds a place of those that are allowed.
  const seconds = Math.min(REQUEST_SECONDS, options.protocol.idleSeconds);
  socket.setTimeout(seconds * 1000, () => connection.silence());
  // Events and no iterator: most answers are there at once, and a promise for each would be a fifth of all time.
  socket.on("data", (chunk: Buffer) => connection.read(chunk));
  socket.on("end", () => connection.readEnd());
  socket.on("drain", () => connection.goOn());
  // A mail server that has gone in the middle of something is no news.
  socket.on("error", () => socket.destroy());
  socket.on("close", () => connection.close());
}

class Connection<Request> {
  readonly #options: ConnectionOptions<Request>;
  readonly #session: Session<Request>;
  readonly #reader: RequestReader<Request>;
  /** Not taken apart yet: one chunk at most. */
  #unread: Buffer = NOTHING;
  /** Not answered yet, from `#at` on: those of one slice at most. */
  #waiting: Request[] = [];
  #at = 0;
  /** `busy`: an answer is under way, or the client has to take some first. `over`: what still comes is not looked at. */
  #state: "free" | "busy" | "over" = "free";
  /** Busy for an answer that is under way. */
  #isAwaiting = false;
  /** What went wrong behind the requests that wait. */
  #fault: unknown;
  /** The client has said all: the connection ends behind the last answer. */
  #hasEnded = false;
  #hasTakenEnd = false;
  #hasAsked = false;
  #deadline: NodeJS.Timeout | undefined;
  readonly #take = (request: Request): void => void this.#waiting.push(request);

  constructor(options: ConnectionOptions<Request>) {
    this.#options = options;
    this.#session = options.protocol.createSession();
    this.#reader = options.protocol.createReader();
  }

  read(chunk: Buffer): void {
    if (this.#state === "over" || this.#fault !== undefined) return;
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    this.#answerAll();
  }

  readEnd(): void {
    if (this.#state === "over") return;
    this.#hasEnded = true;
    this.#answerAll();
  }

  /** Between requests it is no fault. Within one, the other clock may be a millisecond behind, and would never be heard. */
  silence(): void {
    const { socket, protocol } = this.#options;
    if (this.#deadline !== undefined && protocol.idleSeconds >= REQUEST_SECONDS) this.#fail(tooLate());
    else socket.destroy();
  }

  /** The client has taken what it was told. */
  goOn(): void {
    if (this.#state !== "busy" || this.#isAwaiting) return;
    this.#state = "free";
    this.#answerAll();
  }

  close(): void {
    this.#state = "over";
    this.#unread = NOTHING;
    this.#waiting = [];
    this.#forgetDeadline();
  }

  /** The next request in its order; undefined where none is whole yet. */
  #next(): Request | undefined {
    while (this.#at >= this.#waiting.length) {
      this.#at = 0;
      this.#waiting = [];
      if (!this.#takeSlice()) return undefined;
    }
    return this.#waiting[this.#at++];
  }

  /** False where there is nothing more to take apart. */
  #takeSlice(): boolean {
    if (this.#fault !== undefined) return false;
    const slice = this.#unread.subarray(0, SLICE_OCTETS);
    this.#unread = this.#unread.subarray(slice.length);
    try {
      if (slice.length > 0) this.#reader.push(slice, this.#take);
      else if (this.#hasEnded && !this.#hasTakenEnd) this.#takeEnd();
      else return false;
    } catch (error) {
      this.#fault = error;
      this.#unread = NOTHING;
    }
    if (this.#waiting.length > 0) this.#hearRequest();
    return true;
  }

  #takeEnd(): void {
    this.#hasTakenEnd = true;
    if (this.#reader.end) this.#reader.end(this.#take);
    else if (this.#reader.isBegun()) throw new ProtocolFault("the client ended in the middle of a request");
  }

  #hearRequest(): void {
    this.#forgetDeadline();
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    const { socket, protocol } = this.#options;
    socket.setTimeout(protocol.idleSeconds * 1000);
  }

  /** Until one takes time, or the client has to take what it was told: nothing further is read meanwhile. */
  #answerAll(): void {
    if (this.#state !== "free") return;
    const said = createPieces(this.#options.socket);
    try {
      for (let request = this.#next(); request !== undefined; request = this.#next()) {
        const answer = this.#session.answer(request);
        if (answer instanceof Promise) {
          this.#await(answer);
          said.flush();
          return;
        }
        if (isLast(answer)) {
          said.add(answer.last);
          said.flush();
          this.#end();
          return;
        }
        if (said.add(answer)) continue;
        this.#pause();
        return;
      }
    } catch (error) {
      said.flush();
      this.#fail(error);
      return;
    }
    this.#rest(said.flush());
  }

  /** All that was asked is answered. */
  #rest(isTaken: boolean): void {
    const { socket } = this.#options;
    if (this.#fault !== undefined) this.#fail(this.#fault);
    else if (!isTaken) this.#pause();
    else if (this.#hasEnded) socket.end();
    else {
      if (socket.isPaused()) socket.resume();
      // From the first octet on: one octet a second is no progress.
      if (this.#reader.isBegun())
        this.#deadline ??= setTimeout(() => this.#fail(tooLate()), REQUEST_SECONDS * 1000);
    }
  }

  #await(answering: Promise<Said>): void {
    this.#pause();
    this.#isAwaiting = true;
    answering.then(
      (answer) => this.#answered(answer),
      (error: unknown) => this.#fail(error),
    );
  }

  #answered(answer: Said): void {
    if (this.#state === "over") return;
    const { socket } = this.#options;
    this.#isAwaiting = false;
    this.#state = "free";
    const text = isLast(answer) ? answer.last : answer;
    const isTaken = text.length === 0 || socket.write(text);
    if (isLast(answer)) this.#end();
    else if (isTaken) this.#answerAll();
    else this.#pause();
  }

  /** It is not the client's time that runs meanwhile. */
  #pause(): void {
    this.#state = "busy";
    this.#forgetDeadline();
    this.#options.socket.pause();
  }

  #fail(error: unknown): void {
    if (this.#state === "over") return;
    const { onFault, onError } = this.#options;
    if (error instanceof ProtocolFault) onFault(error.message);
    else onError(error);
    this.#end();
  }

  #end(): void {
    this.close();
    this.#options.socket.destroySoon();
  }

  #forgetDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}

function tooLate(): ProtocolFault {
  return new ProtocolFault(`a request was not whole after ${REQUEST_SECONDS} s`);
}

function isLast(answer: Said): answer is LastWords {
  return typeof answer === "object" && "last" in answer;
}

interface Pieces {
  /** False where the client has to take something first. */
  add(said: string | Uint8Array): boolean;
  flush(): boolean;
}

/** Short answers are put together, and written when they are many. */
function createPieces(socket: Socket): Pieces {
  let held: (string | Uint8Array)[] = [];
  let octets = 0;
  const flush = (): boolean => {
    const [first, ...others] = held;
    if (first === undefined) return !socket.writableNeedDrain;
    const pieces = held;
    held = [];
    octets = 0;
    if (others.length === 0) return socket.write(first);
    if (pieces.every((piece) => typeof piece === "string")) return socket.write(pieces.join(""));
    return socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  };
  return {
    add(said) {
      if (said.length > 0) held.push(said);
      octets += said.length;
      return octets < PIECE_OCTETS || flush();
    },
    flush,
  };
}
