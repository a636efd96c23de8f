// A DNS server asked by our own messages, for names that c-ares refuses to ask for. RFC 1035 §4.2, RFC 7766. Called by
// dns-server.ts.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { HostPort } from "../host-port.ts";
import type { Clock } from "../outbound/clock.ts";
import { type DnsServer, failed, type Heard, type Query, type RecordType } from "./query.ts";
import { isAnswerTo, isTruncated, readAnswer, renderQuery } from "./wire-message.ts";

export interface WireOptions {
  readonly clock: Clock;
  /** 0–65535, not to be guessed: with the port it is all that a forger has to hit. */
  readonly newId: () => number;
}

/** Sent again after so long, and given up after the last. */
const WAITS_MS = [1_000, 2_000, 4_000, 5_000];

type Message = Buffer | { readonly code: string };

export function createWire(place: HostPort, { clock, newId }: WireOptions): DnsServer {
  /** Ends of what is under way. */
  const underWay = new Set<() => void>();
  let closed = false;

  /** Runs until it has a message, or a code, or is closed. @param start gives what stops it; it settles later */
  function exchange(start: (settle: (message: Message) => void) => () => void): Promise<Message> {
    if (closed) return Promise.resolve({ code: "ECANCELLED" });
    const { promise, resolve } = Promise.withResolvers<Message>();
    const settle = (message: Message): void => {
      if (!underWay.delete(cancel)) return;
      stop();
      resolve(message);
    };
    const cancel = (): void => settle({ code: "ECANCELLED" });
    underWay.add(cancel);
    const stop = start(settle);
    return promise;
  }

  return {
    async ask<T extends RecordType>(question: Query<T>): Promise<Heard<T>> {
      const query = renderQuery(newId(), question);
      let message = await exchange((settle) => overUdp(place, query, clock, settle));
      if (Buffer.isBuffer(message) && isTruncated(message))
        message = await exchange((settle) => overTcp(place, query, clock, settle));
      return Buffer.isBuffer(message) ? readAnswer(question, query, message) : failed(message.code);
    },
    close() {
      closed = true;
      for (const cancel of [...underWay]) cancel();
    },
  };
}

/** A socket for each query: its port is the kernel's choice, and connected it hears of nobody else. */
function overUdp(
  { host, port }: HostPort,
  query: Buffer,
  clock: Clock,
  settle: (message: Message) => void,
): () => void {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  let sent = 0;
  let stopWait = (): void => {};
  const send = (): void => {
    const wait = WAITS_MS[sent++];
    if (wait === undefined) {
      settle({ code: "ETIMEOUT" });
      return;
    }
    socket.send(query);
    stopWait = clock.after(wait, send);
  };
  socket.on("error", (error) => settle({ code: codeOf(error) }));
  socket.on("message", (message) => {
    if (isAnswerTo(query, message)) settle(message);
  });
  socket.on("connect", send);
  socket.connect(port, host);
  return () => {
    stopWait();
    socket.close();
  };
}

function overTcp(
  place: HostPort,
  query: Buffer,
  clock: Clock,
  settle: (message: Message) => void,
): () => void {
  const socket = connect(place);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  let heard = Buffer.alloc(0);
  socket.on("data", (part) => {
    heard = Buffer.concat([heard, part]);
    if (heard.length < 2) return;
    // So 65,537 octets are the most that is waited for.
    const end = 2 + heard.readUInt16BE(0);
    const message = heard.subarray(2, end);
    if (heard.length >= end) settle(isAnswerTo(query, message) ? message : { code: "EBADRESP" });
  });
  socket.on("error", (error) => settle({ code: codeOf(error) }));
  socket.on("end", () => settle({ code: "EBADRESP" }));
  const stopWait = clock.after(WAITS_MS.at(-1) ?? 0, () => settle({ code: "ETIMEOUT" }));
  return () => {
    stopWait();
    socket.destroy();
  };
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "EBADRESP";
}
