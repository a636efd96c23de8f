// From, Sender, Reply-To and To: one address each, with its name. Written here and not by the composer, which takes < and > out of
// quoted local parts, where they belong to the address. Pure. Called by compose-mail.ts. RFC 5322 §3.4, RFC 2047 §5 (3).

import type { Named } from "../sender/choose-from.ts";
import { encodedWords, isSevenBit } from "../text-encoding.ts";

/** With its CRLF. Both texts were checked: no control character is in them. */
export function addressField(field: "From" | "Sender" | "Reply-To" | "To", named: Named): string {
  return `${field}: ${addressWithName(named)}\r\n`;
}

function addressWithName({ name, address }: Named): string {
  if (name === "") return `<${address}>`;
  // Words that are encoded already are none where they stand in quotes.
  const phrase = isSevenBit(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : encodedWords(name);
  return `${phrase} <${address}>`;
}
