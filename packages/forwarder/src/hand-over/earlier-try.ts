// What an earlier try of the same message left: its client was told to come again, and this may be it. Called by the files
// beside this one.
import { siteOf } from "../client-networks.ts";
import type { Copy } from "../copies.ts";
import type { Delivery } from "../deliver.ts";
import type { HandOverOptions } from "./hand-over.ts";
import type { Incoming } from "./incoming.ts";
import { type Found, type LateKey, lateKey } from "./late-successes.ts";

export const TAKEN_EARLIER: Delivery = { kind: "delivered", hop: "", detail: "taken at an earlier try" };

export async function earlierTry(
  { late }: Pick<HandOverOptions, "late">,
  mail: Incoming,
  copy: Copy,
): Promise<Found | undefined> {
  return late.any() ? await late.find(await keyOf(mail, copy)) : undefined;
}

export function keyOf({ command, content, asSent = content }: Incoming, { mailbox }: Copy): Promise<LateKey> {
  return lateKey(siteOf(command.client.address), command.reversePath, mailbox, asSent);
}
