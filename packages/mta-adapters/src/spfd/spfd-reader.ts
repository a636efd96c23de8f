// A request of the spfd protocol: lines of name=value up to an empty one, or until the client ends its side. Called by spfd.ts.
import { ProtocolFault, type RequestReader, type Take } from "../wire/protocol.ts";
import type { SpfRequest } from "./spf-request.ts";

/** Two addresses of 254 octets, a name of 253 and an IP address, with room for names that nobody knows. */
const MAX_REQUEST = 4096;
const LF = 0x0a;

/** What Mail::SPF::Query called them, until 2006. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  sender: "identity",
  ip: "ip_address",
  helo: "helo_identity",
};

/** The first request; what comes behind it is not read. */
export function createSpfdReader(): RequestReader<SpfRequest> {
  const fields = new Map<string, string | undefined>();
  let held = Buffer.alloc(0);
  let octets = 0;
  let isOver = false;
  const finish = (take: Take<SpfRequest>): void => {
    isOver = true;
    held = Buffer.alloc(0);
    take(fields);
  };
  return {
    push(chunk, take) {
      if (isOver) return;
      for (let at = 0; at < chunk.length; ) {
        const lineEnd = chunk.indexOf(LF, at);
        const end = lineEnd < 0 ? chunk.length : lineEnd + 1;
        octets += end - at;
        if (octets > MAX_REQUEST) throw new ProtocolFault(`a request of more than ${MAX_REQUEST} octets`);
        held = Buffer.concat([held, chunk.subarray(at, end)]);
        at = end;
        if (lineEnd < 0) break;
        if (!readField(fields, held)) {
          finish(take);
          return;
        }
        held = Buffer.alloc(0);
      }
    },
    end(take) {
      if (isOver || octets === 0) return;
      readField(fields, held);
      finish(take);
    },
    isBegun: () => !isOver && octets > 0,
  };
}

/** The last value of each name counts, by its name of today; a line without `=` takes a value away. False at the empty line. */
function readField(fields: Map<string, string | undefined>, octets: Buffer): boolean {
  const line = octets.toString("utf8").trimEnd();
  if (line === "") return false;
  const equals = line.indexOf("=");
  const written = (equals < 0 ? line : line.slice(0, equals)).toLowerCase();
  const name = Object.hasOwn(OLD_NAMES, written) ? OLD_NAMES[written] : written;
  fields.set(name ?? written, equals < 0 ? undefined : line.slice(equals + 1));
  return true;
}
