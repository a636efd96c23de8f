// Who is trusted: networks of clients, and forwarders whose mail may fail SPF. The package's entrance `@homing/forwarder/trust`, for
// commands and adapters that judge senders and receive no mail.
export { isListed } from "../client-networks.ts";
export { blockList } from "../networks.ts";
export { parseForwarderFile } from "../trust/forwarder-file.ts";
export { expiredEntries, type TrustedForwarder } from "../trust/trust-entry.ts";
export { createTrustedForwarders } from "../trust/trusted-forwarders.ts";
