// The client that a proxy names with XCLIENT or XFORWARD, as the library reads it. Called by smtp-in/connection.ts.

/** No client has it, and no list of trusted ones names it. */
const UNKNOWN_ADDRESS = "0.0.0.0";
const UNAVAILABLE = / ADDR=\[(?:UNAVAILABLE|TEMPUNAVAIL)\]/i;
const MAPPED = / ADDR=IPV6:::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?= |$)/i;

/**
 * A client that the proxy does not know is not the proxy, and is trusted by nobody. An IPv4 address in IPv6 clothes is what
 * it is.
 */
export function withPlainAddress(command: Buffer): Buffer {
  const text = command.toString();
  return Buffer.from(text.replace(UNAVAILABLE, ` ADDR=${UNKNOWN_ADDRESS}`).replace(MAPPED, " ADDR=$1"));
}
