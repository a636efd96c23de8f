// Which fields of a returned header anybody asks for, so that the others need not travel with the report of a bounce. Called by the
// forwarder's thread that reads bounces.
import { DELIVERY_FIELDS } from "./secrets.ts";

/** Those that tell a message apart, and that are told (returned-header.ts); Received has the marks, and hosts behind us. */
const TOLD = new Set(["message-id", "date", "subject", "from", "to", "received"]);

export function isFieldOfInterest(name: string): boolean {
  const small = name.toLowerCase();
  return TOLD.has(small) || DELIVERY_FIELDS.has(small);
}
