// Asks DNS. The package's entrance `@homing/forwarder/dns`, for commands that ask and receive no mail.
export { createDns, type Dns, type DnsOptions } from "../dns/dns.ts";
export { mxResolver, txtLookup } from "../dns/users.ts";
export { createMayConnect } from "../networks.ts";
export { type Clock, systemClock } from "../outbound/clock.ts";
