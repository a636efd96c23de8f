// What of the original header a re-issued DSN returns: five fields at most, so that the sender knows which message it was. Called
// by reissue.ts with a header that is his own, or with what of it may be told; and by the forwarder's queue.
import { fieldValues } from "../compose/header-fields.ts";
import { headerOf } from "../compose/returned-part.ts";
import type { HeaderField, ReturnedHeader } from "../read/report.ts";

const ALLOWED = ["Message-ID", "Date", "Subject", "From", "To"];
/** With its name, a line of mail (RFC 5322 §2.1.1). */
const MAX_FIELD_OCTETS = 900;
const MAX_OCTETS = 4 * 1024;
/** Of a Subject that goes on; the mark is not taken for text of it. */
const CUT = " [...]";

/** Header lines, with their CRLF. Of a field that is there twice, the first counts. */
export function returnedHeader(fields: ReturnedHeader): Buffer {
  return Buffer.from(
    allowedFields(fields)
      .map(({ name, value }) => `${name}: ${value}\r\n`)
      .join(""),
    "utf8",
  );
}

/** Of a message of whose header more is not to come back. */
export function briefHeader(original: Buffer): Buffer {
  return returnedHeader(headerToRemember(original));
}

/** What of a message that we forward is worth keeping, so that a bounce can return it: 4 KiB at most. */
export function headerToRemember(original: Buffer): ReturnedHeader {
  const header = headerOf(original);
  const fields = ALLOWED.flatMap((name) =>
    fieldValues(header, name).map((value) => ({
      name,
      value: Buffer.from(value, "latin1").toString("utf8"),
    })),
  );
  return allowedFields(fields);
}

function allowedFields(fields: ReturnedHeader): readonly HeaderField[] {
  const allowed: HeaderField[] = [];
  let room = MAX_OCTETS;
  for (const name of ALLOWED) {
    const field = fields.find((one) => one.name.toLowerCase() === name.toLowerCase());
    const value = field && passedValue(name, field);
    if (value === undefined || value === "") continue;
    room -= Buffer.byteLength(`${name}: ${value}\r\n`);
    if (room < 0) break;
    allowed.push({ name, value });
  }
  return allowed;
}

function passedValue(name: string, { value }: HeaderField): string | undefined {
  const line = value.replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ").trim();
  if (Buffer.byteLength(line) <= MAX_FIELD_OCTETS) return line;
  // Half an address, half a date or half an identifier is none.
  return name === "Subject" ? cut(line) : undefined;
}

/** Between characters: what is left of one decodes to U+FFFD. */
function cut(line: string): string {
  const start = Buffer.from(line, "utf8").subarray(0, MAX_FIELD_OCTETS - CUT.length);
  return start.toString("utf8").replace(/\ufffd$/, "") + CUT;
}
