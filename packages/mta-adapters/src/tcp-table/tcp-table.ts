// Postfix's tcp_table(5): `get bob@origin.example` is asked, `200 SRS0=…` is answered, a line each. PostSRSd 1 speaks it, and
// which map is asked, the port tells. Made by the composition root, served by wire/listener.ts.
import { printable } from "@homing/srs-core";
import type { LookUp, MapAnswer } from "../maps/map-answer.ts";
import { type Protocol, ProtocolFault, type RequestReader } from "../wire/protocol.ts";
import { parsePercent, renderPercent } from "./percent.ts";

export type TcpTableRequest =
  | { readonly kind: "get"; readonly key: string }
  /** What cannot be a key: nothing is found under it. */
  | { readonly kind: "no-key" }
  /** An older manual has it. */
  | { readonly kind: "put" };

export interface TcpTableOptions {
  readonly lookUp: LookUp;
  /** Of this port: `forward`, `reverse` or `reject`. */
  readonly map: string;
  readonly idleSeconds?: number;
}

/** tcp_table(5), of replies; requests are no longer. With the newline. */
const MAX_LINE = 4096;
/** As PostSRSd 1: Postfix holds a connection for as long as the process lives that opened it. */
const IDLE_SECONDS = 1800;
const MAX_REASON = 200;
const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

export function tcpTableProtocol({
  lookUp,
  map,
  idleSeconds = IDLE_SECONDS,
}: TcpTableOptions): Protocol<TcpTableRequest> {
  const session = {
    answer(request: TcpTableRequest): string | Promise<string> {
      switch (request.kind) {
        case "get": {
          const answer = lookUp(map, request.key);
          return answer instanceof Promise ? answer.then(renderTcpTableAnswer) : renderTcpTableAnswer(answer);
        }
        case "no-key":
          return "500 this is no key\n";
        case "put":
          return "500 nothing can be put into this table\n";
      }
    },
  };
  return { idleSeconds, createSession: () => session, createReader: createLineReader };
}

function createLineReader(): RequestReader<TcpTableRequest> {
  let held: Buffer = NOTHING;
  return {
    isBegun: () => held.length > 0,
    push(chunk, take) {
      const octets = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      for (;;) {
        const end = octets.indexOf(LINE_FEED, at);
        if ((end < 0 ? octets.length : end + 1) - at > MAX_LINE)
          throw new ProtocolFault(`a line has more than ${MAX_LINE} octets`);
        if (end < 0) break;
        take(parseTcpTableRequest(octets.toString("utf8", at, end)));
        at = end + 1;
      }
      // A copy: a few octets must not keep a whole chunk in memory.
      held = at === octets.length ? NOTHING : Buffer.from(octets.subarray(at));
    },
  };
}

/**
 * Whoever says anything else does not speak to us: a browser can be made to send HTTP to a port of this machine.
 *
 * @param line without its newline; whoever types by hand ends it with CRLF
 */
export function parseTcpTableRequest(line: string): TcpTableRequest {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (text.startsWith("put ")) return { kind: "put" };
  if (!text.startsWith("get ")) throw new ProtocolFault(`neither get nor put: "${printable(text, 40)}"`);
  const key = parsePercent(text.slice("get ".length));
  return key === undefined || key.includes("\ufffd") ? { kind: "no-key" } : { kind: "get", key };
}

export function renderTcpTableAnswer(answer: MapAnswer): string {
  switch (answer.kind) {
    case "found":
      return bounded(`200 ${renderPercent(answer.value)}\n`);
    case "not-found":
    // A table cannot refuse mail: it would wait until it is too old.
    case "unfit":
      return `500 ${reason(answer.why)}\n`;
    // What is wrong with the question, a person can put right: the mail waits for him.
    case "later":
    case "wrong":
      return `400 ${reason(answer.why)}\n`;
  }
}

/** Coded, a value of ours has 762 characters at most; a longer one is no address, and Postfix would not read it. */
function bounded(line: string): string {
  return line.length <= MAX_LINE ? line : "400 the value is too long for a tcp table\n";
}

/** Postfix decodes this text, too. Blanks may stay. */
function reason(why: string): string {
  return renderPercent(printable(why, MAX_REASON)).replaceAll("%20", " ");
}
