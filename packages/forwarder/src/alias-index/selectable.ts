// Which addresses can have an alias selector. Called by copies.ts, for the SRS tag of what leaves, and by alias-list.ts, for
// the aliases that a selector may mean.
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";

/**
 * Is it an address, and no longer than one may be? A recipient need not be: its domain was turned into A-labels, which are
 * longer; and a name of an alias file may be any text.
 */
export function isSelectable(mailbox: Mailbox): boolean {
  return parseMailbox(renderMailbox(mailbox)).ok;
}
