// The %XX coding of tcp_table(5): `%`, white space and what cannot be printed. Called by tcp-table.ts.

const PERCENT = 0x25;
const CODED = /^%[0-9A-Fa-f]{2}/;
/** Everything but visible ASCII without the percent sign. */
const UNFIT = /[^\x21-\x24\x26-\x7e]/;

/** As UTF-8. Hexadecimal digits in lower case, as PostSRSd writes them; Postfix takes both. */
export function renderPercent(text: string): string {
  if (!UNFIT.test(text)) return text;
  let coded = "";
  for (const octet of Buffer.from(text)) {
    const isFit = octet > 0x20 && octet < 0x7f && octet !== PERCENT;
    coded += isFit ? String.fromCharCode(octet) : `%${octet.toString(16).padStart(2, "0")}`;
  }
  return coded;
}

/** Undefined where a percent sign is not followed by two hexadecimal digits, or the octets are no UTF-8. */
export function parsePercent(coded: string): string | undefined {
  if (!coded.includes("%")) return coded;
  const octets = Buffer.alloc(Buffer.byteLength(coded));
  let length = 0;
  for (let at = 0; at < coded.length; ) {
    if (coded.charCodeAt(at) !== PERCENT) {
      const next = String.fromCodePoint(coded.codePointAt(at) ?? 0);
      length += octets.write(next, length);
      at += next.length;
      continue;
    }
    if (!CODED.test(coded.slice(at, at + 3))) return undefined;
    octets[length++] = Number.parseInt(coded.slice(at + 1, at + 3), 16);
    at += 3;
  }
  const text = octets.toString("utf8", 0, length);
  return text.includes("\ufffd") ? undefined : text;
}
