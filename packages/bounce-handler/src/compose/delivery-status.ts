// The part of a DSN that machines read: a block about the message, and one for each recipient (RFC 3464 §2). Called by
// compose-dsn.ts and folded-notice.ts.
import { mailDate } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import type { Dsn, DsnRecipient } from "./dsn.ts";
import { envelopeId, originalRecipient, type TypedAddress } from "./xtext.ts";

/** What a line holds beside the field name (RFC 5322 §2.1.1). */
const MAX_DIAGNOSTIC = 900;

type StatusFacts = Pick<Dsn, "hostname" | "envid" | "arrived" | "recipients" | "smtpUtf8">;

/** Lines of it. Of 7 bits, unless the DSN travels over SMTPUTF8. */
export function deliveryStatus(dsn: StatusFacts): readonly string[] {
  const { hostname, envid, arrived, recipients } = dsn;
  const id = envid === undefined ? undefined : envelopeId(envid);
  return [
    ...(id === undefined ? [] : [`Original-Envelope-Id: ${id}`]),
    `Reporting-MTA: dns; ${hostname}`,
    ...(arrived === undefined ? [] : [`Arrival-Date: ${mailDate(arrived)}`]),
    ...recipients.flatMap((recipient) => ["", ...recipientBlock(recipient, dsn.smtpUtf8 === true)]),
  ];
}

function recipientBlock(recipient: DsnRecipient, native: boolean): readonly string[] {
  const { action, enhanced, diagnostic, lastAttempt, orcpt } = recipient;
  const original = orcpt === undefined ? undefined : originalRecipient(orcpt);
  const until = action.kind === "delayed" ? action.until : undefined;
  return [
    ...(original ? [`Original-Recipient: ${rendered(original, native)}`] : []),
    // The address that the sender wrote is the final one, as far as anybody outside is concerned.
    `Final-Recipient: ${finalRecipient(recipient, native)}`,
    `Action: ${action.kind}`,
    `Status: ${enhanced}`,
    ...(diagnostic === undefined ? [] : [`Diagnostic-Code: ${plain(diagnostic)}`]),
    ...(lastAttempt === undefined ? [] : [`Last-Attempt-Date: ${mailDate(lastAttempt)}`]),
    ...(until === undefined ? [] : [`Will-Retry-Until: ${mailDate(until)}`]),
  ];
}

function finalRecipient({ final }: DsnRecipient, native: boolean): string {
  if (final === "withheld") return "x-homing; withheld";
  const address = renderMailbox(final);
  return rendered({ type: isAscii(address) ? "rfc822" : "utf-8", address }, native);
}

/**
 * RFC 6533 §3: an address with UTF-8 is of type utf-8, and is escaped in a status part of 7-bit characters, with all that is
 * no QCHAR there: blank, backslash, plus and equals sign, too.
 */
function rendered({ type, address }: TypedAddress, native: boolean): string {
  const isUtf8Type = type.toLowerCase() === "utf-8";
  if (isAscii(address) && !isUtf8Type) return `${type}; ${address}`;
  if (native) return `utf-8; ${address}`;
  const escaped = Array.from(address, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isQchar = code > 0x20 && code < 0x7f && !"\\+=".includes(character);
    return isQchar ? character : `\\x{${code.toString(16).toUpperCase().padStart(2, "0")}}`;
  });
  return `utf-8; ${escaped.join("")}`;
}

function plain(text: string): string {
  return text.slice(0, MAX_DIAGNOSTIC).replaceAll(/[^ -~]/g, "?");
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
