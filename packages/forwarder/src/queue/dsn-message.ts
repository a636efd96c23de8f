// A DSN about one recipient, as a message for the spool. Called by conclude.ts.
import { composeDsn, type DsnAction } from "@homing/bounce-handler";
import { memoryContent } from "@homing/mail";
import { type Mailbox, NULL_PATH, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { NewMessage, Recipient, StoredMessage } from "../spool/spool.ts";

/** Where mail to an address goes: itself, or what our tables make of an address of ours. `later`: it cannot be told now. */
export type LeadsTo = (
  address: Mailbox,
) => Promise<readonly { mailbox: Mailbox; stays: boolean }[] | "later">;

export interface DsnOptions {
  readonly hostname: string;
  readonly newId: () => string;
  /** Of the DSN itself, in seconds. */
  readonly life: number;
  readonly leadsTo: LeadsTo;
}

/** Undefined where nobody is to be told, or whoever is has no address that takes mail; `later` where that is not known now. */
export async function dsnMessage(
  { hostname, newId, life, leadsTo }: DsnOptions,
  message: StoredMessage,
  recipient: Pick<Recipient, "alias" | "notify">,
  told: { readonly action: DsnAction; readonly enhanced: string; readonly now: UnixSeconds },
): Promise<NewMessage | "later" | undefined> {
  const to = toldParty(message, recipient);
  if (to === undefined) return undefined;
  const addresses = await leadsTo(to);
  if (addresses === "later") return "later";
  if (addresses.length === 0) return undefined;
  const { action, enhanced, now } = told;
  const id = newId();
  const octets = composeDsn({
    hostname,
    id,
    now,
    to,
    recipients: [{ final: recipient.alias, action, enhanced, lastAttempt: now }],
    arrived: message.received,
    original: message.content.start,
  });
  return {
    id,
    received: now,
    expires: now + life,
    sender: NULL_PATH,
    eightBit: false,
    smtpUtf8: /[^\0-\x7f]/.test(renderMailbox(to)),
    content: memoryContent(octets),
    recipients: addresses.map(({ mailbox, stays }) => ({
      mailbox,
      stays,
      reversePath: NULL_PATH,
      alias: to,
      trace: "",
      // RFC 5321 §4.5.5, RFC 3464 §2: nothing is told about what tells of a failure.
      notify: { kind: "nobody" },
      due: now,
    })),
  };
}

/** Who hears of this message's failures. */
export function toldParty(
  { sender }: Pick<StoredMessage, "sender">,
  { notify }: Pick<Recipient, "notify">,
): Mailbox | undefined {
  if (notify.kind === "mailbox") return notify.mailbox;
  return notify.kind === "sender" && sender !== NULL_PATH ? sender : undefined;
}
