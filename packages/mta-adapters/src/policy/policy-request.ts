// A request of Postfix's policy delegation: lines of name=value up to an empty one (SMTPD_POLICY_README). Called by policy.ts.
import { ProtocolFault, type RequestReader } from "../wire/protocol.ts";

/** The attributes that are looked at; "" where Postfix said nothing. Hostile text, without line ends and NULs. */
export type PolicyRequest = Readonly<Record<AttributeName, string>>;

type AttributeName = (typeof NAMES)[number];

const NAMES = [
  "request",
  "protocol_state",
  "client_address",
  "helo_name",
  "sender",
  "recipient",
  "sasl_username",
  "instance",
] as const;

/** Postfix takes 2,048 octets of a command line (line_length_limit), and an address is a part of one. */
const MAX_LINE = 4096;
/** Some 40 attributes of a Postfix of today are 1 to 3 KB; four addresses and subjects of certificates may be as long as a line. */
const MAX_REQUEST = 65_536;
const LF = 0x0a;

export function createPolicyReader(): RequestReader<PolicyRequest> {
  let attributes = new Map<string, string>();
  let begunLine: Buffer = Buffer.alloc(0);
  let octets = 0;

  /** The request, at its empty line. */
  const read = (line: string): PolicyRequest | undefined => {
    if (line === "") {
      const request = requestOf(attributes);
      attributes = new Map();
      octets = 0;
      return request;
    }
    const equals = line.indexOf("=");
    if (equals <= 0 || line.includes("\0")) throw new ProtocolFault("a line of a request is not name=value");
    const name = line.slice(0, equals);
    if (!isName(name)) return undefined;
    // Of two senders, one would be checked and the other believed.
    if (attributes.has(name)) throw new ProtocolFault(`a request has ${name} twice`);
    attributes.set(name, line.slice(equals + 1));
    return undefined;
  };

  return {
    push(chunk, take) {
      for (let at = 0; at < chunk.length; ) {
        const end = chunk.indexOf(LF, at);
        const part = chunk.subarray(at, end < 0 ? chunk.length : end);
        if (begunLine.length + part.length > MAX_LINE)
          throw new ProtocolFault(`a line of more than ${MAX_LINE} octets`);
        octets += part.length + 1;
        if (octets > MAX_REQUEST) throw new ProtocolFault(`a request of more than ${MAX_REQUEST} octets`);
        const line = begunLine.length === 0 ? part : Buffer.concat([begunLine, part]);
        if (end < 0) {
          // The chunk's own memory is as large as all that came with it.
          begunLine = Buffer.from(line);
          break;
        }
        begunLine = Buffer.alloc(0);
        const request = read(line.toString("utf8"));
        if (request) take(request);
        at = end + 1;
      }
    },
    isBegun: () => octets > 0,
  };
}

function requestOf(attributes: ReadonlyMap<string, string>): PolicyRequest {
  if (attributes.get("request") !== "smtpd_access_policy")
    throw new ProtocolFault("a request is not request=smtpd_access_policy");
  const values = NAMES.map((name) => [name, attributes.get(name) ?? ""] as const);
  return Object.fromEntries(values) as Record<AttributeName, string>;
}

function isName(name: string): name is AttributeName {
  return (NAMES as readonly string[]).includes(name);
}
