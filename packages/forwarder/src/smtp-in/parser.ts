// Between the library, which pipes a socket into it, and our own reading of what came: as much of a stream as Readable.pipe asks
// for. A Writable, as the library's is, would stay in memory long after its connection (Connection.#letGo says why). Made by
// connection.ts.
import { EventEmitter } from "node:events";
import process from "node:process";
import { ClientInput, type InputWatch } from "../front/client-input.ts";
import { MAX_COMMAND_OCTETS } from "../front/limits.ts";
import type { MessageReader } from "../front/read-message.ts";

/** The connection, as far as its input concerns it. */
export interface InputOwner {
  /** False for a client that speaks before it was greeted: it has been answered. */
  mayTalk(): boolean;
  /** The client has closed its half, and we have nothing more to say. */
  hangUp(): void;
  _onCommand(command: Buffer, done: () => void): void;
  maxOctets(line: Buffer): number;
  commandTooLong(line: Buffer): void;
  /** Octets of a message. */
  received(octets: number): void;
  /** The final dot came. */
  messageEnded(message: MessageReader, done: () => void): void;
}

export class Parser extends EventEmitter implements InputWatch {
  readonly input: ClientInput;
  readonly #owner: InputOwner;
  /** The client has closed its half, and what it sent before is not dealt with yet. */
  isEnding = false;
  /** Written by the library: nothing is answered any more. */
  isClosed = false;
  #isFull = false;

  constructor(owner: InputOwner) {
    super();
    this.#owner = owner;
    this.input = new ClientInput(MAX_COMMAND_OCTETS, this);
  }

  write(chunk: Buffer): boolean {
    this.#isFull = this.#owner.mayTalk() && !this.input.take(chunk);
    return !this.#isFull;
  }

  /**
   * Exim sends QUIT right behind the final dot and closes its half of the connection, and still waits for our answer. Who ends
   * without a word behind the dot is gone.
   */
  end(): void {
    const { isBusy, inMessage, hasMore } = this.input;
    if (isBusy) this.isEnding = true;
    else this.#endInput();
    if (!inMessage || !hasMore) this.#owner.hangUp();
  }

  /** A command without its line end runs behind `hangUp`, as with the library: nobody waits for its answer. */
  #endInput(): void {
    process.nextTick(() => this.input.end());
  }

  idle(): void {
    if (this.#isFull) this.emit("drain");
    this.#isFull = false;
    if (!this.isEnding) return;
    this.#endInput();
    this.#owner.hangUp();
  }

  isOver(): boolean {
    return this.isClosed;
  }

  command(line: Buffer, done: () => void): void {
    this.#owner._onCommand(line, done);
  }

  maxOctets(line: Buffer): number {
    return this.#owner.maxOctets(line);
  }

  commandTooLong(line: Buffer): void {
    this.#owner.commandTooLong(line);
  }

  content(octets: number): void {
    this.#owner.received(octets);
  }

  messageEnded(message: MessageReader, done: () => void): void {
    this.#owner.messageEnded(message, done);
  }
}
