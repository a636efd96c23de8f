// To, Cc and Bcc of a message: whom it goes to, and whether that is allowed. Called by on-behalf-plugin.ts.
import type { Mailbox } from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import type { MailData } from "./mail-data.ts";
import { type Entry, readEntries } from "./plain-address.ts";
import { type Stopped, stopped } from "./plugin-problem.ts";

export const RECIPIENT_KEYS = ["to", "cc", "bcc"] as const;

export interface Recipients {
  readonly ok: true;
  readonly fields: Readonly<Record<(typeof RECIPIENT_KEYS)[number], readonly Entry[]>>;
  /** Everybody once. */
  readonly mailboxes: readonly [Mailbox, ...Mailbox[]];
}

export function readRecipients(data: MailData, most: number): Recipients | Stopped {
  const fields: Record<(typeof RECIPIENT_KEYS)[number], readonly Entry[]> = { to: [], cc: [], bcc: [] };
  const unique = new Map<string, Mailbox>();
  for (const key of RECIPIENT_KEYS) {
    // Before a million of them are read.
    const value = data[key];
    if (Array.isArray(value) && value.length > most) return tooMany(value.length, most);
    const read = readEntries(value, key);
    if (!read.ok) return read;
    fields[key] = read.entries;
    for (const { mailbox } of read.entries) unique.set(addressKey(mailbox), mailbox);
  }
  const [first, ...others] = unique.values();
  if (!first) {
    return stopped("no-recipients", "the message has no recipient", {
      field: "to",
      hint: "give to, cc or bcc",
    });
  }
  if (unique.size > most) return tooMany(unique.size, most);
  return { ok: true, fields, mailboxes: [first, ...others] };
}

function tooMany(count: number, most: number): Stopped {
  return stopped("too-many-recipients", `the message has ${count} recipients, and ${most} are allowed`, {
    field: "to",
    hint: "send to fewer at once; the option maxRecipients says how many",
  });
}
