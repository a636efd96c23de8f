// A record as a line of a zone file (RFC 1035 §5.1), in strings that a TXT record can hold. Called by `homing spf wizard`.

/** RFC 1035 §3.3.14. */
const MAX_STRING = 255;

/** @param record printable ASCII */
export function renderZoneLine(name: string, record: string): string {
  const strings: string[] = [];
  for (let at = 0; at < record.length; at += MAX_STRING) {
    strings.push(`"${record.slice(at, at + MAX_STRING).replace(/["\\]/g, "\\$&")}"`);
  }
  return `${name}. IN TXT ${strings.length > 1 ? `( ${strings.join(" ")} )` : strings.join("")}`;
}
