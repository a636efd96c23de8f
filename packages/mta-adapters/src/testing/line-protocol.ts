// A protocol of lines that says them again, and the listener and clients around it. Called by the tests of wire/.
import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { AdapterEvent } from "../adapter-events.ts";
import { type AdapterListener, type AdapterPlace, listenAdapter } from "../wire/listener.ts";
import { type Protocol, ProtocolFault, type Said, type Session } from "../wire/protocol.ts";

const LONGEST_LINE = 1000;

export interface LineProtocolOptions {
  /** Default: the line again. */
  readonly answer?: (line: string) => Said | Promise<Said>;
  /** Octets have come. */
  readonly onChunk?: () => void;
  readonly idleSeconds?: number;
}

/** `bad` breaks the protocol. */
export function lineProtocol(options: LineProtocolOptions = {}): Protocol<string> {
  const { answer = (line) => `${line}\n`, onChunk, idleSeconds = 60 } = options;
  return {
    idleSeconds,
    createReader() {
      let begun = "";
      return {
        push(chunk, take) {
          onChunk?.();
          const lines = `${begun}${chunk.toString("latin1")}`.split("\n");
          begun = lines.pop() ?? "";
          for (const line of lines) {
            if (line.length > LONGEST_LINE) throw new ProtocolFault("a line is too long");
            if (line === "bad") throw new ProtocolFault("a line is bad");
            take(line);
          }
          if (begun.length > LONGEST_LINE) throw new ProtocolFault("a line is too long");
        },
        isBegun: () => begun !== "",
      };
    },
    createSession: (): Session<string> => ({ answer }),
  };
}

export interface LineListener {
  readonly listener: AdapterListener;
  readonly events: AdapterEvent[];
  /** Moves the listener's clock. */
  pass(ms: number): void;
  /** A client that is through; gone at the end of the test. */
  dial(): Promise<Socket>;
}

export async function listenForLines(
  t: TestContext,
  options: LineProtocolOptions & { readonly place?: AdapterPlace; readonly maxConnections?: number } = {},
): Promise<LineListener> {
  const { place = { host: "127.0.0.1", port: 0 }, maxConnections = 10 } = options;
  const events: AdapterEvent[] = [];
  let nowMs = 1_800_000_000_000;
  const listener = await listenAdapter({
    ...{ adapter: "socketmap", place, maxConnections, protocol: lineProtocol(options) },
    report: (event) => events.push(event),
    nowMs: () => nowMs,
  });
  t.after(() => listener.close());
  return {
    listener,
    events,
    pass(ms) {
      nowMs += ms;
    },
    dial: () => dialTo(t, connectionOf(listener.place)),
  };
}

export function connectionOf(place: AdapterPlace): NetConnectOpts {
  return "path" in place ? { path: place.path } : place;
}

async function dialTo(t: TestContext, place: NetConnectOpts): Promise<Socket> {
  const socket = connect({ ...place, allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that comes until the other side has closed. A reset is an end like any other. */
export async function rest(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  if (!socket.closed) await once(socket, "close").catch(() => {});
  return Buffer.concat(parts).toString("latin1");
}

/** The next octets. */
export async function heard(socket: Socket): Promise<string> {
  const [part] = (await once(socket, "data")) as [Buffer];
  return part.toString("latin1");
}
