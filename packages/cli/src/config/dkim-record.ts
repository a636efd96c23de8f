// DKIM key records (RFC 6376 §3.6): written by `homing dkim new`, compared by `homing config check --dns`.
import type { PublicKey } from "./dkim-keys.ts";

export function recordName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`;
}

export function renderRecord({ type, base64 }: PublicKey): string {
  return `v=DKIM1; k=${type}; p=${base64}`;
}

/** RFC 1035 §3.3.14: a string of a TXT record has 255 octets at most; verifiers join them. */
const MAX_STRING = 255;

/** A line for a zone file. */
export function renderZoneLine(name: string, record: string): string {
  const strings: string[] = [];
  for (let at = 0; at < record.length; at += MAX_STRING)
    strings.push(`"${record.slice(at, at + MAX_STRING)}"`);
  return `${name}. IN TXT ${strings.length > 1 ? `( ${strings.join(" ")} )` : strings.join("")}`;
}

/** Whether a record that was found has this key. */
export function hasKey(record: string, { type, base64 }: PublicKey): boolean {
  const tags = parseTags(record);
  return (tags.get("k") ?? "rsa") === type && tags.get("p") === base64;
}

/** A record without one is somebody else's text, as beside a wildcard. */
export function isKeyRecord(record: string): boolean {
  const tags = parseTags(record);
  return tags.has("p") && (tags.get("v") ?? "DKIM1") === "DKIM1";
}

/** §3.2: blanks in a value of base64 mean nothing. */
function parseTags(record: string): ReadonlyMap<string, string> {
  const pairs = record.split(";").map((tag) => {
    const [name = "", ...value] = tag.split("=");
    return [name.trim(), value.join("=").replaceAll(/[ \t\r\n]/g, "")] as const;
  });
  return new Map(pairs.filter(([name]) => name !== ""));
}
