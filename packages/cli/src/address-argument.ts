// An address as a person or a script writes it, with or without angle brackets. Called by the address commands.
import { type Mailbox, NULL_PATH, parseReversePath } from "@homing/srs-core";

export type AddressArgument =
  | { readonly ok: true; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly reason: "bad-address" | "null-sender"; readonly message: string };

export function parseAddressArgument(text: string): AddressArgument {
  const bare = text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
  const parsed = parseReversePath(bare);
  if (!parsed.ok) return parsed;
  if (parsed.reversePath === NULL_PATH) {
    return { ok: false, reason: "null-sender", message: "the null sender <> is never rewritten" };
  }
  return { ok: true, mailbox: parsed.reversePath };
}
