// Short names that only who has a secret can make: selectors of aliases, tokens of kept senders. Called by rewriter.ts.
import { writeFolded } from "./ascii.ts";
import { base32 } from "./base32.ts";
import { createKeyedHashes, type Secrets } from "./keyed-hash.ts";
import { labelledInput } from "./mac-input.ts";
import { checkMailbox, exceedsAddress, MAX_ADDRESS_OCTETS, type Mailbox, renderMailbox } from "./mailbox.ts";

/** 30 bits: enough to tell a million aliases of one sender and day apart. */
export const SELECTOR_LENGTH = 6;
/** 60 bits: of a million kept senders two share one with a chance of 1 in 2 million; short enough to be wrapped as SRS1. */
const TOKEN_LENGTH = 12;

const aliasInput = labelledInput("homing-alias-v1", writeFolded);
const keptInput = labelledInput("homing-kept-v1");

export interface KeyedNames {
  /**
   * The selectors of an alias, newest secret first. Aliases are folded: the tables that hold them compare so. Throws a
   * TypeError for what is no address: who calls has one.
   */
  selectors(alias: Mailbox): string[];
  /** The token of a sender: the same sender has the same one until the secret is rotated. Case counts. */
  token(sender: Mailbox): string;
}

export function createKeyedNames(secrets: Secrets): KeyedNames {
  const hashes = createKeyedHashes("sha256", secrets);
  return {
    selectors(alias) {
      const text = renderMailbox(checkedAlias(alias));
      return hashes.map((hash) => selectorOf(hash(aliasInput([text]))));
    },
    token(sender) {
      const mac = hashes[0](keptInput([renderMailbox(sender)]));
      return base32(mac.subarray(0, 8)).slice(0, TOKEN_LENGTH);
    },
  };
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
/** Two letters for each ten bits: whoever has a million aliases asks for the selector of each. */
const PAIRS = Array.from(LETTERS, (first) => Array.from(LETTERS, (second) => first + second)).flat();

/** The first 30 bits in base32. */
function selectorOf(mac: Uint8Array): string {
  const bits = (((mac[0] ?? 0) << 24) | ((mac[1] ?? 0) << 16) | ((mac[2] ?? 0) << 8) | (mac[3] ?? 0)) >>> 2;
  return `${PAIRS[bits >>> 20]}${PAIRS[(bits >>> 10) & 1023]}${PAIRS[bits & 1023]}`;
}

/** With A-labels, and no longer than the two octets of a field's length can say. */
function checkedAlias(alias: Mailbox): Mailbox {
  const checked = checkMailbox(alias);
  if (!checked.ok) throw new TypeError(`alias: ${checked.message}`);
  if (!exceedsAddress(checked.mailbox)) return checked.mailbox;
  throw new TypeError(`alias: an address has ${MAX_ADDRESS_OCTETS} octets at most`);
}
