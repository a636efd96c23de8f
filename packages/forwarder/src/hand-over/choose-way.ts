// Chooses how a message is handed over, by whom it comes from and how many it is for. Called by receive.ts.
import type { Reply } from "@homing/mail";
import type { HandOverOptions } from "./hand-over.ts";
import { deliverInSession } from "./in-session.ts";
import type { Incoming } from "./incoming.ts";
import { deliverOrKeep, keepFirst } from "./verified.ts";

/** As if it were delivered: the sender is not to know. */
const THROWN_AWAY: Reply = { code: 250, enhanced: "2.0.0", text: "taken" };

/** @param mayOwe the sender is verified and not null: a bounce would go to somebody who sent the mail */
export async function handOver(options: HandOverOptions, mail: Incoming, mayOwe: boolean): Promise<Reply> {
  const { queue, spoolFirst } = options;
  const leads = mail.leads.filter(({ copies }) => copies.length > 0);
  const [lead, ...others] = leads;
  if (!lead) return THROWN_AWAY;
  const [copy] = lead.copies;
  const isOne = copy !== undefined && lead.copies.length === 1 && others.length === 0;
  if (mayOwe && queue) {
    return isOne && !spoolFirst
      ? await deliverOrKeep(options, queue, mail, { lead, copy })
      : await keepFirst(options, queue, mail);
  }
  if (others.length > 0) throw new Error("mail of a sender who is not verified has one recipient");
  return await deliverInSession(options, mail, lead);
}
