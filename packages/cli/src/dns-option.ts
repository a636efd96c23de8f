// `--dns`, as often as there are servers. Called by the commands that ask DNS.
import { isIP } from "node:net";
import { type HostPort, parseHostPort } from "@homing/forwarder";
import { CommandFailure } from "./failure.ts";

const WRITE = "write system, or IP:PORT of a DNS server such as 127.0.0.1:53 or [::1]:53";

/** @returns none for `system` */
export function dnsServersOption(texts: readonly string[]): readonly HostPort[] {
  if (texts.length === 1 && texts[0] === "system") return [];
  return texts.map(parseServer);
}

function parseServer(text: string): HostPort {
  if (text === "system")
    throw new CommandFailure("usage", "--dns system stands alone: leave it out, or the other servers");
  const place = parseHostPort(text);
  // A name would have to be looked up, and nobody answers on port 0.
  if (place && isIP(place.host) !== 0 && place.port > 0) return place;
  throw new CommandFailure("usage", `--dns ${text}: ${WRITE}`);
}
