// What a listener needs to know of a protocol: how octets become requests, and what is said to each. Kept by one file for each
// protocol; connection.ts is the only caller.

/** The client broke the protocol. One line in the log, and the connection ends. Printable, short. */
export class ProtocolFault extends Error {}

/** Cuts the stream into requests. Holds no more than one unfinished request, of bounded length. */
export interface RequestReader<Request> {
  /** Takes the requests that end in this chunk. Throws a ProtocolFault at what cannot become one: those before it are good. */
  push(chunk: Buffer, take: Take<Request>): void;
  /** The client has said all: takes the request that ends with that, where a protocol has such. */
  end?(take: Take<Request>): void;
  /** Something unfinished is held. */
  isBegun(): boolean;
}

export type Take<Request> = (request: Request) => void;

/** One connection's state. */
export interface Session<Request> {
  /** What goes back, whole; "" for nothing. Requests are answered one after the other, in their order. */
  answer(request: Request): Said | Promise<Said>;
}

/** Text goes out as UTF-8. */
export type Said = string | Uint8Array | LastWords;

/** Said before the connection is closed. */
export interface LastWords {
  readonly last: string | Uint8Array;
}

export interface Protocol<Request> {
  createReader(): RequestReader<Request>;
  createSession(): Session<Request>;
  /** Seconds without a word after which the connection is closed. */
  readonly idleSeconds: number;
}
