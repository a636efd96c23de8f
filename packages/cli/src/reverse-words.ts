// Why an SRS address is not reversed, for a person. Called by the address commands; the reasons are those of docs/cli.md.
import { KEPT_LABEL, type Mailbox, parseSrs, type ReverseFailure } from "@homing/srs-core";

export const REVERSE_WORDS: Readonly<Record<ReverseFailure, string>> = {
  "not-srs": "this is not an SRS address",
  malformed: "this begins like an SRS address, but its fields are not those of one",
  "bad-tag": "the tag was not made with any of the secrets, or the address was changed",
  expired: "the tag is good, but the address is too old",
  future: "the tag is good, but the address is dated in the future: compare the clocks",
};

/** A kept sender has expired for a rewriter without a store, on the day on which it was kept already. */
export function reverseWords(reason: ReverseFailure, address: Mailbox): string {
  if (reason !== "expired" || !isKept(address)) return REVERSE_WORDS[reason];
  return "the tag is good, but its sender is in the forwarder's database, which this command does not have";
}

function isKept({ localPart }: Mailbox): boolean {
  const srs = parseSrs(localPart);
  return srs.kind === "srs0" && srs.domain === KEPT_LABEL;
}
