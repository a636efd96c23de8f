// For whom a message was forwarded: X-Forwarded-To and X-Forwarded-For, as Gmail's forwarding writes them, for filters and
// for people. Called by the forwarder for each copy.
import { checkMailbox, type Mailbox, renderMailbox } from "@homing/srs-core";

const MAX_COLUMN = 78;

/**
 * Each with its CRLF.
 * @param destination undefined where nobody is to learn it: the alias stands alone
 */
export function forwardedFields({
  alias,
  destination,
}: {
  readonly alias: Mailbox;
  readonly destination: Mailbox | undefined;
}): string {
  const from = addressText(alias);
  const to = destination && addressText(destination);
  const forwardedTo = to === undefined ? "" : `X-Forwarded-To: ${to}\r\n`;
  if (from === undefined) return forwardedTo;
  const line = `X-Forwarded-For: ${from}`;
  if (to === undefined) return `${line}\r\n`;
  const blank = line.length + 1 + to.length > MAX_COLUMN ? "\r\n\t" : " ";
  return `${forwardedTo}${line}${blank}${to}\r\n`;
}

/** Undefined for what is no address: a line end in it would begin a field of its own. */
function addressText(mailbox: Mailbox): string | undefined {
  const checked = checkMailbox(mailbox);
  return checked.ok ? renderMailbox(checked.mailbox) : undefined;
}
