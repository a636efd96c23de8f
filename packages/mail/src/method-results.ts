// Reads what another server found, from the value of its Authentication-Results field or of an ARC set (RFC 8601 §2.2, RFC 8617
// §4.1.1). Values in it are hostile text: a sender may be called dmarc=pass@evil.example. Called by the forwarder, which weighs
// the word of trusted sealers; authentication-results.ts writes such fields.
import { asciiLower } from "@homing/srs-core";

/** Both in lower case. */
export interface ReadResult {
  readonly method: string;
  readonly result: string;
}

/** At the beginning of what stands between two semicolons: behind it are the properties. */
const METHOD =
  /^([a-z][a-z0-9-]*)[ \t\r\n]*(?:\/[ \t\r\n]*[0-9]+[ \t\r\n]*)?=[ \t\r\n]*([a-z]+)(?![^ \t\r\n])/;
const BLANKS = /^[ \t\r\n]*$/;

/**
 * In their order. Undefined: a comment or a quote has no end, or something between two semicolons is no result; then nobody
 * knows what was found.
 * @param value from the authserv-id on
 */
export function readResults(value: string): readonly ReadResult[] | undefined {
  const [, ...parts] = partsOf(value) ?? [];
  const results: ReadResult[] = [];
  for (const part of parts) {
    const text = asciiLower(part).trim();
    // `none`: nothing was tested; and a semicolon may end the field.
    if (BLANKS.test(text) || text === "none") continue;
    const [, method, result] = METHOD.exec(text) ?? [];
    if (method === undefined || result === undefined) return undefined;
    results.push({ method, result });
  }
  return parts.length === 0 ? undefined : results;
}

/** Between semicolons; comments are a blank, and of quotes only the marks are left. */
function partsOf(value: string): readonly string[] | undefined {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === "\\" && (isQuoted || depth > 0)) at++;
    else if (char === '"' && depth === 0) {
      isQuoted = !isQuoted;
      part += char;
    } else if (isQuoted) continue;
    else if (char === "(") depth++;
    else if (char === ")" && depth > 0) {
      depth--;
      part += " ";
    } else if (depth > 0) continue;
    else if (char === ";") {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return isQuoted || depth > 0 ? undefined : [...parts, part];
}
