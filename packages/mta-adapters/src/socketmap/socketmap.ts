// Postfix's socketmap_table(5), which is Sendmail's map class `socket`, too: `forward bob@origin.example` is asked,
// `OK SRS0=…` is answered, each a netstring. Made by the composition root, served by wire/listener.ts.
import { printable } from "@homing/srs-core";
import type { LookUp, MapAnswer } from "../maps/map-answer.ts";
import type { Protocol } from "../wire/protocol.ts";
import { createNetstringReader, renderNetstring } from "./netstring.ts";

export interface SocketmapRequest {
  readonly map: string;
  readonly key: string;
}

export interface SocketmapOptions {
  readonly lookUp: LookUp;
  /** Of one request. */
  readonly maxOctets?: number;
  readonly idleSeconds?: number;
}

/** An address has 254 octets, and twice that where an alias stands before it: four times an address is none's. */
const MAX_OCTETS = 1024;
/** A daemon of Postfix ends after 100 s without work (max_idle), and its connection with it. */
const IDLE_SECONDS = 300;
const MAX_REASON = 200;
const BLANK = 0x20;
/** What a decoder leaves of octets that are no UTF-8. */
const REPLACEMENT = "\ufffd";
/** The blank belongs to it: Postfix takes `NOTFOUND` alone for a broken server. */
const NOT_FOUND = renderNetstring("NOTFOUND ");

export function socketmapProtocol({
  lookUp,
  maxOctets = MAX_OCTETS,
  idleSeconds = IDLE_SECONDS,
}: SocketmapOptions): Protocol<SocketmapRequest> {
  const session = {
    answer({ map, key }: SocketmapRequest): string | Promise<string> {
      if (key.includes(REPLACEMENT)) return NOT_FOUND;
      const answer = lookUp(map, key);
      return answer instanceof Promise ? answer.then(renderSocketmapAnswer) : renderSocketmapAnswer(answer);
    },
  };
  return {
    idleSeconds,
    createSession: () => session,
    createReader() {
      const netstrings = createNetstringReader(maxOctets);
      return {
        isBegun: netstrings.isBegun,
        push(chunk, take) {
          netstrings.push(chunk, (octets, start, end) => take(parseSocketmapRequest(octets, start, end)));
        },
      };
    },
  };
}

/** Without a blank it is the name of a map, and an empty key. */
function parseSocketmapRequest(octets: Buffer, start: number, end: number): SocketmapRequest {
  const found = octets.indexOf(BLANK, start);
  const blank = found < 0 || found >= end ? end : found;
  return {
    map: octets.toString("latin1", start, blank),
    key: octets.toString("utf8", Math.min(blank + 1, end), end),
  };
}

export function renderSocketmapAnswer(answer: MapAnswer): string {
  switch (answer.kind) {
    case "found":
      return renderNetstring(`OK ${answer.value}`);
    case "not-found":
    // A map cannot refuse mail: of PERM, Postfix makes a 451 for ever.
    case "unfit":
      return NOT_FOUND;
    case "later":
      return renderNetstring(`TEMP ${printable(answer.why, MAX_REASON)}`);
    case "wrong":
      return renderNetstring(`PERM ${printable(answer.why, MAX_REASON)}`);
  }
}
