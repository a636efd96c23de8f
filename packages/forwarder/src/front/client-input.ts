// What one client sends, chunk by chunk: command lines, and after DATA a message. One thing at a time; what comes meanwhile
// waits here. Made by smtp-in/parser.ts, whose connection runs the commands; knows nothing of the library behind it.
import { createContentReader } from "./content-reader.ts";
import type { MessageReader } from "./read-message.ts";

export interface InputWatch {
  /** How long may this line be that is longer than others, and may have no end yet? */
  maxOctets(line: Buffer): number;
  /** Nothing is answered any more, so nothing is read. */
  isOver(): boolean;
  /** A command line without its end; `done` when the next one may run. */
  command(line: Buffer, done: () => void): void;
  /** @param line as much as was read of it */
  commandTooLong(line: Buffer): void;
  /** So many octets of a message came in. */
  content(octets: number): void;
  /** The final dot came; `done` when the message is answered. */
  messageEnded(message: MessageReader, done: () => void): void;
  /** What came is dealt with. */
  idle(): void;
}

/** Commands of one chunk that run before others have their turn. */
const MAX_COMMANDS_AT_ONCE = 100;
/** While a command runs, so much may wait for it: then the client waits, too. */
const MAX_WAITING_OCTETS = 16 * 1024;
const NOTHING = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

export class ClientInput {
  readonly #maxCommandOctets: number;
  readonly #watch: InputWatch;
  /** The chunk that is read. */
  #rest: Buffer = NOTHING;
  #waiting: Buffer[] = [];
  #waitingOctets = 0;
  /** The beginning of a command line. */
  #begun: Buffer = NOTHING;
  #state: "commands" | "content" | "answering" = "commands";
  #message: MessageReader | undefined;
  #content = createContentReader();
  /** A command runs, a piece of a message is written, or a message is not answered yet. */
  #busy = false;
  #reading = false;

  constructor(maxCommandOctets: number, watch: InputWatch) {
    this.#maxCommandOctets = maxCommandOctets;
    this.#watch = watch;
  }

  /** False if the client should wait until `idle` is called. */
  take(chunk: Buffer): boolean {
    if (this.#watch.isOver()) return true;
    if (this.#busy) {
      this.#waiting.push(chunk);
      this.#waitingOctets += chunk.length;
      return this.#waitingOctets < MAX_WAITING_OCTETS;
    }
    this.#rest = chunk;
    this.#read();
    return true;
  }

  /** The client sends no more: its last command may lack a line end. */
  end(): void {
    const last = this.#begun;
    this.#begun = NOTHING;
    if (last.length > 0 && !this.#watch.isOver()) this.#run(last);
  }

  /** From here on it is a message, up to its final dot. */
  beginMessage(message: MessageReader): void {
    this.#state = "content";
    this.#message = message;
    this.#content = createContentReader();
  }

  /** The client is gone: what came of its message is given back. One that is whole has its own holders. */
  lost(): void {
    void this.#message?.lost();
    this.#message = undefined;
    this.#state = "commands";
  }

  /** Something of what came is not dealt with yet. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** Has the client sent anything behind the command that runs? */
  get hasMore(): boolean {
    return this.#rest.length > 0 || this.#waiting.length > 0;
  }

  /** From DATA to the answer to the message. */
  get inMessage(): boolean {
    return this.#state !== "commands";
  }

  #read(): void {
    this.#reading = true;
    for (let ran = 1; !this.#busy && this.#hasRest(); ran++) {
      if (this.#state === "content") this.#readContent();
      else this.#readCommand();
      if (ran === MAX_COMMANDS_AT_ONCE && !this.#busy) {
        this.#busy = true;
        setImmediate(this.#goOn);
      }
    }
    this.#reading = false;
  }

  #hasRest(): boolean {
    if (this.#watch.isOver()) {
      this.#rest = NOTHING;
      this.#waiting = [];
    } else if (this.#rest.length === 0) this.#rest = this.#waiting.shift() ?? NOTHING;
    return this.#rest.length > 0;
  }

  readonly #goOn = (): void => {
    this.#busy = false;
    // One that was done at once: the loop goes on.
    if (this.#reading) return;
    this.#read();
    if (this.#busy) return;
    this.#waitingOctets = 0;
    this.#watch.idle();
  };

  #readCommand(): void {
    const octets = this.#rest;
    const end = octets.indexOf(LF);
    const part = end < 0 ? octets : octets.subarray(0, end);
    const line = this.#begun.length > 0 ? Buffer.concat([this.#begun, part]) : part;
    this.#rest = end < 0 ? NOTHING : octets.subarray(end + 1);
    this.#begun = end < 0 ? line : NOTHING;
    // Of a line that goes on, the CR may be the first half of its end.
    const whole = line[line.length - 1] === CR ? line.subarray(0, -1) : line;
    if (whole.length > this.#maxCommandOctets && whole.length > this.#watch.maxOctets(whole)) {
      this.#begun = NOTHING;
      this.#watch.commandTooLong(whole);
    } else if (end >= 0) this.#run(whole);
  }

  #run(line: Buffer): void {
    this.#busy = true;
    this.#watch.command(line, this.#goOn);
  }

  #readContent(): void {
    const chunk = this.#rest;
    this.#watch.content(chunk.length);
    const { content, rest } = this.#content.read(chunk);
    this.#rest = rest ?? NOTHING;
    const written = content.length > 0 ? this.#message?.take(content) : undefined;
    this.#busy = written !== undefined || rest !== undefined;
    const then = rest ? this.#ended : this.#goOn;
    if (written) void written.then(then);
    else if (rest) this.#ended();
  }

  readonly #ended = (): void => {
    const message = this.#message;
    this.#message = undefined;
    // Without one, the client left while its last piece was written.
    if (!message) {
      this.#goOn();
      return;
    }
    this.#state = "answering";
    this.#watch.messageEnded(message, () => {
      this.#state = "commands";
      this.#goOn();
    });
  };
}
