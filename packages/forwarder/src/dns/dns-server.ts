// One DNS server: c-ares asks it, and our own messages where c-ares will not. Called by dns.ts.
import type { HostPort } from "../host-port.ts";
import { createCares } from "./c-ares.ts";
import { type DnsServer, failed, isPlainName } from "./query.ts";
import { createWire, type WireOptions } from "./wire.ts";

/** @param place undefined is the system's choice, which our own messages do not know */
export function createDnsServer(place: HostPort | undefined, options: WireOptions): DnsServer {
  const cares = createCares(place);
  const wire = place && createWire(place, options);
  return {
    async ask(query) {
      if (isPlainName(query.name)) return cares.ask(query);
      return wire ? wire.ask(query) : failed("EBADNAME");
    },
    close() {
      cares.close();
      wire?.close();
    },
  };
}
