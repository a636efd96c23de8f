// Addresses as Postfix tells them to a policy service: without the quotes that SMTP asks for. Called by policy.ts.
import { checkMailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { withoutRootDot } from "../maps/root-dot.ts";

/** As SMTP writes it, where it is an address: `two words@origin.example` gets its quotes back. */
export function parsePolicyAddress(text: string): string {
  const address = withoutRootDot(text);
  if (parseMailbox(address).ok) return address;
  const at = address.lastIndexOf("@");
  if (at <= 0) return address;
  const quoted = checkMailbox({ localPart: address.slice(0, at), domain: address.slice(at + 1) });
  return quoted.ok ? renderMailbox(quoted.mailbox) : address;
}
