// The returned Message-ID that may go to the original sender though nobody proved that it is his. Called by reissue.ts.
import { isMessageId } from "../compose/header-fields.ts";
import type { HeaderField, ReturnedHeader } from "../read/report.ts";
import { createOracle, type Oracle, type OracleOptions } from "./oracle.ts";

/**
 * Where large providers write a Message-ID, they take mail in from their users: such a domain says where the message comes from,
 * never where it went. Their servers for mail from outside have other names (`mx.google.com`, `prod.protection.outlook.com`).
 */
const SUBMISSION_DOMAINS = /@mail\.gmail\.com>$|@mail\.yahoo\.com>$|\.prod\.outlook\.com>$/i;

/** One at most: of two, neither is the message's. */
export function tellableMessageId(returned: ReturnedHeader, secrets: OracleOptions): ReturnedHeader {
  const [field, ...more] = returned.filter(({ name }) => name.toLowerCase() === "message-id");
  const oracle = createOracle({ ...secrets, asWords: true });
  return field && more.length === 0 && isTellable(field, oracle) ? [field] : [];
}

function isTellable({ value }: HeaderField, oracle: Oracle): boolean {
  return isMessageId(value) && oracle(value.replace(SUBMISSION_DOMAINS, "")) === undefined;
}
