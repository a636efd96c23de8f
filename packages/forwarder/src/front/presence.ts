// Whether the client of a message is still there, and has its answer: who is told when it leaves, and when all is said. One for
// each connection, made by smtp-in/connection.ts.
import type { Socket } from "node:net";
import type { ClientPresence } from "../smtp-session.ts";

/** More than a round trip: so long a reply has to come back as a reset from a client that has closed both halves. */
const REFUSED_WITHIN_MS = 500;

export class Presence implements ClientPresence {
  readonly isGone: () => boolean;
  #goneCalls: (() => void)[] = [];
  #settledCalls: (() => void)[] = [];

  constructor(isGone: () => boolean) {
    this.isGone = isGone;
  }

  onGone(call: () => void): () => void {
    if (this.isGone()) call();
    else this.#goneCalls.push(call);
    return () => {
      this.#goneCalls = this.#goneCalls.filter((one) => one !== call);
    };
  }

  /** Calls when a message is answered, and its client has the answer or is gone. */
  onSettled(call: () => void): void {
    this.#settledCalls.push(call);
  }

  /** Its connection is over. */
  leaves(): void {
    // One that leaves meanwhile is passed over.
    for (let call = this.#goneCalls.shift(); call; call = this.#goneCalls.shift()) call();
    this.settle();
  }

  /** The answer to a message is out: whoever is lost from here on has had it. */
  settle(): void {
    this.#goneCalls = [];
    const calls = this.#settledCalls;
    this.#settledCalls = [];
    for (const call of calls) call();
  }

  /**
   * A client that has closed its half of the connection has perhaps closed both: the two look alike until its system
   * refuses what we write. Nothing is read any more, so a write tells; one without octets says nothing to who is there.
   */
  settleBehindEnd(socket: Socket, done: () => void): void {
    const goOn = (): void => {
      this.settle();
      done();
    };
    setTimeout(() => {
      // Who does not read is there, and could have this wait for ever.
      if (!socket.destroyed && socket.writableLength > 0) goOn();
      // After an error comes the end of the socket, which everybody is told of.
      else
        socket.write("", (error) => {
          if (!error) goOn();
        });
    }, REFUSED_WITHIN_MS).unref();
  }
}
