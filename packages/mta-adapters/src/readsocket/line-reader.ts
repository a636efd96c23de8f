// The one line that a connection of the readsocket protocol brings. Called by readsocket.ts.
import { isUtf8 } from "node:buffer";
import { ProtocolFault, type RequestReader, type Take } from "../wire/protocol.ts";

/** Two addresses of 254 octets, a name of 253 and an IP address fit. */
const MAX_LINE = 1024;
const LF = 0x0a;
const CR = 0x0d;

/** The first line; a client that ends its side ends its line. What comes behind it is not read. */
export function createLineReader(): RequestReader<string> {
  let held = Buffer.alloc(0);
  let isOver = false;
  const finish = (take: Take<string>): void => {
    isOver = true;
    const octets = held;
    held = Buffer.alloc(0);
    take(lineOf(octets));
  };
  return {
    push(chunk, take) {
      if (isOver) return;
      const end = chunk.indexOf(LF);
      const part = end < 0 ? chunk : chunk.subarray(0, end);
      if (held.length + part.length > MAX_LINE)
        throw new ProtocolFault(`a line of more than ${MAX_LINE} octets`);
      held = Buffer.concat([held, part]);
      if (end >= 0) finish(take);
    },
    end(take) {
      if (held.length > 0) finish(take);
    },
    isBegun: () => held.length > 0,
  };
}

function lineOf(octets: Buffer): string {
  const line = octets.at(-1) === CR ? octets.subarray(0, -1) : octets;
  if (!isUtf8(line)) throw new ProtocolFault("a line that is not UTF-8");
  // No address has them (RFC 5321 §4.1.2), and an answer that quotes one could become two.
  if (line.some((octet) => octet < 0x20 || octet === 0x7f))
    throw new ProtocolFault("a line with a control character");
  return line.toString("utf8");
}
