// Which failures share a bucket. Called by whoever spends from one.
import { asciiLower, type Mailbox } from "@homing/srs-core";

export interface SrsAddressFacts {
  readonly srsDomain: string;
  /** The original sender. */
  readonly sender: Mailbox;
  /** Of the alias; undefined where the tag has none. */
  readonly selector: string | undefined;
  /** The day, as it stands in the address. */
  readonly stamp: string;
}

/**
 * One for each SRS address: sender, alias and day. Folded, as tags are compared: whoever writes the address in another case
 * shall not have another bucket.
 */
export function srsAddressKey({ srsDomain, sender, selector = "", stamp }: SrsAddressFacts): string {
  return asciiLower(JSON.stringify([stamp, selector, srsDomain, sender.domain, sender.localPart]));
}

/** One for each sender and alias. */
export function ownFailureKey(sender: Mailbox, alias: Mailbox): string {
  return asciiLower(JSON.stringify([alias.domain, alias.localPart, sender.domain, sender.localPart]));
}
