// Why an SRS address is not reversed, for a person. The keys are the reasons of the command line's contract.
import type { ReverseFailure } from "@homing/srs-core";

export const REVERSE_WORDS: Readonly<Record<ReverseFailure, string>> = {
  "not-srs": "this is not an SRS address",
  malformed: "this begins like an SRS address, but its fields are not those of one",
  "bad-tag": "the tag was not made with any of the secrets, or the address was changed",
  expired: "the tag is good, but the address is too old",
  future: "the tag is good, but the address is dated in the future: compare the clocks",
};
