// One trusted forwarder: whose mail is let through although it is sent from where its sender's domain does not send. Read by
// forwarder-file.ts, asked by trusted-forwarders.ts.
import { asciiLower, type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";

export interface TrustedForwarder {
  /** As it is written, without the reason. */
  readonly entry: string;
  readonly line: number;
  /** Why it is trusted: for the log. */
  readonly reason: string;
  readonly match: ForwarderMatch;
  /** Domains and aliases in lower case. None: for all. */
  readonly recipients: readonly string[];
  /** From then on it does not match: behind the last day, in UTC. */
  readonly expires?: UnixSeconds;
}

export type ForwarderMatch =
  | { readonly kind: "network"; readonly network: string }
  | (NamePattern & { readonly kind: "host" })
  /** d= of an ARC seal (RFC 8617 §4.1.3). */
  | (NamePattern & { readonly kind: "sealer" });

export interface NamePattern {
  /** In lower case. */
  readonly name: string;
  /** `*.name`: the names below it, and not itself. */
  readonly isBelow: boolean;
}

export function matchesName({ name, isBelow }: NamePattern, text: string): boolean {
  const found = asciiLower(text);
  return isBelow ? found.endsWith(`.${name}`) : found === name;
}

export function isFor({ recipients }: TrustedForwarder, recipient: Mailbox): boolean {
  if (recipients.length === 0) return true;
  const domain = asciiLower(recipient.domain);
  return recipients.some((one) => one === domain || one === asciiLower(renderMailbox(recipient)));
}

export function hasExpired({ expires }: TrustedForwarder, now: UnixSeconds): boolean {
  return expires !== undefined && now >= expires;
}

/** For a warning when they are loaded: mail that they let through comes to be refused. */
export function expiredEntries(
  entries: readonly TrustedForwarder[],
  now: UnixSeconds,
): readonly TrustedForwarder[] {
  return entries.filter((entry) => hasExpired(entry, now));
}
