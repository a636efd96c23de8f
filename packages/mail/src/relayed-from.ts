// Who came to a relay of ours: its Received field says it (RFC 5321 §4.4), as Postfix, Exim, Sendmail, qmail, Exchange and
// OpenSMTPD write it. Called by the forwarder before it checks the sender; received-from.ts reads one field.
import { endOfField, isEmptyLine, valueStart } from "./header-fields.ts";
import { type ReceivedFrom, receivedFrom } from "./received-from.ts";

export interface RelayedClient {
  readonly address: string;
  /** What it called itself: hostile text, at most 255 characters. "" where the relay did not write it. */
  readonly helo: string;
}

const RECEIVED = Buffer.from("received");
/** No relay writes nearly as much. */
const MAX_FIELD_OCTETS = 4096;

/**
 * The last client on the way here that is no relay of ours. A field is believed only where a relay wrote it: as many of
 * them, from the top, as relays had the message. Undefined: a field of theirs is missing or cannot be understood, and
 * nobody knows who sent the message.
 * @param start of the message as it came in, without a field of our own
 */
export function lastUntrustedHop(
  start: Buffer,
  isRelay: (address: string) => boolean,
  directClient: RelayedClient,
): RelayedClient | undefined {
  if (!isRelay(directClient.address)) return directClient;
  for (const field of receivedFields(start)) {
    const from = receivedFrom(field);
    if (from.kind === "unknown") return undefined;
    if (from.kind === "client" && !isOwnHop(from, isRelay)) return { address: from.address, helo: from.helo };
  }
  return undefined;
}

/** A relay's content filter hands the message back to it: whatever has the loopback address is the relay itself. */
function isOwnHop(
  { address }: Extract<ReceivedFrom, { kind: "client" }>,
  isRelay: (address: string) => boolean,
): boolean {
  return address.startsWith("127.") || address === "::1" || isRelay(address);
}

/** What stands behind the name, topmost first: octets as characters one to one. */
function* receivedFields(start: Buffer): Generator<string> {
  let from = 0;
  while (from < start.length && !isEmptyLine(start, from)) {
    const to = endOfField(start, from);
    const value = valueStart(start, from, to, RECEIVED);
    if (value !== undefined) yield start.toString("latin1", value, Math.min(to, value + MAX_FIELD_OCTETS));
    from = to;
  }
}

/**
 * The server that handed the message over wrote it itself, or a program on it: its own field, which is the topmost, names no
 * client. No stranger can have one of those on top.
 */
export function isLocalSubmission(start: Buffer): boolean {
  const [topmost = ""] = receivedFields(start);
  return /^[ \t\r\n]*(?:by[ \t\r\n]|\(qmail \d+ invoked by uid |\(from )/i.test(topmost);
}
