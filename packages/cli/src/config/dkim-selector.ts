// The name of a DKIM key in DNS. Called by the settings, and by `homing dkim new`, which reads no configuration.
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** With `_domainkey` and a domain behind it, a name has 255 octets at most. */
const MAX_SELECTOR = 180;

/** RFC 6376 §3.1: labels as in a domain name, one or more. */
export function isSelector(text: string): boolean {
  return text.length <= MAX_SELECTOR && text.split(".").every((label) => LABEL.test(label));
}
