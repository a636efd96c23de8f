// Which address is checked, and which domain (RFC 7208 §2.3, §2.4, §4.3; RFC 8616 §4). Called by check-host.ts.
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { SpfQuestion } from "./spf.ts";

export interface Identity {
  /** "postmaster" where there is none (§4.3). */
  readonly local: string;
  /** In A-labels and lower case; "" where there is none that DNS could know. */
  readonly domain: string;
  /** `local@domain`; the domain as it was written where DNS could not know it. */
  readonly sender: string;
}

/** RFC 1035 §2.3.4, in text. */
const MAX_NAME = 253;
/** Labels of 1 to 63 octets, whatever printable ones: a macro may leave spaces. A backslash would be an escape to some. */
const NAME = /^[\x20-\x2d\x2f-\x5b\x5d-\x7e]{1,63}(?:\.[\x20-\x2d\x2f-\x5b\x5d-\x7e]{1,63})*$/;

export function identityOf({ sender, helo, identity }: SpfQuestion): Identity {
  const isHelo = identity === "helo" || sender === "";
  const address = isHelo ? helo : sender;
  // The last one: a quoted local part may have its own.
  const at = isHelo ? -1 : address.lastIndexOf("@");
  const local = at > 0 ? address.slice(0, at) : "postmaster";
  const written = address.slice(at + 1);
  const domain = senderDomain(written);
  return { local, domain, sender: `${local}@${domain === "" ? written : domain}` };
}

/** A name that DNS can be asked for: those from a record and its macros may be anything. */
export function isDnsName(name: string): boolean {
  return name.length <= MAX_NAME && NAME.test(name);
}

/** "" for what is malformed, a literal, or a single label (§4.3). */
function senderDomain(written: string): string {
  // Before any work on a hostile length: U-labels are shorter than their A-labels.
  if (written.length > MAX_NAME + 1) return "";
  const ascii = /[^\x20-\x7e]/.test(written) ? domainToASCII(written) : written;
  const name = (ascii.endsWith(".") ? ascii.slice(0, -1) : ascii).toLowerCase();
  const isAddress = name.startsWith("[") || isIP(name) !== 0;
  return name.includes(".") && !isAddress && isDnsName(name) ? name : "";
}
