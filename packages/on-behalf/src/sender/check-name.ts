// A display name as a user gave it, fit for From or not. Called by choose-from.ts, messages/ and the plug-in. RFC 5322 §3.4.
import { type Refused, refused } from "../problem.ts";

/** As long as any mail program shows. */
export const MAX_NAME_LENGTH = 64;

/** Refused, not cleaned: a name that holds such a thing was made by somebody who wants something else than a name. */
const FAULTS: readonly [pattern: RegExp, what: string][] = [
  // C0 and C1 alike, line and paragraph separators, and what a decoder leaves of octets that are none of UTF-8.
  [/[\p{Cc}\u2028\u2029\ufffd]/u, "a control character or a line break"],
  // Text that reads backwards: "Bob gro.knab@sbo" may be shown as anything.
  [/[\u202a-\u202e\u2066-\u2069]/u, "a character that turns the direction of writing"],
  // People take it for the sender's address. The others are the @ of Chinese and Japanese keyboards.
  [/[@\ufe6b\uff20]/u, "an @, as addresses do"],
  // RFC 2047 §5 forbids readers to decode it inside quotes; many do, and then anything above may come out.
  [/=\?/u, "an encoded word (=?)"],
];

/** @param field of the request */
export function checkName(name: string, field: string): Refused | undefined {
  // The first comparison spares a huge text the second: UTF-16 units are at most two for each character.
  if (name.length > 2 * MAX_NAME_LENGTH || [...name].length > MAX_NAME_LENGTH) {
    return bad(field, `has more than ${MAX_NAME_LENGTH} characters`);
  }
  if (!name.isWellFormed()) return bad(field, "is no Unicode text");
  const fault = FAULTS.find(([pattern]) => pattern.test(name));
  return fault && bad(field, `holds ${fault[1]}`);
}

function bad(field: string, why: string): Refused {
  return refused("invalid-field", `${field} ${why}`, {
    field,
    hint: "give a name as people write it, or none",
  });
}
