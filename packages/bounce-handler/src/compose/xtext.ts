// ENVID and ORCPT as the status part has them: out of xtext, and fit for a line (RFC 3461 §4, RFC 3464 §2.2.1, §2.3.1,
// RFC 6533 §3). Called by delivery-status.ts.

/** RFC 3461 §4.4. */
const MAX_ENVID = 100;
/** RFC 3461 §4.2. */
const MAX_ORCPT = 500;

/** Undefined where it is no xtext. */
export function decodedXtext(xtext: string): string | undefined {
  const octets: number[] = [];
  for (let at = 0; at < xtext.length; at++) {
    const code = xtext.charCodeAt(at);
    if (code < 0x21 || code > 0x7e || code === 0x3d) return undefined;
    if (code !== 0x2b) {
      octets.push(code);
      continue;
    }
    const hex = xtext.slice(at + 1, at + 3);
    if (!/^[0-9A-F]{2}$/.test(hex)) return undefined;
    octets.push(Number.parseInt(hex, 16));
    at += 2;
  }
  return Buffer.from(octets).toString("utf8");
}

/** The sender's own identifier, decoded; undefined where it does not fit into a line. */
export function envelopeId(envid: string): string | undefined {
  if (envid.length > MAX_ENVID) return undefined;
  const text = decodedXtext(envid);
  return text !== undefined && /^[ -~]+$/.test(text) ? text : undefined;
}

export interface TypedAddress {
  readonly type: string;
  readonly address: string;
}

/** `type;xtext`; undefined where it does not fit into a line. UTF-8 stays as it is, out of its escapes. */
export function originalRecipient(orcpt: string): TypedAddress | undefined {
  const semicolon = orcpt.indexOf(";");
  const type = orcpt.slice(0, Math.max(semicolon, 0));
  if (orcpt.length > MAX_ORCPT || !/^[A-Za-z0-9-]{1,40}$/.test(type)) return undefined;
  const decoded = decodedOrUtf8(orcpt.slice(semicolon + 1));
  if (decoded === undefined || decoded === "") return undefined;
  const address = type.toLowerCase() === "utf-8" ? withoutEscapes(decoded) : decoded;
  return /[\p{Cc}\ufffd]/u.test(address) ? undefined : { type, address };
}

/** Over SMTPUTF8 the parameter itself may have UTF-8 (RFC 6533 §3, utf-8-addr-unitext). */
function decodedOrUtf8(text: string): string | undefined {
  return /[^\0-\x7f]/.test(text) ? text : decodedXtext(text);
}

/** Linear: the digits are bounded. */
function withoutEscapes(text: string): string {
  return text.replaceAll(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
