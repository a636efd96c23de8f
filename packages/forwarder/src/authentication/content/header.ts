// The header of a message as the checking of its content takes it apart: where it ends, whether anything is signed, which
// fields there are. Called by content-checks.ts, and in the threads by header-from.ts. RFC 5322 §2.2.
import type { Content } from "@homing/mail";

/** The front lets 100 KiB in (MAX_HEADER_OCTETS), and our own fields come on top. */
const MAX_OCTETS = 128 * 1024;
/** The library's time for a field grows with the square of its lines: 5,000 take it some 20 ms. */
const MAX_LINES = 5_000;
const LF = 0x0a;

export type Header =
  | {
      readonly kind: "header";
      /** With the empty line at its end, where there is one. */
      readonly octets: Buffer;
      /** Something in it wants to know the body. */
      readonly wantsBody: boolean;
    }
  /** Nobody looks at it. */
  | { readonly kind: "too-long" };

const TOO_LONG: Header = { kind: "too-long" };
/** The name may stand apart from its colon (RFC 5322 §4.5). */
const SIGNED = /^(?:dkim-signature|arc-seal)[ \t\r\n]*:/im;
const FIELD = /^([!-9;-~]+)[ \t]*:/;

export function headerOf({ start, octets }: Pick<Content, "start" | "octets">): Header {
  const end = endOfHeader(start);
  if (end === undefined && start.length < octets) return TOO_LONG;
  const header = start.subarray(0, end);
  if (header.length > MAX_OCTETS || linesIn(header) > MAX_LINES) return TOO_LONG;
  return { kind: "header", octets: header, wantsBody: SIGNED.test(header.toString("latin1")) };
}

function endOfHeader(start: Buffer): number | undefined {
  if (start.subarray(0, 2).equals(Buffer.from("\r\n"))) return 2;
  const at = start.indexOf("\r\n\r\n");
  return at < 0 ? undefined : at + 4;
}

function linesIn(header: Buffer): number {
  let lines = 0;
  for (let at = header.indexOf(LF); at >= 0 && lines <= MAX_LINES; at = header.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** The values of all fields of a name, topmost first, unfolded. @param name in lower case */
export function fieldsOf(header: Buffer, name: string): string[] {
  const fields: { readonly name: string; value: string }[] = [];
  const lines = header.toString("utf8").replaceAll("\r\n ", " ").replaceAll("\r\n\t", "\t").split("\r\n");
  for (const line of lines) {
    const [start, key] = FIELD.exec(line) ?? [];
    const last = fields.at(-1);
    if (key !== undefined) fields.push({ name: key.toLowerCase(), value: line.slice(start?.length ?? 0) });
    // Whatever is no field: some readers take it for more of the one above, and so does the verifier.
    else if (last && line !== "") last.value += ` ${line}`;
  }
  return fields.filter((field) => field.name === name).map(({ value }) => value);
}
