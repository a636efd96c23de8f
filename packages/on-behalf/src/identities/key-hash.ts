// Names of facts that hold an address or a secret: of one length whatever they are made of, and nobody who reads a disk or a
// log learns a link from them. Called by files of identities/.
import { hash } from "node:crypto";
import type { Mailbox } from "@homing/srs-core";
import { addressKey, foldedAddress, personKey, readAddress } from "../address-key.ts";

/** SHA-256 as base64url, 43 characters. */
export function keyHash(text: string): string {
  return hash("sha256", text, "base64url");
}

/** @param address as `renderMailbox` made it, of a record or a token */
export function keyOfAddress(address: string): string {
  return keyBy(addressKey, address);
}

/** @param address as `renderMailbox` made it, of a token */
export function personOfAddress(address: string): string {
  return keyBy(personKey, address);
}

function keyBy(keyOf: (mailbox: Mailbox) => string, address: string): string {
  const read = readAddress(address, "address");
  // The quotes that it was given may have made it too long to be read again.
  return read.ok ? keyOf(read.mailbox) : foldedAddress(address);
}
