// Does our HELO name pass SPF? Mail with the null sender, as our notifications, is checked by it (RFC 7208 §2.4). The
// record is read and not evaluated: whether this server's addresses pass is not known here. Called by dns-check.ts.
import { printable } from "@homing/srs-core";
import type { TxtLookup } from "./dkim-record-check.ts";

const MAX_SHOWN = 100;
const PUBLISH = 'publish one that passes the addresses that we send from, as "v=spf1 a -all"';

/** What to look after, in words. */
export async function heloSpfWarnings(hostname: string, txt: TxtLookup): Promise<readonly string[]> {
  const about = `warning: hostname ${hostname}:`;
  const answer = await txt(hostname);
  if (answer.kind === "failed")
    return [`${about} its SPF record cannot be told (${answer.cause}): ask again when DNS answers`];
  const records = answer.texts.filter(isSpf);
  const [record] = records;
  if (record === undefined)
    return [`${about} it has no SPF record, so mail with the null sender does not pass: ${PUBLISH}`];
  if (records.length > 1) {
    const why = `it has ${records.length} SPF records, which is an error to receivers (RFC 7208 §4.5)`;
    return [`${about} ${why}: keep one`];
  }
  if (mayPass(record)) return [];
  const why = `its SPF record "${printable(record, MAX_SHOWN)}" lets no address pass`;
  return [`${about} ${why}, so mail with the null sender fails: ${PUBLISH}`];
}

/** RFC 7208 §4.5. */
function isSpf(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** Whether a term may give "pass": a mechanism with + or without a qualifier, or a redirect. */
function mayPass(record: string): boolean {
  const terms = record.split(" ").slice(1);
  return terms.some((term) => {
    if (/^redirect=/i.test(term)) return true;
    // A modifier has its = behind the name (§4.6.1), and gives no result.
    return /^\+?[A-Za-z]/.test(term) && !/^[A-Za-z][A-Za-z0-9._-]*=/.test(term);
  });
}
